#!/usr/bin/env bash
# A finished run stays until its successor is finished: whether that is interrupted, killed while it takes the place, or finds no
# room on the disk.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
run=("$lacuna" train "${small[@]}" --threads 1 --out run --epochs)
alone=("$lacuna" train "${small[@]}" --threads 1 --out left_alone --epochs)

"${run[@]}" 3 --quiet >/dev/null
cp -r run before
"${alone[@]}" 60 --quiet >/dev/null

# interrupted: the old run is as it was, the new one goes on beside it, by the command that the message names
"${run[@]}" 60 --overwrite >out.txt 2>progress.txt &
child=$!
for ((i = 0; i < 3000; ++i)); do
  if grep -q 'epoch 2/60' progress.txt 2>/dev/null; then break; fi
  sleep 0.01
done
kill -s INT $child
status=0
wait $child || status=$?
[[ $status == 130 ]] || wrong "SIGINT: status $status: $(cat progress.txt)"
for file in metrics.json results.json sdumc/seed-1/{model.lacuna,predictions.npz}; do same run/$file before/$file; done
exists run/new-run/sdumc/seed-1/unfinished.lacuna
refuses 2 'holds an unfinished run; --resume goes on with it' "${run[@]}" 60
tail -1 progress.txt | grep -q -- "to go on: .*train .*--resume\$" || wrong "$(tail -1 progress.txt)"
! tail -1 progress.txt | grep -q -- --overwrite || wrong "both cannot be named: $(tail -1 progress.txt)"
eval "$(tail -1 progress.txt | sed 's/.*to go on: //')" >/dev/null 2>&1 || wrong "the command that it names does not go on"
same_results run left_alone

# killed while it takes the place: the next program in the folder ends that
rm -r run
cp -r before run
cp -r left_alone run/new-run
(cd run/new-run && find . -type f | sed 's|^\./||' | sort >../list && mv ../list complete)
mv run/new-run/results.json run/results.json
"${run[@]}" 60 --resume >/dev/null 2>progress.txt
[[ ! -s progress.txt ]] || wrong "trained again: $(cat progress.txt)"
same_results run left_alone

# no room: one line, status 1, and the old run
rm -r run
cp -r before run
status=0
(
  trap '' XFSZ
  ulimit -f 8 # kB
  "${run[@]}" 4 --overwrite --quiet
) >out.txt 2>errors.txt || status=$?
[[ $status == 1 && $(grep -c 'File too large' errors.txt) == 1 ]] || wrong "status $status: $(cat errors.txt)"
rm -r run/new-run
same_results run before
