#!/usr/bin/env bash
# The example of a model of one's own: it trains, loses with what is missing, comes back from its state, and the page that
# explains it shows the code that is compiled.
set -euo pipefail
"$LACUNA_BIN/own_model" >out
grep -qx 'restored: the same predictions' out
mae() { awk -v condition="$1" '$1 == condition { print $2 }' out; }
awk -v complete="$(mae complete)" -v textless="$(mae without-text)" \
  'BEGIN { exit !(complete > 0 && complete < 0.5 && textless > complete && textless < 0.75) }'
awk '/^```cpp/ { inside = 1; next } /^```/ { inside = 0 } inside' "$LACUNA_SOURCE_DIR/docs/research/baselines.md" >shown
[[ -s shown ]]
awk 'NR == FNR { line[$0] = 1; next } !($0 in line) { print "not in own_model.cpp: " $0; bad = 1 } END { exit bad }' \
  "$LACUNA_SOURCE_DIR/examples/own_model.cpp" shown
