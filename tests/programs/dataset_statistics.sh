#!/usr/bin/env bash
# The example of statistics: what was put into its data set is found there, the page quotes what it prints, JSON can be
# read, and a file that is not there is an error.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
program=$LACUNA_BIN/dataset_statistics
[[ -x $program ]] || { echo "skipped: dataset_statistics needs xtensor"; exit 77; }
"$program" >found.txt || wrong "dataset_statistics exits with $?"
grep -qx 'test 49 equals train 0, but has another label' found.txt || wrong "the leak is not found"
grep -qE '^audio +train +120 +16\.7 % ' found.txt || wrong "twenty of 120 samples lack audio"
sed -n '/^```console/,/^```$/p' "$LACUNA_SOURCE_DIR/docs/data_statistics.md" | grep -v '^```\|^\$' | sed '/^\.\.\./d' >quoted.txt
[[ -s quoted.txt ]] || wrong "the page quotes nothing"
grep -vxFf found.txt quoted.txt >other.txt && wrong "the page quotes what is not printed: $(cat other.txt)"
"$program" nowhere.npz 2>errors.txt && wrong "a file that is not there is no error"
grep -q 'nowhere.npz' errors.txt || wrong "the error names no file"
file=$LACUNA_DATA_DIR/mosi_dev_wordaligned.npz
if [[ -e $file ]]; then
  "$program" "$file" --json 2>/dev/null | python3 -c '
import json, sys
s = json.load(sys.stdin)
assert s["splits"]["train"]["samples"] == 127 and s["splits"]["train"]["repeated"] == 1, s["splits"]
assert s["splits"]["train"]["modalities"]["audio"]["constant"] == [36]' || wrong "JSON of mosi_dev_wordaligned.npz"
fi
