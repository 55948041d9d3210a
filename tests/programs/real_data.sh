#!/usr/bin/env bash
# Real data sets: the programs run on them, or say in one line why not.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
[[ -e $LACUNA_DATA_DIR/mosi_utt_bclstm.npz ]] || {
  echo "no data in $LACUNA_DATA_DIR"
  exit 77
}
quick=(--width 32 --fused 16 --simulator-epochs 2 --epochs 2 --quiet)

"$train" --data "$LACUNA_DATA_DIR/mosi_utt_bclstm.npz" "${quick[@]}" >table.txt
# ridge regression, as computed by others on the same data (.954)
grep -qE '^  ridge +0\.954' table.txt || wrong "ridge differs from the published number: $(cat table.txt)"
[[ $(wc -l <runs/mosi_utt_bclstm/seed-1/predictions.csv) == $((2 * 752 + 1)) ]] || wrong "not one row per sample and condition"

"$train" --data "$LACUNA_DATA_DIR/mosi_dev_wordaligned.npz" "${quick[@]}" >/dev/null
exists runs/mosi_dev_wordaligned/metrics.json

refuses 2 "'text' is absent from all 220 training samples" "$train" --data "$LACUNA_DATA_DIR/mmmo_seq.npz" "${quick[@]}"
"$train" --data "$LACUNA_DATA_DIR/mmmo_seq.npz" --modalities audio,video --missing audio "${quick[@]}" --out mmmo >/dev/null
exists mmmo/metrics.json
refuses 1 'has classes, sdumc predicts real labels' "$train" --data "$LACUNA_DATA_DIR/mfeat_six_views.npz" "${quick[@]}"
