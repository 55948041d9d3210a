#!/usr/bin/env bash
# SIGINT and SIGTERM at many moments: while options and data are read, in preparation, training, evaluation and writing. The
# program ends with 130 or 143, or had ended by itself; what stands under a final name is whole; --resume ends in the same bytes.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
options=("${small[@]}" --epochs 12 --threads 1 --quiet)
started=$(date +%s%N)
"$lacuna" train "${options[@]}" --out whole >/dev/null 2>&1
took=$((($(date +%s%N) - started) / 1000000)) # ms

declare -A seen=()
for ((step = 0; step < 12; ++step)); do
  signal=$([[ $((step % 2)) == 0 ]] && echo INT || echo TERM)
  rm -rf hit
  "$lacuna" train "${options[@]}" --out hit >out.txt 2>err.txt &
  child=$!
  sleep "$(awk -v t=$took -v s=$step 'BEGIN { print t * s / 11000 }')"
  kill -s $signal $child 2>/dev/null || true
  status=0
  wait $child 2>/dev/null || status=$?
  seen[$status]=1
  [[ $status == 0 || $status == 130 || $status == 143 ]] || wrong "SIG$signal after $step/11 of $took ms: status $status: $(cat err.txt)"
  if [[ $status == 0 ]]; then
    same_results whole hit
    continue
  fi
  [[ ! -e hit/sdumc/seed-1/model.lacuna ]] || cmp -s hit/sdumc/seed-1/model.lacuna whole/sdumc/seed-1/model.lacuna || wrong "a half model after $step/11"
  "$lacuna" train "${options[@]}" --out hit --resume >out.txt 2>err.txt || wrong "after $step/11 it does not go on: $(cat err.txt)"
  same_results whole hit
done
[[ ${seen[130]-} == 1 || ${seen[143]-} == 1 ]] || wrong "no signal came in time: ${!seen[*]}"

# what does not train ends at once, and what it would replace stays whole
cp whole/report.html kept.html
for delay in 0 0.01 0.02 0.04; do
  "$lacuna" report whole >/dev/null 2>err.txt &
  child=$!
  sleep $delay
  kill -s TERM $child 2>/dev/null || true
  status=0
  wait $child 2>/dev/null || status=$?
  [[ $status == 0 || $status == 143 ]] || wrong "report: status $status: $(cat err.txt)"
  same whole/report.html kept.html
done
