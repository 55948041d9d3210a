#!/usr/bin/env bash
# cases.sh COMPILER INCLUDE_DIR PATH_FILE WORK_DIR [FLAG...]: the small programs of $LACUNA_CASES_DIR (shared/cases beside the checkout),
# each of which went wrong once. Those that run are one binary, because each includes nearly everything.
# locale_report.cpp calls what has other names now: tests/lab/locale_test.cpp holds what it is about.
set -uo pipefail
compiler=$1 include=$2 work=$4
flags=(-std=c++20 "-I$include" "${@:5}")
while read -r path; do
  [[ -z $path || $path == "$include" ]] || flags+=(-idirafter "$path")
done <"$3"
cases=${LACUNA_CASES_DIR:-$include/../../shared/cases}
[[ -d $cases/programs ]] || { echo "skipped: no programs in $cases"; exit 77; }
failed=0
wrong() { printf 'FAILED: %s\n' "$*"; failed=1; }

log=$("$compiler" "${flags[@]}" -fsyntax-only "$cases/programs/qt_words.cpp" 2>&1) || wrong "qt_words: $log"
log=$("$compiler" "${flags[@]}" -fsyntax-only -Wfatal-errors -O2 -ffast-math "$cases/programs/fast_math.cpp" 2>&1) &&
  wrong "fast_math compiles with -ffast-math"
[[ $log == *'-fno-finite-math-only'* ]] || wrong "fast_math: no word on what to do: $log"

mkdir -p "$work"
{
  for name in fast_math nan_swallowed; do
    printf '#define main main_of_%s\n#include "%s/programs/%s.cpp"\n#undef main\n' "$name" "$cases" "$name"
  done
  printf 'int main(int argc, char** argv) { return argc > 1 ? main_of_fast_math(argc, argv) : main_of_nan_swallowed(); }\n'
} >"$work/cases.cpp"
log=$("$compiler" "${flags[@]}" "$work/cases.cpp" -o "$work/cases" -lz 2>&1) || { wrong "cases.cpp: $log"; exit 1; }
log=$("$work/cases" "$cases/inputs/unlabelled_test.npz" "$cases/inputs/train_label_hole.npz" nan) || wrong "fast_math: $log"
log=$("$work/cases") || wrong "nan_swallowed: $log"
exit $failed
