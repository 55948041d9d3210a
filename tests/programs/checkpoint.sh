#!/usr/bin/env bash
# A truncated, damaged or foreign checkpoint is refused with one line, by predict and by --resume.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
small_set set.npz
"$train" --data set.npz "${small[@]}" --epochs 2 --quiet --out run >/dev/null
model=run/seed-1/checkpoint.lacuna
size=$(wc -c <$model)

# refused_by_both PATTERN FILE: by predict and by --resume, which finds it in the place of its own.
refused_by_both() {
  refuses 1 "$1" "$predict" --checkpoint "$2" --data set.npz
  cp "$2" run/seed-1/checkpoint.lacuna.kept
  mv $model intact
  mv run/seed-1/checkpoint.lacuna.kept $model
  refuses 1 "$1" "$train" --data set.npz "${small[@]}" --epochs 2 --quiet --out run --resume
  mv intact $model
}
for part in 0 7 23 24 $((size / 2)) $((size - 1)); do
  head -c "$part" $model >damaged
  refused_by_both 'run/seed-1/checkpoint.lacuna|damaged: ' damaged
done
RANDOM=${LACUNA_TEST_SEED:-$$}
printf 'LACUNA_TEST_SEED=%s\n' "${LACUNA_TEST_SEED:-$$}"
for ((i = 0; i < 20; ++i)); do
  place=$(((RANDOM * 32768 + RANDOM) % size))
  byte=$(od -An -tu1 -j $place -N 1 $model)
  cp $model damaged
  little $((byte ^ (1 << (RANDOM % 8)))) 1 | dd of=damaged bs=1 seek=$place conv=notrunc status=none
  refuses 1 'damaged: ' "$predict" --checkpoint damaged --data set.npz
done
refused_by_both 'is no lacuna checkpoint' set.npz
cp $model damaged
printf '\xff\xff\xff\xff\xff\xff\xff\x7f' | dd of=damaged bs=1 seek=16 conv=notrunc status=none # announces 2^63 bytes
refused_by_both 'are announced' damaged
refuses 1 'cannot be opened' "$predict" --checkpoint gone --data set.npz
"$predict" --checkpoint $model --data set.npz >/dev/null 2>&1 || wrong "the intact one is refused"
