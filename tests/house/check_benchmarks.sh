#!/usr/bin/env bash
# check_benchmarks.sh COMPILER ROOT PATH_FILE: the benchmarks are no part of a plain build, and must compile all the same.
# The compiler reads them without making code of them.
set -uo pipefail
compiler=$1 root=$2 status=0
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -DLACUNA_PRECOMPILED "-I$root/include" "-I$root/tests")
while read -r path; do
  [[ -z $path ]] || flags+=(-idirafter "$path")
done <"$3"
for file in "$root"/benchmarks/*.cpp; do
  "$compiler" "${flags[@]}" "$file" || { echo "does not compile: $file" && status=1; }
done
exit "$status"
