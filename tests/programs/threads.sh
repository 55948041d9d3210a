#!/usr/bin/env bash
# 1, 2 and 3 threads: the same bytes in the checkpoint, the predictions and the metrics.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
# large enough that the work is shared: more frames than one chunk
options=(--model sdumc --samples 400 --width 64 --fused 32 --simulator-epochs 1 --epochs 2 --quiet)
for count in 1 2 3; do "$lacuna" train "${options[@]}" --threads $count --out threads-$count >/dev/null; done
same_results threads-1 threads-2
same_results threads-1 threads-3

# Waiting threads spin briefly unless the environment says otherwise (support/program.hpp): the program starts itself once
# more, under its own name and number, and every option arrives.
unset OMP_WAIT_POLICY GOMP_SPINCOUNT
"$lacuna" train "${options[@]}" --threads 2 --out 'with spaces' >/dev/null
same_results threads-1 'with spaces'
environment_of() { tr '\0' '\n' <"/proc/$1/environ"; }
if [[ -r /proc/self/environ ]] && ldd "$lacuna" train | grep -q libgomp; then
  "$lacuna" train "${small[@]}" --epochs 100000 --quiet --out long >/dev/null 2>&1 &
  child=$!
  for ((i = 0; i < 1000; ++i)); do
    if environment_of $child | grep -qx GOMP_SPINCOUNT=1000; then break; fi
    sleep 0.01
  done
  environment_of $child | grep -qx GOMP_SPINCOUNT=1000 || wrong "threads wait as OpenMP has it"
  [[ $(<"/proc/$child/comm") == lacuna ]] || wrong "the program is called $(<"/proc/$child/comm")"
  kill -KILL $child
  wait $child 2>/dev/null || true
  OMP_WAIT_POLICY=active "$lacuna" train "${small[@]}" --epochs 100000 --quiet --out chosen >/dev/null 2>&1 &
  child=$!
  sleep 0.5
  ! environment_of $child | grep -q GOMP_SPINCOUNT || wrong "OMP_WAIT_POLICY of the user does not stand"
  kill -KILL $child
  wait $child 2>/dev/null || true
fi
