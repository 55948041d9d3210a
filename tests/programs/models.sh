#!/usr/bin/env bash
# One door for every model of the registry: `train` trains it, `predict` takes away each modality, and the predictor gives the
# same numbers from C++, from C and from Python; on real labels and classes, sequences and vectors, in both precisions.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/experiment.sh"
small_set real.npz
class_set classes.npz

# single_set FILE NAME:FEATURES:FRAMES...: one test sample whose every feature is 0.25, as the examples of the predictor have it: one frame of
# every modality.
single_set() {
  local out=$1 part name features frames i names=()
  shift
  for part; do
    IFS=: read -r name features frames <<<"$part"
    for ((i = 0; i < features * frames; ++i)); do printf '\x00\x00\x80\x3e'; done | array "test_$name.npy" '<f4' "1, $frames, $features"
    names+=("test_$name.npy")
  done
  archive "$out" "${names[@]}"
  rm "${names[@]}"
}
single_set one_real.npz audio:3:1 text:4:1 video:2:1
single_set one_classes.npz left:4:1 right:2:1

# close A B: two lists of "name value", equal within 1e-6.
close() {
  paste -d ' ' "$1" "$2" | awk '{ gap = $2 - $4; gap = gap < 0 ? -gap : gap; size = $2 < 0 ? -$2 : $2
    if ($1 != $3 || gap > 1e-6 * (size > 1 ? size : 1)) { print; bad = 1 } } END { exit bad || NR == 0 }' ||
    wrong "$3: $1 and $2 differ"
}

# settings MODEL: the smallest sizes among the options that it has.
settings() {
  local option
  "$lacuna" models "$1" >options.txt
  for option in epochs=1 batch=16 width=8 hidden=8 fused=8 contrast=4 num_heads=2 depth=1 layers=1 simulator_width=8 \
    simulator_epochs=1 ae_layers=8/4 blocks=1 critic_hidden=4 teacher_count=1 text_hidden=4 first_hidden=4 second_hidden=4 \
    text_out=4 memory=4 attention_hidden=4 update_hidden=4 keep_hidden=4 write_hidden=4 inner=4 first_out=4 second_out=4 \
    text_post=4 first_post=4 second_post=4 low_hidden=4 high_hidden=4 stream_frames=8/8/8 mixer_frames=8 mixer_hidden=4/3/4 \
    mixer_out=4/3/4 projected=1 time_heads=2 gru_layers=1 fused_sizes=4/4/4 cls_layers=8 graph_hidden=4 flow_steps=2 \
    flow_hidden=4 score_frames=8 score_channels=8/8/8 score_embedding=4 sampler_steps=2; do
    if grep -q "^  ${option%%=*}=" options.txt; then
      option=--${option//_/-}
      printf '%s %s ' "${option%%=*}" "${option#*=}"
    fi
  done
}

count=0
for model in $("$lacuna" models | sed -n 's/^\([a-z][^ ]*\) .*/\1/p'); do
  for data in real classes; do
    [[ $model == ridge && $data == classes ]] && continue
    # the published models are made of three modalities, and say so
    if [[ $data == classes && $model =~ ^(tfn|lmf|mult|misa|self-mm|mmim|mfn|graph-mfn|cubemlp|dmd|mctn|lnln|tfr-net|dicmor|imder)$ ]]; then
      refused=0
      "$lacuna" train --data classes.npz --model "$model" --quiet --out refused >refused.txt 2>&1 || refused=$?
      ((refused)) && grep -qE 'two other modalities|real labels' refused.txt || wrong "$model on two modalities: $refused, $(cat refused.txt)"
      rm -rf refused refused.txt
      continue
    fi
    dtype=$([[ $data == real || $model =~ ^(cra|ae|gcnet|smil)$ ]] && echo f32 || echo f64) # the published models have no f64
    # shellcheck disable=SC2046
    "$lacuna" train --data $data.npz --model "$model" --dtype $dtype --draws 10 --quiet --out run $(settings "$model") >/dev/null ||
      wrong "train --model $model on $data"
    file=run/$model/$([[ $model == constant || $model == ridge ]] && echo seed-0 || echo seed-1)/model.lacuna
    names=$([[ $data == real ]] && echo 'audio text video' || echo 'left right')
    # what train has written is what predict says
    "$lacuna" predict --checkpoint "$file" --data $data.npz --export all.csv 2>/dev/null
    grep -E '^[^,]*,complete,' "${file%model.lacuna}predictions.csv" >expected.csv
    tail -n +2 all.csv | cmp - expected.csv || wrong "$model on $data: predict differs from train"
    # with each modality missing, and through every door
    : >predicted.txt
    for missing in '' $names; do
      "$lacuna" predict --checkpoint "$file" --data one_$data.npz ${missing:+--missing $missing} --export one.csv
      printf '%s %s\n' "${missing:-all}" "$(tail -1 one.csv | cut -d, -f4)" >>predicted.txt
    done
    "$LACUNA_BIN/predictor" "$file" | sed 's/^without //; s/:/ /; s/  */ /' >cpp.txt
    close cpp.txt predicted.txt "$model on $data, C++"
    if [[ -x $LACUNA_BIN/predictor_c ]]; then
      "$LACUNA_BIN/predictor_c" "$file" | sed 's/^without //; s/:/ /; s/  */ /' >c.txt
      same c.txt cpp.txt
    fi
    if command -v python3 >/dev/null && [[ -e $LACUNA_BIN/liblacuna_predict.so ]]; then
      python3 "$LACUNA_SOURCE_DIR/examples/predictor.py" "$LACUNA_BIN/liblacuna_predict.so" "$file" |
        sed 's/^without //; s/:/ /; s/  */ /' >python.txt
      same python.txt cpp.txt
    fi
    if [[ $data == classes ]]; then
      "$lacuna" predict --checkpoint "$file" --data $data.npz --probabilities --export p.csv 2>/dev/null
      [[ $(head -1 p.csv) == id,condition,label,prediction,p_0,p_1,p_2 ]] || wrong "$model: $(head -1 p.csv)"
      refuses 2 'has no option|there is no metric' "$lacuna" predict --checkpoint "$file" --data $data.npz --metrics mae --export q.csv
    else
      refuses 2 'which have none' "$lacuna" predict --checkpoint "$file" --data $data.npz --probabilities
    fi
    rm -rf run
    count=$((count + 1))
  done
done
((count >= 21)) || wrong "only $count trainings"
echo "$count models and data sets through every door"

for door in "$LACUNA_BIN/predictor" "$LACUNA_BIN/predictor_c"; do
  [[ ! -x $door ]] || refuses 1 '^predictor: gone.lacuna: cannot be opened' "$door" gone.lacuna
  [[ ! -x $door ]] || refuses 1 '^predictor: real.npz: is no lacuna checkpoint' "$door" real.npz
done

# what one command has made the others read: experiment → predict, train → report
"$lacuna" experiment --data classes.npz --models early-fusion:hidden=8 --epochs 1 --seeds 1 --draws 10 --quiet --out lab --class-names a,b,c >/dev/null
"$lacuna" predict --checkpoint lab/early-fusion_hidden=8/seed-1/model.lacuna --data classes.npz --export named.csv 2>/dev/null
[[ $(head -1 named.csv) == id,condition,label,prediction,class ]] || wrong "class names are lost: $(head -1 named.csv)"
"$lacuna" predict --checkpoint lab/early-fusion_hidden=8/seed-1/model.lacuna --data classes.npz --probabilities --export named.npz --metrics uar 2>uar.txt
grep -qE '^uar [0-9.]+$' uar.txt || wrong "--metrics uar: $(cat uar.txt)"
exists named.npz
refuses 2 '2 names for 3 classes' "$lacuna" train --data classes.npz --class-names a,b --model early-fusion
"$lacuna" train --data classes.npz --model early-fusion --epochs 1 --draws 10 --quiet --out made >/dev/null
"$lacuna" report made >made.txt; grep -q accuracy made.txt || wrong "report does not show what train has made"
if command -v python3 >/dev/null; then
  python3 -c 'import json, sys; card = json.load(open("made/early-fusion/seed-1/model.json")); sys.exit(not (card["test"] and card["data"]["crc32"] and card["command"]))' ||
    wrong "model.json lacks something"
fi

# --dry-run trains nothing that stays; describe
"$lacuna" train --data real.npz --model corrkd --epochs 2 --dry-run --out dry >dry.txt
absent dry
for word in '^  teacher 1 of 1: [0-9]* numbers, 2 epochs of [0-9]* batches (24 samples), about ' '^  training: [0-9]* numbers, 2 epochs' 'conditions of the test split'; do grep -q "$word" dry.txt || wrong "--dry-run: $(cat dry.txt)"; done
# all: every model that can take the data, the others say why
"$lacuna" experiment --data classes.npz --models all --epochs 1 --dry-run >all.txt 2>left_out.txt || true
grep -q 'note: tfn is left out: .*two other modalities' left_out.txt || wrong "--models all: $(cat left_out.txt)"
"$lacuna" describe --data real.npz >described.txt
for word in '^train *24 ' '^audio *train *24 ' '^label *count' 'crc32'; do grep -q "$word" described.txt || wrong "describe: $(cat described.txt)"; done
refuses 1 'gone.npz: cannot be opened' "$lacuna" describe --data gone.npz
refuses 2 'no model' "$lacuna" models nothing
