#!/usr/bin/env bash
# The examples print what their guides quote: every line of the guide, its words the same, its numbers within rounding.
set -uo pipefail
data=$LACUNA_DATA_DIR/mfeat_six_views.npz
[[ -e $data ]] || { echo "skipped: $data is not here"; exit 77; }
status=0
for call in "imputation autoencoders" "distillation distillation_losses fou" "alignment training_loop fac kar"; do
  read -r guide program rest <<<"$call"
  guide=$LACUNA_SOURCE_DIR/docs/guide_$guide.md
  # shellcheck disable=SC2086  # several words
  "$LACUNA_BIN/$program" "$data" $rest >found.txt || { echo "$program fails"; status=1; continue; }
  sed -n '/^```console/,/^```$/p' "$guide" | grep -v '^```\|^\$' >quoted.txt
  # Another processor rounds otherwise, and training carries that on: 3 points, or a tenth of a number below 1.
  paste -d '\n' quoted.txt found.txt | awk -v program="$program" '
    NR % 2 { split($0, quoted); fields = NF; line = $0; next }
    {
      good = NF == fields
      for (i = 1; good && i <= NF; ++i) {
        a = quoted[i]; b = $i
        if (a ~ /^[0-9.]+$/ && b ~ /^[0-9.]+$/) { gap = a > b ? a - b : b - a; good = gap <= (a < 1 ? 0.1 * a + 0.01 : 3) }
        else good = a == b
      }
      if (!good) { printf "%s\n  the guide: %s\n  the program: %s\n", program, line, $0; bad = 1 }
    }
    END { exit bad || NR == 0 }' || status=1
done
exit $status
