#!/usr/bin/env bash
# experiment_kills.sh [KILLS]: kills an experiment at random moments, resumes, and compares with one that was left alone:
# every byte of the tables and of the predictions must be the same. KILLS (3 unless told) in all, over as many experiments
# as it takes. Run it by itself with many kills:
#   LACUNA_SOURCE_DIR=$PWD LACUNA_BIN=$PWD/build/examples bash tests/support/program.sh "$PWD/tests/support/experiment_kills.sh" 50
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"
kills=${1:-3}
RANDOM=${LACUNA_TEST_SEED:-$$}
printf 'LACUNA_TEST_SEED=%s\n' "${LACUNA_TEST_SEED:-$$}"
EPOCHS=8 tiny
options=("${all[@]}" --quiet --save-seconds 0)

begin=$(date +%s%N)
"${options[@]}" --out undisturbed >/dev/null
length=$((($(date +%s%N) - begin) / 1000000)) # milliseconds

done=0 round=0
while ((done < kills)); do
  round=$((round + 1))
  rm -rf killed
  while ((done < kills)); do
    "${options[@]}" --jobs $((1 + RANDOM % 3)) --out killed --resume >/dev/null &
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
  "${options[@]}" --out killed --resume >/dev/null || wrong "resuming failed"
  same_tables undisturbed killed
  for file in $(cd undisturbed && find . -name predictions.npz -o -name model.lacuna); do
    [[ $file == *model.lacuna ]] || same "undisturbed/$file" "killed/$file"
    exists "killed/$file"
  done
  [[ -z $(find killed -name '*.tmp-*' -o -name 'unfinished.lacuna') ]] || wrong "left behind: $(find killed)"
done
printf '%s kills in %s experiments\n' "$done" "$round"
