#!/usr/bin/env bash
# The example with Eigen's matrices: an absent text gets no gradient, lengths come back, and distillation converges.
set -euo pipefail
"$LACUNA_BIN/tensors_and_eigen" >out
[[ $(grep -c '^crossed: [457] frames, 16 features$' out) == 3 ]]
grep -q '^text 0: gradient of length > 0$' out
grep -q '^text 2: gradient exactly 0$' out
grep -qE '^distillation: [0-9.]+ at the start, 0\.00[0-9]+ after 200 steps$' out
