#!/usr/bin/env bash
# SIGINT and SIGTERM: the program stores where it is, says how to go on, and exits with 130 or 143; going on ends in the same
# bytes. Without --resume an unfinished run is not thrown away.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
options=("${small[@]}" --epochs 60 --threads 1 --out 'a folder')
"$lacuna" train "${options[@]}" --quiet >/dev/null
mv 'a folder' left_alone

for signal in INT TERM; do
  expected=$([[ $signal == INT ]] && echo 130 || echo 143)
  rm -rf 'a folder' interrupted.err
  "$lacuna" train "${options[@]}" >interrupted.out 2>interrupted.err &
  child=$!
  for ((i = 0; i < 3000; ++i)); do # until it trains
    if grep -q 'epoch 2/60' interrupted.err 2>/dev/null; then break; fi
    sleep 0.01
  done
  kill -s $signal $child
  status=0
  wait $child || status=$?
  [[ $status == "$expected" ]] || wrong "SIG$signal: exit status $status, expected $expected: $(cat interrupted.err)"
  [[ ! -s interrupted.out ]] || wrong "SIG$signal: results of an unfinished run: $(cat interrupted.out)"
  tail -1 interrupted.err | grep -q "interrupted.*to go on: .*--out 'a folder' --resume\$" || wrong "it does not say how to go on: $(cat interrupted.err)"
  exists 'a folder/sdumc/seed-1/unfinished.lacuna'
  absent 'a folder/sdumc/seed-1/model.lacuna'
  absent 'a folder/metrics.json'

  refuses 2 'holds an unfinished run; --resume goes on with it, --overwrite starts anew' "$lacuna" train "${options[@]}"
  refuses 2 "was trained with 'learning_rate=5e-04', now it is 'learning_rate=0.001'" "$lacuna" train "${options[@]}" --learning-rate 1e-3 --resume
  refuses 2 "was trained with '[0-9a-f]*;', now it is" "$lacuna" train "${options[@]}" --data-seed 8 --resume
  eval "$(tail -1 interrupted.err | sed 's/.*to go on: //')" >/dev/null 2>&1 || wrong "the command that it names does not go on"
  same_results left_alone 'a folder'
done
