#!/usr/bin/env bash
# The laboratory as a user calls it: what it writes and refuses, what --resume keeps, and that interrupted and killed
# experiments end in the same tables.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"

"$lacuna" experiment --help >help.txt
for name in data models ablation seeds protocols metrics reference masks resume config; do
  grep -qE -- "^  --$name\b" help.txt || wrong "experiment --help does not name --$name"
done
"$lacuna" models >models.txt
for name in constant ridge corrkd corrkd-without-scd corrkd-student sdumc sdumc-without-mia sdumc-any; do
  grep -qE -- "^ *$name +[A-Za-z]" models.txt || wrong "models does not explain $name"
done
for model in corrkd sdumc; do "$lacuna" models $model >options.txt; grep -q '^  epochs=' options.txt || wrong "models $model shows no options"; done
rm help.txt models.txt options.txt

refuses 2 "there is no model 'corrk'" "$lacuna" experiment --models corrk
refuses 2 "has no option 'scdd'; it has epochs, batch" "$lacuna" experiment --models corrkd:scdd=0
refuses 2 "option scd: 'much' is not a number" "$lacuna" experiment --models corrkd:scd=much
refuses 2 "option response: 'x' is not one of rcd, kl" "$lacuna" experiment --models corrkd:response=x
refuses 2 "there is no protocol 'p7'" "$lacuna" experiment --protocols p7
refuses 2 "there is no metric 'accuracy' of real labels" "$lacuna" experiment --metrics accuracy
refuses 2 "there is no ablation table of 'ridge'" "$lacuna" experiment --ablation ridge
refuses 2 "'ridge' is not one of the models" "$lacuna" experiment --models sdumc --reference ridge
refuses 2 "'sdumc' is named twice" "$lacuna" experiment --models sdumc,sdumc
refuses 2 'experiment --help explains' "$lacuna" experiment --sedes 1
refuses 1 'no_such.npz' "$lacuna" experiment --data no_such.npz
refuses 1 'nothing/results.json: cannot be opened' "$lacuna" report nothing
: >occupied
refuses 1 'occupied.*: ' lab --out occupied
rm occupied
[[ -z $(ls) ]] || wrong "refusals left files: $(ls)"

# a whole experiment; the tables again from the folder, and the report
lab --out whole >table.txt 2>progress.txt
for file in results.csv results.json averages.csv differences.csv curves.csv timings.csv report.html \
  constant/seed-0/predictions.npz corrkd-student_width=8_num_heads=2_depth=1/seed-2/{predictions.npz,model.lacuna,history.csv}; do
  exists "whole/$file"
done
# constant and ridge once, two models with two seeds; 7 + 11 conditions each
[[ $(wc -l <whole/results.csv) == $((1 + 6 * 18)) ]] || wrong "results.csv has $(wc -l <whole/results.csv) lines"
head -1 whole/results.csv | grep -q '^model,seed,protocol,condition,present,rate,masks,mae,' || wrong "$(head -1 whole/results.csv)"
for word in 'average of incomplete' 'r=2' 'AUILC' ' ± ' 'over the missing rate' 'less that of constant'; do
  grep -q -- "$word" table.txt || wrong "the tables have no '$word'"
done
# at rate 1.0 nothing is left, and every model is the constant predictor
[[ $(grep ',p1-intra,rate-1.0,' whole/results.csv | cut -d, -f7- | sort -u | wc -l) == 1 ]] ||
  wrong "models differ where nothing is present: $(grep ',p1-intra,rate-1.0,' whole/results.csv)"
[[ $(grep -c ',p1-intra,mae,.*,constant$' whole/curves.csv) == 4 ]] || wrong "curves do not end in the constant: $(cat whole/curves.csv)"
"$lacuna" report whole >printed.txt
while IFS= read -r line; do
  grep -qF -- "$line" table.txt || wrong "report shows another line: $line"
done <printed.txt
cp whole/report.html report.before
"$lacuna" report --html whole >/dev/null
same report.before whole/report.html
if command -v python3 >/dev/null; then
  python3 -c 'import json; json.load(open("whole/results.json"))' || wrong "results.json is no JSON"
  python3 -c 'import xml.dom.minidom as x; x.parse("whole/report.html")' || wrong "report.html is not well-formed"
fi

# finished trainings are kept; other options in the same folder are refused; threads do not matter
refuses 2 'whole holds an experiment; --resume goes on with it' lab --out whole
EPOCHS=4
refuses 2 "was trained with 'epochs=3', now it is 'epochs=4'" lab --out whole --resume --quiet
unset EPOCHS
refuses 2 "was trained with '[0-9a-f]*;', now it is" lab --data-seed 8 --out whole --resume --quiet
cp -r whole kept
lab --out kept --resume >/dev/null 2>progress.txt
[[ ! -s progress.txt ]] || wrong "--resume trained again: $(cat progress.txt)"
same_tables whole kept
for jobs in 1 2 5; do
  THREADS=3 lab --quiet --jobs $jobs --out "threads-$jobs" >/dev/null
  same_tables whole "threads-$jobs"
done
refuses 2 '--jobs: -1, expected 0 or more' lab --jobs -1 --out refused
# side by side: every training speaks of itself
lab --jobs 3 --out several >/dev/null 2>progress.txt
same_tables whole several
[[ $(grep -c ' starts$' progress.txt) == 6 && $(grep -c '  done: ' progress.txt) == 6 ]] || wrong "progress: $(cat progress.txt)"
[[ -z $(grep -vE '^[a-z].* seed [012]  (starts|done: .*|([a-z][a-z0-9 ]*  )?epoch [0-9]+/[0-9]+  loss .*)$' progress.txt) ]] || wrong "torn lines: $(cat progress.txt)"
mkdir -p failing/early-fusion_epochs=30/seed-1/history.csv # a folder where a file has to go: known before anything is trained
refuses 1 'history.csv: is not a regular file' "$lacuna" experiment --samples 60 --models modality-dropout-transformer:epochs=5000,early-fusion:epochs=30 \
  --seeds 1 --batch 16 --draws 20 --quiet --jobs 2 --resume --out failing
rm -r failing

# another seed, and another protocol for the models that are there: only what is new is done
SEEDS=1,2,3 lab --out kept --resume >/dev/null 2>progress.txt
[[ $(grep -c starts progress.txt) == 2 ]] || wrong "not only seed 3 was trained: $(cat progress.txt)"
PROTOCOLS=p2 lab --out kept --resume >/dev/null 2>progress.txt
! grep -q 'epoch 1/' progress.txt || wrong "another protocol trained a model again: $(cat progress.txt)"
[[ $(grep -c 'other conditions' progress.txt) == 4 ]] || wrong "models were not used again: $(cat progress.txt)"
PROTOCOLS=p2 lab --quiet --out fresh >/dev/null
same_tables fresh kept

# masks through a file; options from a file, the command line wins
lab --save-masks masks.npz --quiet --out saved >/dev/null
same_tables whole saved
lab --mask-seed 9 --masks masks.npz --quiet --out taken >/dev/null
cut -d, -f7- whole/results.csv >a.txt
cut -d, -f7- taken/results.csv >b.txt
same a.txt b.txt
PROTOCOLS=p4
refuses 1 'masks.npz: holds masks of 18 conditions' lab --masks masks.npz --out refused
unset PROTOCOLS
printf 'samples = 60\nmodels = ["ridge", "sdumc:width=16:fused=8:contrast=8:simulator_width=16", "corrkd-student:width=8:num_heads=2:depth=1"]\nprotocols = ["p1", "p1-intra"]\nseeds = [1, 2]\nepochs = 9\nbatch = 16\ndraws = 100\nthreads = 1\n' >lab.toml
"$lacuna" experiment --config lab.toml --epochs 3 --quiet --out from_file >/dev/null
same_tables whole from_file

# class ids, and an ablation table
class_set set.npz
"$lacuna" experiment --data set.npz --ablation corrkd:depth=1 --models sdumc-any:width=16:fused=8:contrast=8 --epochs 1 --batch 16 --seeds 1 \
  --protocols p1 --draws 20 --quiet --out classes >table.txt
for word in 'accuracy, %' 'f1_weighted, %' corrkd-without-scd:depth=1 corrkd-without-cpd:depth=1 \
  corrkd-without-rcd:depth=1 corrkd-student:depth=1 'less that of corrkd:depth=1'; do
  grep -q -- "$word" table.txt || wrong "the ablation table has no '$word'"
done
exists classes/report.html

# SIGINT: everything is kept, and the command that it names goes on to the same tables
EPOCHS=40 tiny
"${all[@]}" --quiet --out long >/dev/null
mv long left_alone
"${all[@]}" --save-seconds 0 --jobs 2 --out long >interrupted.out 2>interrupted.err &
child=$!
for ((i = 0; i < 3000; ++i)); do
  if grep -q 'sdumc.*epoch 2/40' interrupted.err 2>/dev/null; then break; fi
  sleep 0.01
done
kill -s INT $child
status=0
wait $child || status=$?
[[ $status == 130 ]] || wrong "SIGINT: exit status $status: $(tail -1 interrupted.err)"
[[ ! -s interrupted.out ]] || wrong "results of an unfinished experiment"
absent long/results.json
eval "$(tail -1 interrupted.err | sed 's/.*to go on: //')" >/dev/null 2>&1 || wrong "the command that it names does not go on"
same_tables left_alone long

# a name with many options is longer than a file system takes; names that differ behind what is kept of them stay two
zeros=$(printf '0%.0s' {1..250})
"$lacuna" experiment --samples 60 --protocols none --draws 100 --epochs 1 --out names \
  --models "early-fusion:learning_rate=0.001$zeros,early-fusion:learning_rate=0.002$zeros" >/dev/null 2>names.err ||
  wrong "long names: $(tail -1 names.err)"
folders=(names/early-fusion_*)
[[ ${#folders[@]} == 2 && ${#folders[0]} -lt 130 ]] || wrong "long names lie in ${folders[*]}"

bash "$LACUNA_SOURCE_DIR/tests/support/experiment_kills.sh" 3
