#!/usr/bin/env bash
# The budget of the umbrella header: compiling it, with nothing used, takes at most `budget` times what <Eigen/Core> takes.
# A ratio of processor times in one run, so that a slow machine does not matter; a busy one disturbs it: the best of up to three.
set -euo pipefail
compiler=$1 include=$2 eigen=$3 budget=${4:-3.5}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seconds() { # processor seconds of compiling one include
  printf '#include <%s>\n' "$1" > "$folder/one.cpp"
  TIMEFORMAT=%U
  { time "$compiler" -std=c++20 -O2 -I"$include" -isystem "$eigen" -c "$folder/one.cpp" -o "$folder/one.o"; } 2>&1
}
ours=999 eigens=999
smaller() { awk -v a="$1" -v b="$2" 'BEGIN { print a < b ? a : b }'; }
for _ in 1 2 3; do
  ours=$(smaller "$ours" "$(seconds lacuna/lacuna.hpp)") eigens=$(smaller "$eigens" "$(seconds Eigen/Core)")
  printf 'lacuna/lacuna.hpp %s s, Eigen/Core %s s of processor time\n' "$ours" "$eigens"
  awk -v a="$ours" -v b="$eigens" -v limit="$budget" \
    'BEGIN { printf "ratio %.2f, budget %.2f\n", a / b, limit; exit a > limit * b }' && exit 0
done
exit 1
