#!/usr/bin/env bash
# kill_resume.sh [KILLS]: kills the program at random moments, resumes, and compares with a run that was left alone: every
# byte of checkpoints and predictions must be the same. KILLS (6 unless told) in all, over as many runs as it takes.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
kills=${1:-6}
RANDOM=${LACUNA_TEST_SEED:-$$}
printf 'LACUNA_TEST_SEED=%s\n' "${LACUNA_TEST_SEED:-$$}"
options=("${small[@]}" --epochs 12 --seeds '1,2' --quiet --threads 1)

begin=$(date +%s%N)
"$lacuna" train "${options[@]}" --out left_alone >/dev/null
length=$((($(date +%s%N) - begin) / 1000000)) # milliseconds

done=0 round=0
while ((done < kills)); do
  round=$((round + 1))
  rm -rf killed
  while ((done < kills)); do
    "$lacuna" train "${options[@]}" --out killed --resume >/dev/null &
    child=$!
    moment=$(((RANDOM * 32768 + RANDOM) % (length + 1)))
    sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
    status=0
    kill -KILL $child 2>/dev/null || true
    wait $child 2>/dev/null || status=$?
    if ((status == 0)); then break; fi # it was faster
    ((status == 137)) || wrong "exit status $status"
    done=$((done + 1))
  done
  "$lacuna" train "${options[@]}" --out killed --resume >/dev/null || wrong "resuming failed"
  same_results left_alone killed
done
printf '%s kills in %s runs\n' "$done" "$round"
