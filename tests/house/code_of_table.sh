#!/usr/bin/env bash
# code_of_table.sh PAGE: the right-hand sides of docs/from_pytorch.md as a source file, with the page's first block around them.
set -euo pipefail
# Commas between calls are the comma operator. Every row is a block, so that an error names its line of the page.
awk -v page="$1" '
  /^```cpp/ { inside = 1; next }
  /^```/ && inside { inside = 0 }
  inside && /^(#include|using)/ { if (/^using/) aliases = aliases $0 "\n"; else print; next }
  inside && !opened { print "#pragma GCC diagnostic ignored \"-Wunused-value\"\nvoid page_of_a_table() {\n" aliases; opened = 1 }
  inside { print; next }
  /^\| .*\|$/ && !/^\| PyTorch/ {
    row = $0; sub(/ \|$/, "", row); sub(/^.* \| /, "", row)
    gsub(/^`|`$/, "", row)
    printf "{\n#line %d \"%s\"\n  (void)(%s);\n}\n", NR, page, row; ++rows
  }
  END { print "}"; exit rows < 120 }' "$1"
