#!/usr/bin/env bash
# The examples that show one thing each: one file of 80 lines at most, which a reader can copy, that checks itself (exit status
# 0) and takes no argument.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

examples=(autoencoders cross_attention dataset_statistics distillation_losses missing_masks optimizers_and_schedules own_loss own_loss_function
  own_model own_operation training_loop)
for name in "${examples[@]}"; do
  source=$LACUNA_SOURCE_DIR/examples/$name.cpp
  (($(wc -l <"$source") <= 80)) || wrong "$source has more than 80 lines"
  grep -q '#include "' "$source" && wrong "$source includes a file of its own: it cannot be copied alone"
  [[ $name == dataset_statistics && ! -x $LACUNA_BIN/$name ]] && continue # needs xtensor
  "$LACUNA_BIN/$name" >"$name.txt" || wrong "$name exits with $?: $(tail -3 "$name.txt")"
done

# What they show. Every modality is better imputed than by its mean, by both ways.
awk 'NR > 2 { ++rows; if ($2 > 0.2 || $3 > 0.8 || $4 > 0.8) bad = 1 } END { exit bad || rows != 3 }' autoencoders.txt ||
  wrong "autoencoders: $(cat autoencoders.txt)"
awk '$1 == "teacher" { teacher = $2 } $1 == "student," { ++students; if ($(NF - 1) >= teacher) bad = 1 }
  END { exit bad || students != 4 || teacher < 55 }' distillation_losses.txt || wrong "distillation: $(cat distillation_losses.txt)"
# Chance is 0.2 % and 1 % among 500.
awk '$2 == "->" && ($5 < 1 || $9 < 5) { bad = 1 } $2 == "->" { ++rows } END { exit bad || rows != 2 }' training_loop.txt ||
  wrong "training_loop: $(cat training_loop.txt)"
grep -qx 'mean over present frames  *4 2.5 0' missing_masks.txt || wrong "missing_masks: $(cat missing_masks.txt)"
