#!/usr/bin/env bash
# --device: programs that were built for the host say so; those for both devices compute on either, or say that there is no GPU.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

refuses 2 '--device' "$train" --device abacus
refuses 1 'train: --device cuda: this program was built for the CPU alone' "$train" "${small[@]}" --device cuda
refuses 1 'predict: --device cuda' "$predict" --checkpoint none --data none --device cuda
[[ -z $(ls) ]] || wrong "a refused device left files: $(ls)"

[[ -x $LACUNA_BIN/train_cuda ]] || { echo "no train_cuda: built without CUDA"; exit 0; }
"$LACUNA_BIN/train_cuda" "${small[@]}" --epochs 1 --quiet --out host >/dev/null
exists host/seed-1/checkpoint.lacuna
if "$LACUNA_BIN/train_cuda" "${small[@]}" --epochs 1 --quiet --device cuda --out gpu >/dev/null 2>why.txt; then
  exists gpu/seed-1/checkpoint.lacuna
else
  rm -rf gpu
  refuses 1 'train: cuda: no GPU can be used here' "$LACUNA_BIN/train_cuda" "${small[@]}" --device cuda --out gpu
  refuses 1 'predict: cuda: no GPU can be used here' "$LACUNA_BIN/predict_cuda" --checkpoint none --data none --device cuda
  absent gpu
  echo "train_cuda and predict_cuda: compiled, not run on a GPU: $(cat why.txt)"
fi
