#!/usr/bin/env bash
# From sound files to predictions: streams of clips, SDUMC trained on them, judged by what a language model hears in them.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/wav.sh"
oracle=${LACUNA_ORACLE_DIR:-$LACUNA_SOURCE_DIR/../shared/oracle}/speech_llm
[[ -e $oracle/chain.npz ]] || { echo "skipped: $oracle is not here"; exit 77; }
models=$oracle/models

# Four clips, each with another beginning in every place where it comes again, and labels made for the purpose.
mkdir clips
labels=(1.2 2.1 -1.3 0.4)
words=('the food was good but the service was slow' 'i really loved this movie and the music in it'
  'she said that the price is much too high' 'we drove along the coast until the rain began')
echo clip,split,label,text >clips.csv
count=0
for split in train train train valid test; do
  for k in 0 1 2 3; do
    name=$split-$count.wav
    clip "$oracle/chain.npz" "clip$k/wave" "clips/$name" $((count * 8))
    echo "$name,$split,${labels[k]},${words[k]}" >>clips.csv
    count=$((count + 1))
  done
done
clip "$oracle/chain.npz" clip0/wave whole.wav 0

extract=("$lacuna" extract --sound clips --model "$models/wavlm_large_like" --layer -3)
everything=("${extract[@]}" --manifest clips.csv --language "$models/vicuna_like" --projector "$models/projector" --new-tokens 40
  --quiet --out streams --set set.npz)
"${everything[@]}" >first
grep -q '^streams: 20 clips, 20 made now$' first
grep -q '^  train-0: the food was good but the service was slow$' first
cp set.npz once.npz
"${everything[@]}" >again # all is there
grep -q '^streams: 20 clips, 0 made now$' again
same set.npz once.npz
printf damaged >streams/test-17.npz
rm streams/train-3.npz
"${everything[@]}" >third # what is damaged or gone is made again
grep -q '^streams: 20 clips, 2 made now$' third
same set.npz once.npz
"${extract[@]}" --out audio --format npy --quiet --jobs 1 >audio.out
exists audio/test-17.audio.npy
exists audio/test-17.json

"$lacuna" train --model sdumc --data set.npz --simulated-text simulated --seeds 1 --epochs 3 --width 16 --fused 8 --contrast 8 --batch 4 --out run >train.out
checkpoint=$(find run -name model.lacuna | head -1)
"$LACUNA_BIN/speech_to_sentiment" "$checkpoint" "$models/wavlm_large_like" "$models/vicuna_like" "$models/projector" \
  whole.wav clips/test-17.wav --layer -3 --new-tokens 40 >said
grep -qE '^whole.wav  [+-][0-9.]+  "the food was good but the service was slow"$' said
[[ $(wc -l <said) == 2 ]] || wrong "speech_to_sentiment: $(cat said)"

# One line for what is wrong; the other clips are made all the same.
refuses 2 'nothing to extract' "$lacuna" extract --sound clips --out none
refuses 2 'sum4' "$lacuna" extract --sound clips --model "$models/wavlm_large_like" --language-states last --out none
sed '3s/,[^,]*,[^,]*$/,high,good/' clips.csv >wrong.csv # before any clip is heard
refuses 1 "wrong.csv: row 2 has 'high' in column 'label', expected a number" "${extract[@]}" --manifest wrong.csv --out none
# Classes by name, of which one is not known: the others keep theirs.
awk -F, 'NR == 1 { print "clip,split,class" } NR > 1 { print $1 "," $2 "," (NR == 2 ? "" : NR % 2 ? "glad" : "angry") }' clips.csv >named.csv
"${extract[@]}" --manifest named.csv --out named --set named.npz --quiet >named.out 2>named.err
grep -q 'named.npz: 1 of 12 clips of train have no label and are left out' named.err
"$lacuna" describe named.npz >named.txt
grep -q glad named.txt
refuses 1 'has no sounds' "$lacuna" extract --sound run --model "$models/wavlm_large_like" --out none
refuses 1 'cannot be opened' "$lacuna" extract --sound clips --model nowhere --out none
mkdir some
cp whole.wav some/good.wav
head -c 100 whole.wav >some/short.wav
status=0
"$lacuna" extract --sound some --model "$models/wavlm_large_like" --out some.out --quiet >out 2>err || status=$?
[[ $status == 1 ]] || wrong "a damaged clip: status $status"
grep -q 'short: some/short.wav: claims .* it is truncated' err
grep -q '1 of 2 clips failed' err
exists some.out/good.npz
