#!/usr/bin/env bash
# SIGINT and SIGTERM: the program stores where it is, says how to go on, and exits with 130 or 143; going on ends in the same
# bytes. Without --resume an unfinished run is not thrown away.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
options=("${small[@]}" --epochs 60 --threads 1 --out 'a folder')
"$train" "${options[@]}" --quiet >/dev/null
mv 'a folder' left_alone

for signal in INT TERM; do
  expected=$([[ $signal == INT ]] && echo 130 || echo 143)
  rm -rf 'a folder' interrupted.err
  "$train" "${options[@]}" >interrupted.out 2>interrupted.err &
  child=$!
  for ((i = 0; i < 3000; ++i)); do # until it trains
    if grep -q 'epoch  2/60' interrupted.err 2>/dev/null; then break; fi
    sleep 0.01
  done
  kill -s $signal $child
  status=0
  wait $child || status=$?
  [[ $status == "$expected" ]] || wrong "SIG$signal: exit status $status, expected $expected: $(cat interrupted.err)"
  [[ ! -s interrupted.out ]] || wrong "SIG$signal: results of an unfinished run: $(cat interrupted.out)"
  tail -1 interrupted.err | grep -q "interrupted.*to go on: .*--out 'a folder' --resume\$" || wrong "it does not say how to go on: $(cat interrupted.err)"
  exists 'a folder/seed-1/unfinished.lacuna'
  absent 'a folder/seed-1/checkpoint.lacuna'
  absent 'a folder/metrics.json'

  refuses 2 'holds an unfinished run; --resume goes on with it, --overwrite starts anew' "$train" "${options[@]}"
  refuses 2 'was made with --learning-rate 0.0005, now it is 0.001' "$train" "${options[@]}" --learning-rate 1e-3 --resume
  refuses 2 'was made with other data|was made with --data-seed 7, now it is 8' "$train" "${options[@]}" --data-seed 8 --resume
  eval "$(tail -1 interrupted.err | sed 's/.*to go on: //')" >/dev/null 2>&1 || wrong "the command that it names does not go on"
  same_results left_alone 'a folder'
done
