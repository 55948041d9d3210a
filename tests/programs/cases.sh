#!/usr/bin/env bash
# Inputs that programs of this field take in silence, from $LACUNA_CASES_DIR (shared/cases beside the checkout), each with its
# right result. Skipped where they are not.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
inputs=${LACUNA_CASES_DIR:-$LACUNA_SOURCE_DIR/../shared/cases}/inputs
[[ -d $inputs ]] || { echo "skipped: no inputs in $inputs"; exit 77; }
tiny=(--model sdumc --epochs 1 --width 16 --fused 8 --contrast 4 --simulator-epochs 1 --batch 8 --threads 1 --quiet --overwrite)

# trains INPUT: status 0; table.txt and notes.txt hold what it said
trains() { "$lacuna" train --data "$inputs/$1.npz" "${tiny[@]}" --out "$1" >table.txt 2>notes.txt || wrong "$1: $(cat notes.txt)"; }
# says PATTERN...: every one is in the notes
says() { for pattern; do grep -qE -- "$pattern" notes.txt || wrong "no '$pattern' in: $(cat notes.txt)"; done; }
# ridge CONDITION LEAST MOST: its MAE
ridge() {
  awk -v condition="$1" -v least="$2" -v most="$3" '$1 == condition { here = 1 } here && $1 == "ridge" { mae = $2; here = 0 }
    END { if (!(mae >= least && mae <= most)) { print condition, mae; exit 1 } }' table.txt || wrong "ridge $1: not in $2..$3"
}

trains plain
[[ ! -s notes.txt ]] || wrong "something is said about plain data: $(cat notes.txt)"
ridge complete .34 .37
ridge without-text .40 .44
model=plain/sdumc/seed-1/model.lacuna

trains labels_beside
says 'modalities: audio .*, text .*, video .*; label: label$' 'left out: label2 .*, emotion '
ridge without-text .40 .44
trains usual_pickle
says 'left out: text_bert \(comes from text\)' 'audio_lengths is taken for the lengths of audio' 'vision_lengths .* of video'
ridge without-text .40 .44
trains int16_audio
says 'train_audio holds <i2: its integers are read as numbers'
trains val_named
says 'no valid_ split; val_ is taken for it'
trains mask_inverted
says 'train_mask looks inverted'
trains one_length
says 'train_length is one length for audio of 15 frames and text of 3'
trains label_minus_10
says '8 of 24 labels of train are -10'
trains zero_vectors
says 'vectors of train audio are all zeros'
refuses 1 "train_label' gives sample 0 a label that is NaN" "$lacuna" train --data "$inputs/train_label_hole.npz" "${tiny[@]}"
refuses 1 "test_label' gives sample 0 a label that is NaN" "$lacuna" train --data "$inputs/unlabelled_test.npz" "${tiny[@]}"
refuses 2 'protocol p4: of one modality' "$lacuna" experiment --data "$inputs/one_modality.npz" --models early-fusion --protocols p4 --out none
absent none
"$lacuna" experiment --data "$inputs/one_modality.npz" --models early-fusion:epochs=1 --seeds 1 --quiet --out one >table.txt
! grep -q incomplete table.txt || wrong "an average of nothing: $(cat table.txt)"

# predictions need no labels, and read no other split
for input in unlabelled_test train_label_hole; do
  "$lacuna" predict --checkpoint $model --data "$inputs/$input.npz" >$input.csv 2>notes.txt || wrong "$input: $(cat notes.txt)"
  [[ $(wc -l <$input.csv) == 11 ]] || wrong "$input: $(cat $input.csv)"
done
"$lacuna" predict --checkpoint $model --data "$inputs/flat_sample.npz" >flat.csv 2>notes.txt
says '3 samples of one vector each; one sample of 3 frames would be \(1, 3, D\)'
"$lacuna" predict --checkpoint $model --data "$inputs/mask_inverted.npz" >inverted.csv 2>notes.txt
says 'test_mask looks inverted'

# nothing finished is lost: a failed write is told, an output never replaces an input
cp -r plain before
for command in "predict --checkpoint $model --data $inputs/plain.npz" "report plain" "describe --data $inputs/plain.npz" models \
  version "train --help" "train --data $inputs/plain.npz ${tiny[*]} --out full"; do
  status=0
  # shellcheck disable=SC2086
  "$lacuna" $command >/dev/full 2>notes.txt || status=$?
  [[ $status == 1 ]] || wrong "$command >/dev/full: status $status"
  says 'standard output cannot be written'
  status=0
  # shellcheck disable=SC2086
  "$lacuna" $command >&- 2>notes.txt || status=$?
  [[ $status == 1 ]] || wrong "$command >&-: status $status"
done
refuses 2 'is read too, and would be replaced' "$lacuna" predict --checkpoint $model --data "$inputs/plain.npz" --out ./$model
ln -s $model link.lacuna
refuses 2 'is read too, and would be replaced' "$lacuna" predict --checkpoint link.lacuna --data "$inputs/plain.npz" --out $model
mkdir own
cp "$inputs/plain.npz" own/predictions.npz
refuses 2 'lies in own, where the results go' "$lacuna" train --data own/predictions.npz "${tiny[@]}" --out own
same own/predictions.npz "$inputs/plain.npz"
same_results plain before

# one failure among many: named, the others go on, tables mark it
status=0
"$lacuna" experiment --data "$inputs/plain.npz" --models early-fusion,early-fusion-drop:learning_rate=1e12:gradient_clip=0,ridge \
  --seeds 1,2 --epochs 2 --batch 8 --draws 20 --quiet --out many >table.txt 2>notes.txt || status=$?
[[ $status == 1 ]] || wrong "a failed training: status $status"
says 'early-fusion-drop:learning_rate=1e12:gradient_clip=0 seed 2, training: epoch 1, .* try a smaller' '2 of 6 trainings failed'
grep -q 'early-fusion-drop.*(failed)' table.txt || wrong "the table does not mark it: $(cat table.txt)"
grep -q '"error"' many/results.json || wrong "results.json does not mark it"
grep -q 'failed' many/report.html || wrong "report.html does not mark it"
exists many/early-fusion/seed-2/model.lacuna
"$lacuna" report many >again.txt
grep -q '(failed)' again.txt || wrong "report forgets it"
