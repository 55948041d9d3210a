# Shared by tests/programs/*.sh: source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
# Runs in an empty folder; LACUNA_BIN names that of the programs.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C
export lacuna=$LACUNA_BIN/lacuna

# A model and a corpus small enough for a test: a run takes a fraction of a second.
export small=(--model sdumc --samples 60 --width 16 --fused 8 --contrast 8 --simulator-epochs 2 --simulator-width 16 --batch 16)

wrong() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# refuses STATUS PATTERN COMMAND...: it exits so, writes nothing to standard output and one line, which matches, to the other,
# besides notes on the data.
refuses() {
  local status=$1 pattern=$2 found=0
  shift 2
  "$@" >refused.out 2>refused.err || found=$?
  sed -i '/^lacuna [a-z]*: note: /d' refused.err
  [[ $found == "$status" ]] || wrong "$*: exit status $found, expected $status: $(cat refused.err)"
  [[ ! -s refused.out ]] || wrong "$*: wrote to standard output: $(head -3 refused.out)"
  [[ $(wc -l <refused.err) == 1 ]] || wrong "$*: expected one line, found: $(cat refused.err)"
  grep -qE -- "$pattern" refused.err || wrong "$*: expected '$pattern', found: $(cat refused.err)"
  rm -f refused.out refused.err
}

# same A B: equal byte for byte.
same() { cmp "$1" "$2" || wrong "$1 and $2 differ"; }
exists() { [[ -e $1 ]] || wrong "$1 is not there"; }
absent() { [[ ! -e $1 ]] || wrong "$1 is there and should not be"; }

# What a run leaves, without the durations: equal for equal runs.
same_results() {
  local folder file
  same "$1/metrics.json" "$2/metrics.json"
  for file in results.csv results.json averages.csv differences.csv curves.csv; do same "$1/$file" "$2/$file"; done
  for folder in "$1"/*/seed-*; do
    folder=${folder#"$1/"}
    for file in model.lacuna predictions.npz predictions.csv; do same "$1/$folder/$file" "$2/$folder/$file"; done
    [[ -e $1/$folder/history.csv ]] || continue # models without epochs have none
    sed 's/,[^,]*$//' "$1/$folder/history.csv" >history.a
    sed 's/,[^,]*$//' "$2/$folder/history.csv" >history.b
    same history.a history.b
  done
  [[ $(cd "$1" && find . | sort) == $(cd "$2" && find . | sort) ]] || wrong "$1 and $2 hold other files: $(find "$1" "$2")"
}
