#!/usr/bin/env bash
# A truncated, damaged or foreign checkpoint is refused with one line, by predict and by --resume.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"
small_set set.npz
"$lacuna" train --data set.npz "${small[@]}" --epochs 2 --quiet --out run >/dev/null
model=run/sdumc/seed-1/model.lacuna
size=$(wc -c <$model)

# refused_by_both PATTERN FILE: by predict, and by --resume, which finds it in the place of a training to go on with.
mkdir -p resumed/sdumc/seed-1
refused_by_both() {
  refuses 1 "$1" "$lacuna" predict --checkpoint "$2" --data set.npz
  cp "$2" resumed/sdumc/seed-1/unfinished.lacuna
  refuses 1 "$1" "$lacuna" train --data set.npz "${small[@]}" --epochs 2 --quiet --out resumed --resume
}
for part in 0 7 23 24 $((size / 2)) $((size - 1)); do
  head -c "$part" $model >damaged
  refused_by_both 'resumed/sdumc/seed-1/unfinished.lacuna|damaged: ' damaged
done
RANDOM=${LACUNA_TEST_SEED:-$$}
printf 'LACUNA_TEST_SEED=%s\n' "${LACUNA_TEST_SEED:-$$}"
for ((i = 0; i < 20; ++i)); do
  place=$(((RANDOM * 32768 + RANDOM) % size))
  byte=$(od -An -tu1 -j $place -N 1 $model)
  cp $model damaged
  little $((byte ^ (1 << (RANDOM % 8)))) 1 | dd of=damaged bs=1 seek=$place conv=notrunc status=none
  refuses 1 'damaged: ' "$lacuna" predict --checkpoint damaged --data set.npz
done
refused_by_both 'is no lacuna checkpoint' set.npz
cp $model damaged
printf '\xff\xff\xff\xff\xff\xff\xff\x7f' | dd of=damaged bs=1 seek=16 conv=notrunc status=none # announces 2^63 bytes
refused_by_both 'are announced' damaged
refuses 1 'cannot be opened' "$lacuna" predict --checkpoint gone --data set.npz
"$lacuna" predict --checkpoint $model --data set.npz >/dev/null 2>&1 || wrong "the intact one is refused"
