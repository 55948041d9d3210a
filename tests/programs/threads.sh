#!/usr/bin/env bash
# 1, 2 and 3 threads: the same bytes in the checkpoint, the predictions and the metrics.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
# large enough that the work is shared: more frames than one chunk
options=(--samples 400 --width 64 --fused 32 --simulator-epochs 1 --epochs 2 --quiet)
for count in 1 2 3; do "$train" "${options[@]}" --threads $count --out threads-$count >/dev/null; done
same_results threads-1 threads-2
same_results threads-1 threads-3
