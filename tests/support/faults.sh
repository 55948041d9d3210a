#!/usr/bin/env bash
# faults.sh [EACH]: one call of the C library fails, in every command of the program, and what it leaves is looked at. EACH: how
# many of the calls of a kind in a command, evenly spread; 2 unless told, by LACUNA_FAULTS too; `all` of them takes hours.
# Right is: status 1 and one line, or status 0 where the program can do without the call; never a signal. A finished run is as it
# was, or as its successor is; and --resume brings every run to the end it would have had.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
source "$LACUNA_SOURCE_DIR/tests/support/wav.sh"
each=${1:-${LACUNA_FAULTS:-2}}
export OMP_WAIT_POLICY=passive # set: the program does not start itself once more
library=${LACUNA_FAULT_LIBRARY:?the library made of faults.cpp}

small_set set.npz
options=(--model sdumc --data set.npz --width 8 --fused 8 --contrast 8 --simulator-epochs 1 --simulator-width 8 --batch 16 --epochs 1 --threads 1 --quiet)
"$lacuna" train "${options[@]}" --out before >/dev/null 2>&1
"$lacuna" train "${options[@]}" --seeds 1,2 --out after >/dev/null 2>&1
model=before/sdumc/seed-1/model.lacuna
"$lacuna" predict --checkpoint $model --data set.npz --out before.csv 2>/dev/null
# what the other commands write: an experiment, a converted data set, a replay and streams of clips, the last two with files that are
# not in the repository
several=(experiment --data set.npz --models ridge,early-fusion:epochs=1:hidden=8 --seeds 1 --batch 16 --draws 20 --threads 1 --quiet)
"$lacuna" "${several[@]}" --out several >/dev/null 2>&1
"$lacuna" convert set.npz converted.npz >/dev/null 2>&1
oracle=${LACUNA_ORACLE_DIR:-$LACUNA_SOURCE_DIR/../shared/oracle}
replay=(replay corrkd --file "$oracle/corrkd_net.npz" --case k3)
if [[ -e $oracle/corrkd_net.npz ]]; then "$lacuna" "${replay[@]}" --out replayed.npz >/dev/null; fi
extract=(extract --sound clips --model "$oracle/speech_llm/models/wavlm_large_like" --layer -3 --jobs 1 --quiet)
if [[ -e $oracle/speech_llm/chain.npz ]]; then
  mkdir clips
  for k in 0 1; do clip "$oracle/speech_llm/chain.npz" "clip$k/wave" "clips/$k.wav" 0; done
  "$lacuna" "${extract[@]}" --out streams >/dev/null
fi
tried=0 refused=0 json=0

# fault CALL:N COMMAND...: runs it so; status, and what it said
fault() {
  local call=$1
  shift
  status=0
  LACUNA_FAULT=$call LD_PRELOAD=$library "$lacuna" "$@" >out.txt 2>err.txt || status=$?
  tried=$((tried + 1))
  ((status == 0)) && return
  refused=$((refused + 1))
  # nlohmann-json's destructor asks for memory; where it gets none the process ends, and nobody can do anything.
  if [[ $status == 134 && $call == malloc:* ]] && grep -q "^terminate called .*'std::bad_alloc'" err.txt; then
    json=$((json + 1))
    return
  fi
  ((status == 1)) || wrong "$call of $*: status $status: $(cat err.txt)"
  [[ $(grep -cvE '^lacuna [a-z]+: (note: |[0-9]+ of [0-9]+ (trainings|clips) failed|.* has failed: differences)' err.txt) == 1 ]] || wrong "$call of $*: expected one line, found: $(cat err.txt)"
}
# numbers CALL COMMAND...: which of its calls fail, one after the other
numbers() {
  local count call=$1
  shift
  LACUNA_FAULT=$call:0 LACUNA_FAULT_COUNT=count.txt LD_PRELOAD=$library "$lacuna" "$@" >/dev/null 2>&1
  count=$(cat count.txt)
  if [[ $each == all ]] || ((count <= each)); then seq 1 "$count"; else seq 1 "$((count / each))" "$count"; fi
}

for call in malloc write fsync close rename open mkdir; do
  # what only reads
  for command in "describe --data set.npz" "report before" "models corrkd" "predict --checkpoint $model --data set.npz" "train --help"; do
    # shellcheck disable=SC2086
    for n in $(numbers $call $command); do fault "$call:$n" $command; done
  done
  # a file is the old one or the new one
  for n in $(rm -f new.csv; numbers $call predict --checkpoint $model --data set.npz --missing text --out new.csv); do
    cp before.csv file.csv
    fault "$call:$n" predict --checkpoint $model --data set.npz --missing text --out file.csv
    cmp -s file.csv before.csv || same file.csv new.csv
    ((status != 134)) || rm -f -- *.tmp-*
    [[ -z $(find . -maxdepth 1 -name '*.tmp-*') ]] || wrong "$call:$n leaves $(ls)"
  done
  # a run is the old one, or the new one as a whole, and goes on
  for n in $(cp -r before run; numbers $call train "${options[@]}" --seeds 1,2 --overwrite --out run; rm -r run); do
    cp -r before run
    fault "$call:$n" train "${options[@]}" --seeds 1,2 --overwrite --out run
    if [[ $status == 1 && ! -e run/new-run/complete ]] && ! cmp -s run/results.json after/results.json; then
      for file in metrics.json results.json report.html sdumc/seed-1/{model.lacuna,predictions.npz,predictions.csv}; do
        same run/$file before/$file
      done
    fi
    if [[ -e run/new-run ]]; then
      "$lacuna" train "${options[@]}" --seeds 1,2 --resume --out run >/dev/null 2>err.txt || wrong "$call:$n: resuming: $(cat err.txt)"
    fi
    cmp -s run/results.json before/results.json || same_results run after
    rm -r run
  done
  # one file that a command makes: the old one, or the whole new one
  for made in converted replayed; do
    [[ -e $made.npz ]] || continue
    command=(convert set.npz file.npz)
    [[ $made == converted ]] || command=("${replay[@]}" --out file.npz)
    rm -f file.npz
    for n in $(numbers $call "${command[@]}"); do
      rm -f file.npz
      fault "$call:$n" "${command[@]}"
      [[ ! -e file.npz ]] || same file.npz $made.npz
      ((status != 0)) || exists file.npz
      ((status != 134)) || rm -f -- *.tmp-*
      [[ -z $(find . -maxdepth 1 -name '*.tmp-*') ]] || wrong "$call:$n leaves $(ls)"
    done
  done
  # an experiment goes on to the same tables
  for n in $(numbers $call "${several[@]}" --out lab); do
    rm -rf lab
    fault "$call:$n" "${several[@]}" --out lab
    ((status == 0)) || "$lacuna" "${several[@]}" --resume --out lab >/dev/null 2>err.txt || wrong "$call:$n: resuming: $(cat err.txt)"
    for file in results.csv results.json averages.csv differences.csv; do same lab/$file several/$file; done
  done
  # streams: the next call makes what is not there
  if [[ -e clips ]]; then
    rm -rf again
    for n in $(numbers $call "${extract[@]}" --out again); do
      rm -rf again
      fault "$call:$n" "${extract[@]}" --out again
      ((status == 0)) || "$lacuna" "${extract[@]}" --out again >/dev/null 2>err.txt || wrong "$call:$n: once more: $(cat err.txt)"
      for file in streams/*; do same "again/${file#streams/}" "$file"; done
    done
  fi
done
printf '%s faults, %s of them refused, %s in the destructor of JSON\n' "$tried" "$refused" "$json"
