#!/usr/bin/env bash
# --help of every program: exit status 0, every option explained, defaults shown; nothing is written.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

for program in train predict; do
  "$LACUNA_BIN/$program" --help >help.txt 2>errors.txt || wrong "$program --help exits with $?"
  [[ ! -s errors.txt ]] || wrong "$program --help writes to standard error"
  # An option stands alone on its line when its text follows on the next one.
  awk '/^  -/ { if (waiting) { print last; bad = 1 } last = $0; waiting = (NF < 3) ; next }
       waiting { waiting = 0 } END { exit bad || waiting }' help.txt || wrong "$program --help leaves options unexplained"
  [[ $("$LACUNA_BIN/$program" --version) =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || wrong "$program --version"
done
"$train" --help >help.txt
# CLI11 2.4 and newer show a default as "INT [25]", older ones as "INT=25".
for default in '--epochs INT=25' '--batch INT=96' '--missing TEXT=text' '--seeds UINT=[1]' '--save-every INT=1'; do
  grep -qF -e "$default" -e "${default/=/ [}]" help.txt || wrong "train --help does not show $default"
done
for name in data modalities simulated-text imagination padding preset learning-rate weight-decay patience out resume threads dtype config quiet; do
  grep -qE -- "^  --$name\b" help.txt || wrong "train --help does not name --$name"
done
rm help.txt errors.txt
[[ -z $(ls) ]] || wrong "--help left files: $(ls)"
