#!/usr/bin/env bash
# Every data set in other programs' formats ($LACUNA_FORMATS_DIR, else shared/fixtures/formats beside the checkout) through
# `lacuna train`, one epoch of SDUMC and of CorrKD; what cannot be trained on is refused with its reason. Skipped where they
# are not.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
fixtures=${LACUNA_FORMATS_DIR:-$LACUNA_SOURCE_DIR/../shared/fixtures/formats}
[[ -d $fixtures ]] || { echo "skipped: no fixtures in $fixtures"; exit 77; }

declare -A tried=()
tiny=(--epochs 1 --batch 4 --threads 1 --quiet --overwrite --draws 2 --out run)
sdumc=(--model sdumc --width 8 --fused 4 --contrast 4 --simulator-epochs 1 --simulator-width 4)
corrkd=(--model corrkd --width 20 --teacher-epochs 1)

# trains SET OPTION...: both models, or those of $models, come to their end with a finite loss, and scores where there are labels
trains() {
  local set=$1 model
  shift
  tried[$set]=1
  for model in ${models:-sdumc corrkd}; do
    local -n options=$model
    "$lacuna" train --data "$fixtures/$set" "${options[@]}" "${tiny[@]}" "$@" >table.txt 2>notes.txt ||
      wrong "$set, $model: $(grep -v 'note: ' notes.txt)"
    grep -qE "^  $model |has no labels: predictions only" table.txt || wrong "$set, $model: no scores: $(cat table.txt)"
    [[ $(tail -1 run/$model/seed-1/history.csv | cut -d, -f3) =~ ^-?[0-9.e+-]+$ ]] || wrong "$set, $model: no finite loss"
  done
}
# refused SET PATTERN OPTION...: neither model trains, and the reason matches
refused() {
  local set=$1 pattern=$2 model
  shift 2
  tried[$set]=1
  for model in ${models:-sdumc corrkd}; do
    local -n options=$model
    local status=0
    "$lacuna" train --data "$fixtures/$set" "${options[@]}" "${tiny[@]}" "$@" >/dev/null 2>notes.txt || status=$?
    [[ $status == [12] ]] || wrong "$set, $model: status $status: $(cat notes.txt)"
    grep -v 'note: ' notes.txt | grep -qE -- "$pattern" || wrong "$set, $model: no '$pattern' in: $(cat notes.txt)"
  done
}

for set in aligned sims fet_proto5 fet_proto5_np1 list_valued; do trains mmsa/$set.pkl; done
trains mmsa/unaligned.pkl --non-finite zero
trains mmsa/nan_label.pkl --unlabelled drop
trains mmsa/no_valid.pkl --holdout .4
refused mmsa/unaligned.pkl "'test_vision' holds 1 NaN"
refused mmsa/nan_label.pkl '1 of 6 labels are NaN.*--unlabelled drop'
refused mmsa/no_valid.pkl 'no samples for validation'
refused mmsa/fet_tensors.pkl 'PyTorch tensor inside a plain pickle'
refused mmsa/single_sample.pkl 'no samples for training'
refused mmsa/bad_length.pkl 'gives sample 1 the length 999'
refused mmsa/bad_counts.pkl 'test/vision has 3 samples, expected 4'
refused mmsa/ragged_object.pkl 'the 6 samples of train have no labels'
for set in misa_mosi misa_mosei mmim_unaligned mag_bert.pkl; do trains misa/$set; done
refused misa/misa_urfunny/train.pkl 'no samples for validation'
refused misa/misa_urfunny/train.pkl 'the training split has no ids' --holdout .3
refused misa/misa_urfunny 'has train.pkl and no other split'
refused misa/bad_dim.pkl 'sample 1 of test_vision has 5 features, expected 6'
refused misa/zero_length.pkl 'no samples for training'
# the ids of these stand in several splits
trains mult/mosi_data.pkl --allow-leak splits
trains mult/mosei_senti_data_noalign.pkl --allow-leak splits
trains mult/iemocap_data.pkl --part happy --allow-leak splits
trains mult/multibench_humor.pkl
trains mult/lmf_mosi_py2.pkl
refused mult/lmf_iemocap_py2.pkl 'the 4 samples of train have no labels' --part happy # its pairs name no class
refused mult/mosi_data.pkl 'ids stand in two splits'
refused mult/lmf_iemocap_py2.pkl 'one data set for each of angry.*--part angry'
trains dialogue/dialoguernn_iemocap_py2.pkl --holdout .5
trains dialogue/meld_features_raw.pkl --holdout .5
models=corrkd trains dialogue/bclstm_py2.pkl --holdout .5 # one stream
models=sdumc refused dialogue/bclstm_py2.pkl 'needs at least two modalities, found 1' --holdout .5
refused dialogue/gcnet_cmumosi.pkl 'its features are folders of NAME.npy: --features'
refused dialogue/gcnet_iemocap.pkl 'its features are folders of NAME.npy: --features'
refused dialogue/meld_audio_embeddings.pkl 'the 4 samples of train have no labels'
refused dialogue/meld_bimodal.pkl 'the 3 samples of train have no labels'
refused dialogue/meld_data_emotion.p 'is a pickle of a list of 6, no data set of a form that is known'
models=corrkd trains dialogue/urfunny # covarep is all there is
models=sdumc refused dialogue/urfunny 'needs at least two modalities, found 1'
trains mertools
trains mertools --features audio=wavlm-base-FRA,text=bert-base-chinese-4-UTT,video=manet_FRA
trains mat/multiview_v5.mat --holdout .4
trains mat/multiview_v5_compressed.mat --holdout .4
trains mat/multiview_transposed.mat --holdout .4
trains mat/multiview_v73.mat --holdout .4
refused mat/v4.mat 'MATLAB level 4'
refused mat/kinds_v5.mat 'expected views .* and labels'
if "$lacuna" describe "$fixtures/csd" >csd.txt 2>&1; then trains csd; else refused csd 'written by a later HDF5'; fi
models=corrkd trains h5/mmin --holdout .4
models=sdumc refused h5/mmin 'needs at least two modalities, found 1' --holdout .4
refused h5 'is a folder with neither features/'
for set in mfn_X_train mfn_y_train mfn_audio; do refused h5/$set.h5 'is one HDF5 file; data sets are the folder of them'; done
refused csv 'has no features; expected tables features/FEATURE/VIDEO/CLIP.csv'
refused npz/stored.npz 'no array is named train_, valid_ or test_'

# nothing of a data set's form was passed over
while read -r file; do
  found=
  for set in "${!tried[@]}"; do [[ $file/ == "$set"/* ]] && found=1; done
  [[ $found ]] || wrong "$file was not tried"
done < <(cd "$fixtures" && find mmsa misa mult dialogue mat csd h5 -type f ! -name '*.expected.*' ! -name '*.pt' ! -name kinds.h5)
echo "${#tried[@]} data sets"
