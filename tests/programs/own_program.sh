#!/usr/bin/env bash
# A user's own program: its model is registered in one line, and has every command.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"
own=$LACUNA_BIN/own_program
small_set real.npz
class_set classes.npz
"$own" models >list.txt
grep -q '^averages  *hidden layers of averages' list.txt || wrong 'models does not list the own model'
grep -q '^sdumc ' list.txt || wrong "the library's models are gone"
"$own" models averages | grep -q '^  width=16' || wrong 'its options are not shown'
"$own" models averages | grep -q '^  width=16 .*size of the hidden layer' || wrong 'the help of its option is not shown'
refuses 2 "width: 0, expected at least 1" "$own" train --model averages --data real.npz --width 0 --out refused
for data in real classes; do
  "$own" train --model averages --data $data.npz --epochs 1 --width 8 --draws 10 --quiet --out $data >out.txt || wrong "train on $data"
  file=$data/averages/seed-1/model.lacuna
  "$own" predict --checkpoint $file --data $data.npz --export all.csv 2>/dev/null
  grep -E '^[^,]*,complete,' $data/averages/seed-1/predictions.csv >expected.csv
  tail -n +2 all.csv | cmp - expected.csv || wrong "$data: predict differs from train"
  "$own" predict --checkpoint $file --data $data.npz --missing "$([[ $data == real ]] && echo text || echo left)" --export less.csv 2>/dev/null
  ! cmp -s all.csv less.csv || wrong "$data: nothing was taken away"
done
refuses 2 "matrices; write them with --export" "$lacuna" predict --checkpoint real/averages/seed-1/model.lacuna --data real.npz --attention
"$own" report real | grep -q averages || wrong 'report does not show it'
"$own" experiment --data real.npz --models averages,constant --epochs 1 --seeds 1 --draws 10 --quiet --out lab >/dev/null || wrong experiment
refuses 1 "which this program does not know" "$lacuna" predict --checkpoint real/averages/seed-1/model.lacuna --data real.npz
