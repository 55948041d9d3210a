# The code of documentation pages as one file of tests: awk -f extract.awk page.md... >pages.hpp
#
# A page that says `<!-- code: compiled -->` takes part. In it
#   ```cpp          is a list of statements: a test of its own, which is compiled and run;
#   ```cpp global   is definitions, which the blocks below them in the page may use;
#   <!-- cpp        and the lines up to `-->` are code that the reader does not see. It belongs to the block below it; on
#                   the very line behind a block, to that block: the place for checks.
# In a header, whose comments are read without their slashes, a block ```cpp is a test as well, with the variables of
# HEADER_NAMES (tests/docs/pages_test.cpp) around it.
# Includes go to the top of the file, and everything sees the names of lacuna.
function hoist(line) {
  if (line !~ /^#include/) return 0
  if (!(line in seen)) { seen[line] = 1; includes = includes line "\n" }
  return 1
}
function add(line) { if (!hoist(line)) text = text line "\n" }
function at(number) { text = text "#line " number " \"" page "\"\n" }
function close_block() {
  if (!open) return
  if (!global) {
    body = body "TEST_CASE(\"" page ": the code of line " first "\") {\n" names text "}\n"
  } else {
    body = body text
  }
  text = ""; open = 0
}
function close_page() { close_block(); if (marked) body = body "}  // namespace\n"; marked = 0 }

FNR == 1 {
  close_page()
  page = FILENAME
  sub(/.*\/docs\//, "docs/", page)
  mode = ""; text = ""
}
FNR == 1 && FILENAME ~ /\.hpp$/ {
  sub(/.*\/include\//, "", page)
  hoist("#include <" page ">")
  names = "HEADER_NAMES\n"
}
FNR == 1 && FILENAME !~ /\.hpp$/ { names = "" }
names != "" && !sub(/^\/\/\/ ?/, "") && FNR > 1 { next }
/^<!-- code: compiled -->$/ || (names != "" && FNR == 1) {
  marked = 1
  name = page
  gsub(/[^A-Za-z0-9]+/, "_", name)
  body = body "namespace page_" name " {\nusing namespace lacuna;\n"
  next
}
!marked { next }
mode == "" && /^<!-- cpp$/ { if (!behind) close_block(); mode = "hidden"; at(FNR + 1); next }
mode == "hidden" && /^-->$/ { if (behind) { close_block(); behind = 0 } mode = ""; next }
mode == "" && /^```cpp( global)?$/ { if (behind) { close_block(); behind = 0 } mode = "code"; global = /global$/; first = FNR; at(FNR + 1); next }
mode == "code" && /^```$/ { mode = ""; open = 1; behind = 1; ++blocks; next }
mode == "" { if (behind) { close_block(); behind = 0 } next }
{ add($0) }
END {
  close_page()
  if (mode != "") { print "#error \"" page ": a block of code does not end\""; exit 1 }
  printf "// Made from the documentation by tests/docs/extract.awk.\n%s%s\nnamespace pages { inline constexpr int blocks = %d; }\n", includes, body, blocks
}
