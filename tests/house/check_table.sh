#!/usr/bin/env bash
# check_table.sh COMPILER ROOT PATH_FILE: the right-hand sides of docs/from_pytorch.md compile, with the page's first block
# around them.
set -euo pipefail
compiler=$1 page=$2/docs/from_pytorch.md
flags=(-std=c++20 -fsyntax-only -Wno-unused-value "-I$2/include")
while read -r path; do
  [[ -z $path ]] || flags+=(-idirafter "$path")
done <"$3"
code=$(mktemp --suffix=.cpp)
trap 'rm -f "$code"' EXIT
# Commas between calls are the comma operator. Every row is a block, so that an error names its line of the page.
awk -v page="$page" '
  /^```cpp/ { inside = 1; next }
  /^```/ && inside { inside = 0 }
  inside && /^(#include|using)/ { print; next }
  inside && !opened { print "void page() {"; opened = 1 }
  inside { print; next }
  /^\| .*\|$/ && !/^\| PyTorch/ {
    row = $0; sub(/ \|$/, "", row); sub(/^.* \| /, "", row)
    gsub(/^`|`$/, "", row)
    printf "{\n#line %d \"%s\"\n  (void)(%s);\n}\n", NR, page, row; ++rows
  }
  END { print "}"; exit rows < 120 }' "$page" >"$code"
"$compiler" "${flags[@]}" "$code"
