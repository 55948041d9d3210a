#!/usr/bin/env bash
# --device: programs that were built for the host say so; those for both devices compute on either, or say that there is no GPU.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

refuses 2 '--device' "$lacuna" train --device abacus
refuses 1 'lacuna train: --device cuda: this program was built for the CPU alone' "$lacuna" train "${small[@]}" --device cuda
refuses 1 'lacuna predict: --device cuda' "$lacuna" predict --checkpoint none --data none --device cuda
[[ -z $(ls) ]] || wrong "a refused device left files: $(ls)"

both=$LACUNA_BIN/lacuna_cuda
[[ -x $both ]] || { echo "no lacuna_cuda: built without CUDA, or not asked for (target lacuna_cuda_program)"; exit 0; }
"$both" train "${small[@]}" --epochs 1 --quiet --out host >/dev/null
exists host/sdumc/seed-1/model.lacuna
if "$both" train "${small[@]}" --epochs 1 --quiet --device cuda --out gpu >/dev/null 2>why.txt; then
  exists gpu/sdumc/seed-1/model.lacuna
else
  rm -rf gpu
  refuses 1 'lacuna train: cuda: no GPU can be used here' "$both" train "${small[@]}" --device cuda --out gpu
  absent gpu
  echo "lacuna_cuda: compiled, not run on a GPU: $(cat why.txt)"
fi
