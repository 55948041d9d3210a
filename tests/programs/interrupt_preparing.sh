#!/usr/bin/env bash
# SIGINT and SIGTERM in the phases before the training of the whole model (CorrKD's teacher, SDUMC's decoder): the program ends
# at the next step, stores where it is, and the command that it names goes on from there and ends in the same bytes.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"

# interrupted SIGNAL STATUS PATTERN COMMAND...: sends the signal as soon as the pattern stands in standard error.
interrupted() {
  local signal=$1 expected=$2 pattern=$3 child status=0 i
  shift 3
  "$@" >interrupted.out 2>interrupted.err &
  child=$!
  for ((i = 0; i < 3000; ++i)); do
    if grep -q -- "$pattern" interrupted.err 2>/dev/null; then break; fi
    sleep 0.01
  done
  kill -s "$signal" $child
  wait $child || status=$?
  [[ $status == "$expected" ]] || wrong "SIG$signal: exit status $status, expected $expected: $(cat interrupted.err)"
  [[ ! -s interrupted.out ]] || wrong "SIG$signal: results of an unfinished run: $(cat interrupted.out)"
  tail -1 interrupted.err | grep -q 'interrupted.*to go on: .* --resume$' || wrong "it does not say how to go on: $(cat interrupted.err)"
}
goes_on() { eval "$(tail -1 interrupted.err | sed 's/.*to go on: //')" >/dev/null 2>&1 || wrong "the command that it names does not go on"; }

long=("$lacuna" train --model sdumc --samples 1000 --width 16 --fused 8 --contrast 8 --simulator-epochs 30 --simulator-width 16 --batch 16 --epochs 1 --threads 1)
"${long[@]}" --quiet --out left_alone >/dev/null
interrupted INT 130 'sdumc.* starts' "${long[@]}" --out stopped
[[ -f stopped/sdumc/seed-1/unfinished.lacuna ]] || wrong "the phase that was interrupted was not stored: $(find stopped)"
goes_on
same_results left_alone stopped

teacher=("$lacuna" experiment --samples 60 --models corrkd:width=8:num_heads=2:depth=1:teacher_epochs=800,ridge --seeds 1 --epochs 2
  --batch 16 --protocols p1 --draws 20 --threads 1)
"${teacher[@]}" --quiet --out undisturbed >/dev/null
interrupted TERM 143 'corrkd.* starts' "${teacher[@]}" --out prepared
absent prepared/results.json
[[ $(find prepared -name 'unfinished.lacuna') ]] || wrong "the phase that was interrupted was not stored: $(find prepared)"
goes_on
same_tables undisturbed prepared
