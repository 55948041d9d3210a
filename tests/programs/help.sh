#!/usr/bin/env bash
# --help of every program: exit status 0, every option explained, defaults shown; nothing is written.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

"$lacuna" --help >help.txt || wrong "lacuna --help exits with $?"
for command in train predict experiment report describe models replay version; do
  grep -qE "^  $command +[a-z]" help.txt || wrong "lacuna --help does not explain $command"
done
refuses 2 "there is no command 'trian'; lacuna --help lists them" "$lacuna" trian
refuses 2 "version takes no 'x'" "$lacuna" version x
[[ $("$lacuna" --version) =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || wrong "lacuna --version"
[[ $("$lacuna" version) =~ ^lacuna\ [0-9.]+,\ Eigen\ [0-9.]+ ]] || wrong "lacuna version"
for command in train 'train --model corrkd' 'train --model mmin' predict experiment report describe models replay; do
  # shellcheck disable=SC2086
  "$lacuna" $command --help >help.txt 2>errors.txt || wrong "lacuna $command --help exits with $?"
  [[ ! -s errors.txt ]] || wrong "lacuna $command --help writes to standard error"
  # An option stands alone on its line when its text follows on the next one.
  awk '/^  -/ { if (waiting) { print last; bad = 1 } last = $0; waiting = (NF < 3) ; next }
       waiting { waiting = 0 } END { exit bad || waiting }' help.txt || wrong "lacuna $command --help leaves options unexplained"
done
# what cannot be written is said, and is an error
if [[ -e /dev/full ]]; then
  status=0
  "$lacuna" models >/dev/full 2>errors.txt || status=$?
  [[ $status == 1 && $(cat errors.txt) == 'lacuna: standard output cannot be written: '* ]] || wrong "a full disk: $status, $(cat errors.txt)"
fi
"$lacuna" train --model sdumc --help >help.txt
# CLI11 2.4 and newer show a default as "INT [25]", older ones as "INT=25".
for default in '--epochs TEXT=25' '--batch TEXT=96' '--missing TEXT=text' '--seeds NUMBER,...=[1]' '--draws NUMBER=2000'; do
  grep -qF -e "$default" -e "${default/=/ [}]" help.txt || wrong "train --help does not show $default"
done
for name in data modalities simulated-text imagination padding drop learning-rate weight-decay patience out resume threads dtype config quiet; do
  grep -qE -- "^  --$name\b" help.txt || wrong "train --help does not name --$name"
done
rm help.txt errors.txt
[[ -z $(ls) ]] || wrong "--help left files: $(ls)"
