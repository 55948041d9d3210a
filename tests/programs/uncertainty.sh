#!/usr/bin/env bash
# Ensembles, intervals, explanations and the shares of classes, from training to prediction and report.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"
small_set real.npz
class_set classes.npz

"$lacuna" train --data real.npz --model early-fusion-drop --epochs 2 --seeds 1,2 --ensemble --draws 10 --quiet --out real >out.txt
grep -q '^  ensemble of 2 ' out.txt || wrong "train does not show the ensemble: $(cat out.txt)"
together=real/early-fusion-drop/ensemble.lacuna
"$lacuna" ensemble real/early-fusion-drop/seed-* --data real.npz --out own.lacuna >/dev/null
same own.lacuna $together
"$lacuna" predict --checkpoint own.lacuna --data real.npz --intervals 0.5 --explain why.csv --out all.csv 2>notes.txt
[[ $(head -1 all.csv) == id,condition,label,prediction,lower,upper,deviation ]] || wrong "columns: $(head -1 all.csv)"
[[ $(head -1 why.csv) == id,modality,prediction,without,change ]] || wrong "columns: $(head -1 why.csv)"
awk -F, 'NR > 1 && !($5 <= $4 && $4 <= $6 && $7 >= 0) { exit 1 }' all.csv || wrong "an answer is outside its interval"
awk -F, 'NR > 1 { d = $3 - $4 - $5; if (d > 1e-9 || d < -1e-9) exit 1 }' why.csv || wrong "changes are no differences"
grep -q 'note: without text the prediction changes by' notes.txt || wrong "nothing is said of the changes"
# the mean of the members, by their files
for seed in 1 2; do "$lacuna" predict --checkpoint real/early-fusion-drop/seed-$seed/model.lacuna --data real.npz --out $seed.csv 2>/dev/null; done
paste -d, all.csv 1.csv 2.csv | awk -F, 'NR > 1 { d = $4 - ($11 + $15) / 2; if (d > 1e-6 || d < -1e-6) exit 1 }' || wrong "no mean of the members"
"$lacuna" predict --checkpoint own.lacuna --data real.npz --intervals 0.999 --out sure.csv 2>notes.txt
grep -q 'intervals are infinite' notes.txt || wrong "too few errors are not said"
grep -q '"half_width_of_90_percent"' real/early-fusion-drop/seed-1/model.json || wrong "model.json tells no widths"
grep -q 'What each modality is worth' real/report.html || wrong "the report has no bars"
cp real/report.html before.html
"$lacuna" report real --html
same before.html real/report.html
refuses 2 "is an ensemble itself" "$lacuna" ensemble real/early-fusion-drop/seed-1 own.lacuna --out no.lacuna

"$lacuna" train --data classes.npz --model early-fusion --epochs 2 --prior uniform --temperature on --balance weights --draws 10 --quiet --out classes >/dev/null
model=classes/early-fusion/seed-1/model.lacuna
"$lacuna" predict --checkpoint $model --data classes.npz --out all.csv 2>/dev/null
grep ',complete,' classes/early-fusion/seed-1/predictions.csv >expected.csv
tail -n +2 all.csv | cmp - expected.csv || wrong "predict differs from train"
grep -q '"temperature"' classes/early-fusion/seed-1/model.json || wrong "model.json tells no temperature"
"$lacuna" predict --checkpoint $model --data classes.npz --prior estimated --probabilities --explain why.csv --out p.csv 2>notes.txt
grep -q 'answers assume classes with the shares' notes.txt || wrong "the shares are not said"
refuses 2 'intervals are of real labels' "$lacuna" predict --checkpoint $model --data classes.npz --intervals 0.9
refuses 2 '2 shares for 3 classes' "$lacuna" predict --checkpoint $model --data classes.npz --prior 0.5/0.5
refuses 2 'real labels' "$lacuna" predict --checkpoint own.lacuna --data real.npz --prior uniform
refuses 2 'needs at least two --seeds' "$lacuna" train --data real.npz --ensemble --out no
refuses 2 'expected at least two' "$lacuna" ensemble $model --out no.lacuna
refuses 2 'has other streams than' "$lacuna" ensemble $model real/early-fusion-drop/seed-1 --out no.lacuna
