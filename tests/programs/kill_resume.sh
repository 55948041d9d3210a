#!/usr/bin/env bash
# kill_resume.sh [KILLS]: kills the program at random moments, resumes, and compares with a run that was left alone: every
# byte of checkpoints and predictions must be the same. KILLS (6 unless told) of each of two trainings: SDUMC, whose decoder
# comes first, and CorrKD, whose teacher does; over as many runs as it takes. Says in which phases the kills fell.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
kills=${1:-6}
RANDOM=${LACUNA_TEST_SEED:-$$}
printf 'LACUNA_TEST_SEED=%s\n' "${LACUNA_TEST_SEED:-$$}"

# phase_of FOLDER: of the training that is not finished, what its checkpoint says.
phase_of() {
  local file found
  file=$(find "$1" -name unfinished.lacuna 2>/dev/null | tail -1 || true)
  [[ -n $file ]] || { echo 'no checkpoint yet' && return; }
  found=$(grep -aoP '(?s)training/phase.{9}\K(decoder|teacher 1 of 1)' "$file" | tr -d '\0' | head -1 || true)
  echo "${found:-training}"
}

# survives NAME OPTIONS...: the training of NAME with these options.
survives() {
  local name=$1 begin length child moment status done=0 round=0
  local -A fell=()
  shift
  begin=$(date +%s%N)
  "$lacuna" train "$@" --out "$name" >/dev/null
  length=$((($(date +%s%N) - begin) / 1000000)) # milliseconds
  while ((done < kills)); do
    round=$((round + 1))
    rm -rf killed
    while ((done < kills)); do
      "$lacuna" train "$@" --out killed --resume >/dev/null &
      child=$!
      moment=$(((RANDOM * 32768 + RANDOM) % (length + 1)))
      sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
      status=0
      kill -KILL $child 2>/dev/null || true
      wait $child 2>/dev/null || status=$?
      if ((status == 0)); then break; fi # it was faster
      ((status == 137)) || wrong "exit status $status"
      done=$((done + 1))
      phase=$(phase_of killed)
      fell[$phase]=$((${fell[$phase]:-0} + 1))
    done
    "$lacuna" train "$@" --out killed --resume >/dev/null || wrong "resuming failed"
    same_results "$name" killed
  done
  printf '%s: %s kills in %s runs' "$name" "$done" "$round"
  for phase in "${!fell[@]}"; do printf '; %s: %s' "$phase" "${fell[$phase]}"; done
  printf '\n'
}

# A checkpoint after every epoch, so that what goes on is seldom the beginning.
common=(--seeds 1,2 --quiet --threads 1 --save-seconds 0)
survives sdumc --model sdumc --samples 60 --width 16 --fused 8 --contrast 8 --batch 16 --epochs 12 --simulator-epochs 12 --simulator-width 16 "${common[@]}"
survives corrkd --model corrkd --width 8 --num-heads 2 --depth 1 --samples 60 --batch 16 --epochs 8 "${common[@]}"
