#!/usr/bin/env bash
# The budget of the umbrella header: compiling it, with nothing used, takes at most `budget` times what <Eigen/Core> takes.
# A ratio of processor times in one run, the best of three each, so that a slow or busy machine does not matter.
set -euo pipefail
compiler=$1 include=$2 eigen=$3 budget=${4:-3.5}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seconds() { # processor seconds of compiling one include
  printf '#include <%s>\n' "$1" > "$folder/one.cpp"
  TIMEFORMAT=%U
  { time "$compiler" -std=c++20 -O2 -I"$include" -isystem "$eigen" -c "$folder/one.cpp" -o "$folder/one.o"; } 2>&1
}
best() { for _ in 1 2 3; do seconds "$1"; done | sort -n | head -1; }

ours=$(best lacuna/lacuna.hpp) eigens=$(best Eigen/Core)
printf 'lacuna/lacuna.hpp %s s, Eigen/Core %s s of processor time\n' "$ours" "$eigens"
awk -v a="$ours" -v b="$eigens" -v limit="$budget" \
  'BEGIN { printf "ratio %.2f, budget %.2f\n", a / b, limit; exit a > limit * b }'
