#!/usr/bin/env bash
# The example of an operation of one's own: its gradient is right, it trains, and its graph can be drawn.
set -euo pipefail
"$LACUNA_BIN/own_operation" >out
grep -qE '^gradient: 20 entries, largest error [0-9.]+e-(0[7-9]|1[0-9])$' out
grep -qE '^loss: 0\.[0-9]+ at the start, 0\.00[0-9]+ after 300 steps$' out
grep -q 'label="dead_zone\\n(64, 1)"' out
grep -q 'label="weight\\n(1, 4)", shape=box' out
