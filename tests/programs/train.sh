#!/usr/bin/env bash
# A whole run: what it writes, where, and what a second one in the same folder does.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"

"$lacuna" train "${small[@]}" --epochs 3 --seeds 1,2 >table.txt 2>progress.txt
for file in metrics.json results.json report.html sdumc/seed-{1,2}/{model.lacuna,model.json,history.csv,predictions.csv}; do exists "runs/synthetic/$file"; done
[[ $(find runs -type f | wc -l) == 25 ]] || wrong "other files: $(find runs -type f)"
for word in complete without-text constant ridge sdumc 'best attainable' 'of the way'; do
  grep -q -- "$word" table.txt || wrong "the table has no '$word'"
done
[[ $(grep -c 'sdumc seed [12]  epoch [123]/3 ' progress.txt) == 6 ]] || wrong "progress is not one line per epoch: $(cat progress.txt)"
! grep -q $'[\r\033]' progress.txt || wrong "progress redraws itself where there is no terminal"

[[ $(wc -l <runs/synthetic/sdumc/seed-1/history.csv) == 4 ]] || wrong "history has not one row per epoch"
head -1 runs/synthetic/sdumc/seed-1/history.csv | grep -q '^epoch,learning_rate,loss,full,missing,.*,valid_complete_mae,.*,valid_without-text_mae,.*,score,best,seconds$' ||
  wrong "columns of the history: $(head -1 runs/synthetic/sdumc/seed-1/history.csv)"
[[ $(wc -l <runs/synthetic/sdumc/seed-1/predictions.csv) == 61 ]] || wrong "predictions: not 30 samples under two conditions and a title"
[[ $(head -1 runs/synthetic/sdumc/seed-1/predictions.csv) == id,condition,label,prediction ]] || wrong "title of the predictions"
for word in '"seed": 2' '"mean"' '"standard_deviation"' '"constant"' '"ridge"' '"best_attainable"' '"pearson": null' '"lacuna": "'; do
  grep -qF -- "$word" runs/synthetic/metrics.json || wrong "metrics.json has no $word"
done
! grep -qiE '\b(nan|inf)\b' runs/synthetic/metrics.json || wrong "metrics.json holds NaN, which is no JSON"
if command -v python3 >/dev/null; then
  python3 -c 'import json; json.load(open("runs/synthetic/metrics.json"))' || wrong "metrics.json is no JSON"
fi

# --quiet says nothing but the results
"$lacuna" train "${small[@]}" --epochs 3 --seeds 1,2 --quiet --out quiet >quiet.txt 2>errors.txt
[[ ! -s errors.txt ]] || wrong "--quiet is not quiet: $(cat errors.txt)"
same_results runs/synthetic quiet

# the same again: replaced by the same; other options: refused, with the first difference
"$lacuna" train "${small[@]}" --epochs 3 --seeds 1,2 --quiet >/dev/null
same_results runs/synthetic quiet
refuses 2 "was trained with 'epochs=3', now it is 'epochs=4'" "$lacuna" train "${small[@]}" --epochs 4 --seeds 1,2
refuses 2 'holds sdumc/seed-2 of another run' "$lacuna" train "${small[@]}" --epochs 3 --seeds 1
same_results runs/synthetic quiet
"$lacuna" train "${small[@]}" --epochs 4 --seeds 1 --quiet --overwrite >/dev/null
absent runs/synthetic/sdumc/seed-2
# a resumed run that is finished only shows its results; a further seed is trained beside it
"$lacuna" train "${small[@]}" --epochs 4 --seeds 1 --resume >/dev/null 2>progress.txt
[[ ! -s progress.txt ]] || wrong "--resume trained a finished seed again"
"$lacuna" train "${small[@]}" --epochs 4 --seeds 1,2 --resume >/dev/null 2>progress.txt
grep -q 'seed 2' progress.txt || wrong "--resume did not train the new seed"
! grep -q 'seed 1' progress.txt || wrong "--resume trained a finished seed again"

# options from a file; the command line wins; a preset yields to both
printf 'samples = 60\nwidth = 16\nfused = 8\ncontrast = 8\nsimulator-epochs = 2\nsimulator-width = 16\nbatch = 16\nepochs = 9\nseeds = [1, 2]\n' >run.toml
"$lacuna" train --model sdumc --config run.toml --epochs 3 --quiet --out from_file >/dev/null
same_results from_file quiet
"$lacuna" train "${small[@]:2}" --epochs 3 --model sdumc-published --quiet --out published >/dev/null
grep -q 'learning_rate=1e-04 .*order=published .*padding=published' published/metrics.json || wrong "sdumc-published is not what it says"
"$lacuna" train "${small[@]:2}" --epochs 3 --model sdumc-published --learning-rate 1e-3 --quiet --out published_lr >/dev/null
grep -q 'learning_rate=0.001 .*order=published ' published_lr/metrics.json || wrong "the command line does not win over the model"
# the model itself and its options from a file
printf 'model = "corrkd-student"\nsamples = 60\nwidth = 8\nnum-heads = 2\ndepth = 1\nepochs = 1\nbatch = 16\n' >model.toml
"$lacuna" train --config model.toml --quiet --out other >/dev/null
exists other/corrkd-student/seed-1/model.lacuna
# seeds side by side, each with its own lines: the same bytes
"$lacuna" train "${small[@]}" --epochs 3 --seeds 1,2 --jobs 2 --threads 2 --quiet --out beside >/dev/null
same_results beside quiet

# a data set from a file; f64; a simulated stream; two modalities; another one that may be missing
small_set set.npz
"$lacuna" train --data set.npz "${small[@]}" --epochs 2 --quiet >/dev/null
exists runs/set/metrics.json
! grep -q best_attainable runs/set/metrics.json || wrong "a file has no known best error"
"$lacuna" train --data set.npz "${small[@]}" --epochs 2 --quiet --dtype f64 --modalities video,audio --missing audio --out two >/dev/null
grep -q without-audio two/sdumc/seed-1/predictions.csv || wrong "--missing has no effect"
