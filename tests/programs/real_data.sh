#!/usr/bin/env bash
# Real data sets: the programs run on them, or say in one line why not.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
[[ -e $LACUNA_DATA_DIR/mosi_utt_bclstm.npz ]] || {
  echo "no data in $LACUNA_DATA_DIR"
  exit 77
}
quick=(--model sdumc --width 32 --fused 16 --simulator-epochs 2 --epochs 2 --quiet)

"$lacuna" train --data "$LACUNA_DATA_DIR/mosi_utt_bclstm.npz" "${quick[@]}" >table.txt
# ridge regression, as computed by others on the same data (.954)
grep -qE '^  ridge +0\.954' table.txt || wrong "ridge differs from the published number: $(cat table.txt)"
[[ $(wc -l <runs/mosi_utt_bclstm/sdumc/seed-1/predictions.csv) == $((2 * 752 + 1)) ]] || wrong "not one row per sample and condition"

"$lacuna" train --data "$LACUNA_DATA_DIR/mosi_dev_wordaligned.npz" "${quick[@]}" >/dev/null
exists runs/mosi_dev_wordaligned/metrics.json

refuses 2 "'text' is absent from all 220 training samples" "$lacuna" train --data "$LACUNA_DATA_DIR/mmmo_seq.npz" "${quick[@]}"
"$lacuna" train --data "$LACUNA_DATA_DIR/mmmo_seq.npz" --modalities audio,video --missing audio "${quick[@]}" --out mmmo >/dev/null
exists mmmo/metrics.json

# six views and class ids; any subset may be missing
refuses 2 "'text' is no modality of the data; they have fou, fac, kar, pix, zer, mor" "$lacuna" train --data "$LACUNA_DATA_DIR/mfeat_six_views.npz" --missing text "${quick[@]}"
"$lacuna" train --data "$LACUNA_DATA_DIR/mfeat_six_views.npz" --missing pix --drop mplmm "${quick[@]}" >table.txt
grep -q accuracy table.txt || wrong "class ids are not scored as classes: $(cat table.txt)"
[[ $(wc -l <runs/mfeat_six_views/sdumc/seed-1/predictions.csv) == $((13 * 500 + 1)) ]] || wrong "not one row per sample and condition"
"$lacuna" predict --checkpoint runs/mfeat_six_views/sdumc/seed-1/model.lacuna --data "$LACUNA_DATA_DIR/mfeat_six_views.npz" --missing fou,fac --out classes.csv 2>metrics.txt
[[ -z $(cut -d, -f4 classes.csv | tail -n +2 | grep -v '^[0-9]$') ]] || wrong "a prediction is no class"
grep -q accuracy metrics.txt || wrong "predict does not score classes"
