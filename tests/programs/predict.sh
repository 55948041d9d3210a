#!/usr/bin/env bash
# predict gives what train has written, for every subset of modalities, also for files without some of them or without labels.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
small_set set.npz
for dtype in f32 f64; do
  "$lacuna" train --data set.npz "${small[@]}" --epochs 2 --quiet --dtype $dtype --out $dtype >/dev/null
  model=$dtype/sdumc/seed-1/model.lacuna
  "$lacuna" predict --checkpoint "$model" --data set.npz >complete.csv 2>metrics.txt
  "$lacuna" predict --checkpoint "$model" --data set.npz --missing text --out text.csv 2>/dev/null
  { cat complete.csv; tail -n +2 text.csv; } >both.csv
  same both.csv $dtype/sdumc/seed-1/predictions.csv
  grep -q '^complete' metrics.txt || wrong "no metrics on standard error"

  # a modality that the file lacks is the same as one that is taken away
  archive lacking.npz train_audio.npy train_video.npy train_label.npy test_audio.npy test_video.npy test_label.npy
  "$lacuna" predict --checkpoint "$model" --data lacking.npz --out lacking.csv 2>/dev/null
  sed 's/without-text/complete/' text.csv >expected.csv
  same lacking.csv expected.csv
  # and so for every subset: none of them fails, all differ
  for missing in audio video audio,text text,video audio,text,video; do
    "$lacuna" predict --checkpoint "$model" --data set.npz --missing $missing --out "${missing//,/-}.csv" 2>/dev/null
    [[ $(wc -l <"${missing//,/-}.csv") == 10 ]] || wrong "--missing $missing: not one row per sample"
    ! grep -qi nan "${missing//,/-}.csv" || wrong "--missing $missing gives NaN"
  done
  [[ $(cut -d, -f4 audio-text-video.csv | tail -n +2 | sort -u | wc -l) == 1 ]] || wrong "without any modality all predictions must be one"

  # labels are not needed
  archive unlabelled.npz test_audio.npy test_text.npy test_video.npy
  "$lacuna" predict --checkpoint "$model" --data unlabelled.npz --out unlabelled.csv 2>metrics.txt
  ! grep -v ': note: ' metrics.txt || wrong "metrics without labels: $(cat metrics.txt)"
  cut -d, -f1,2,4 complete.csv >expected.csv
  cut -d, -f1,2,4 unlabelled.csv >found.csv
  same found.csv expected.csv
done
refuses 1 'has no valid split' "$lacuna" predict --checkpoint "$model" --data unlabelled.npz --split valid
refuses 2 "'smell' is not in the data; it has audio, text, video" "$lacuna" predict --checkpoint "$model" --data set.npz --missing smell
floats 27 1 | array test_text.npy '<f4' '9, 3'
archive sizes.npz test_text.npy
refuses 1 "'text' has 3 features, the model expects 4" "$lacuna" predict --checkpoint "$model" --data sizes.npz
floats 27 1 | array test_smell.npy '<f4' '9, 3'
archive stranger.npz test_smell.npy
refuses 1 'none of the modalities that the model knows: audio, text, video' "$lacuna" predict --checkpoint "$model" --data stranger.npz
refuses 1 'cannot be written' "$lacuna" predict --checkpoint "$model" --data set.npz --out no/such/folder.csv

# features far from those that the model was trained on, labels of another kind or class: a line, and predictions all the same
for ((i = 0; i < 27; ++i)); do little $((3000 + 7 * i)) 2; done | array test_audio.npy '<i2' '9, 1, 3'
for ((i = 0; i < 9; ++i)); do little $((i % 4)) 8; done | array test_class.npy '<i8' '9,'
archive far.npz test_audio.npy test_video.npy test_class.npy
"$lacuna" predict --checkpoint "$model" --data far.npz >far.csv 2>notes.txt
[[ $(wc -l <far.csv) == 10 ]] || wrong "odd data: not one row per sample"
grep -q 'note: 3 of 3 features of audio lie elsewhere than those the model was trained on' notes.txt || wrong "other units: $(cat notes.txt)"
! grep -q 'features of video lie elsewhere' notes.txt || wrong "the same units: $(cat notes.txt)"
grep -q 'the test split has classes alone, the model predicts real labels: there are no scores' notes.txt || wrong "classes: $(cat notes.txt)"
for split in train:24 valid:10; do
  for ((i = 0; i < ${split#*:}; ++i)); do little $((i % 3)) 8; done | array ${split%:*}_class.npy '<i8' "${split#*:},"
done
archive classes.npz {train,valid}_{audio,video,class}.npy
"$lacuna" train --data classes.npz "${small[@]}" --quiet --out classes >/dev/null 2>&1
"$lacuna" predict --checkpoint classes/sdumc/seed-1/model.lacuna --data far.npz >far.csv 2>notes.txt
[[ $(wc -l <far.csv) == 10 ]] || wrong "an unknown class: not one row per sample"
grep -q 'the test split has the class 3, the model knows 0..2: there are no scores' notes.txt || wrong "an unknown class: $(cat notes.txt)"
refuses 1 'model.lacuna: is a model that lacuna trained .*, expected a data set' "$lacuna" train --data "$model" --quiet --out none
"$lacuna" describe "$model" >card.txt || wrong "describe of a model"
for line in '  answers   a real label; ' '  stream    audio, 3 features' ' parameters, 0 of them NaN or infinite'; do
  grep -q "$line" card.txt || wrong "describe of a model: no '$line' in $(cat card.txt)"
done
"$lacuna" describe classes/sdumc/seed-1/model.lacuna >card.txt || wrong "describe of a model of classes"
grep -q '  answers   3 classes' card.txt || wrong "describe of a model of classes: $(cat card.txt)"
