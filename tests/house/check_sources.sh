#!/usr/bin/env bash
# check_sources.sh COMPILER ROOT PATH_FILE (each | together) SOURCE...: files that a plain build does not compile with this
# compiler must compile all the same: it reads them without making code of them, each for itself, or together, which is a third of
# the work, and each only where that fails (programs with a `return` in their main). Warnings are errors where the compiler is one
# of ours. A page of documentation among them is the table of docs/from_pytorch.md.
set -uo pipefail
compiler=$1 root=$2 status=0
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -DLACUNA_PRECOMPILED "-I$root/include" "-I$root/tests" "-I$root/examples")
case $("$compiler" -dumpversion) in
  12 | 12.* | 14.0.*) flags+=(-Werror) ;; # g++ 12, clang 14: as in cmake/options.cmake
esac
while read -r path; do
  [[ -z $path ]] || flags+=(-idirafter "$path")
done <"$3"
files=()
for file in "${@:5}"; do
  if [[ $file == *.md ]]; then
    code=$(mktemp --suffix=.cpp)
    trap 'rm -f "$code"' EXIT
    bash "$(dirname "$0")/code_of_table.sh" "$file" >"$code" || { echo "no table: $file" && exit 1; }
    file=$code
  fi
  files+=("$file")
done
together() { # every file's main under another name
  local n=0 file
  for file in "$@"; do printf '#define main main_of_%d\n#include "%s"\n#undef main\n' $((++n)) "$file"; done
}
if [[ $4 == together ]] && together "${files[@]}" | "$compiler" "${flags[@]}" -x c++ - >/dev/null 2>&1; then
  exit 0
fi
for file in "${files[@]}"; do
  "$compiler" "${flags[@]}" "$file" || { echo "does not compile: $file" && status=1; }
done
exit "$status"
