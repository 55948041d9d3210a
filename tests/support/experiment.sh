# Shared by the tests of the laboratory's program.
# shellcheck shell=bash

# Four models and 18 conditions: about a second. `tiny` fills the array `all`; PROTOCOLS, SEEDS, EPOCHS and THREADS change
# what is usual; `lab` runs it.
tiny() {
  all=("$lacuna" experiment --samples 60 --models 'ridge,sdumc:width=16:fused=8:contrast=8:simulator_width=16,corrkd-student:width=8:num_heads=2:depth=1'
    --protocols "${PROTOCOLS:-p1,p1-intra}" --seeds "${SEEDS:-1,2}" --epochs "${EPOCHS:-3}" --batch 16 --draws 100 --threads "${THREADS:-1}")
}
lab() {
  local all
  tiny
  "${all[@]}" "$@"
}

# All that two equal experiments have in common, byte for byte.
same_tables() {
  local file
  for file in results.csv results.json averages.csv differences.csv curves.csv; do same "$1/$file" "$2/$file"; done
}

# class_set FILE: two modalities and three classes; 30, 12 and 12 samples.
class_set() {
  local split count names=() i
  for split in train:30 valid:12 test:12; do
    count=${split#*:}
    split=${split%:*}
    floats $((count * 4)) $((count + 1)) | array "${split}_left.npy" '<f4' "$count, 4"
    floats $((count * 2)) $((count + 2)) | array "${split}_right.npy" '<f4' "$count, 2"
    for ((i = 0; i < count; ++i)); do little $((i % 3)) 8; done | array "${split}_class.npy" '<i8' "$count,"
    names+=("${split}_left.npy" "${split}_right.npy" "${split}_class.npy")
  done
  archive "$1" "${names[@]}"
  rm "${names[@]}"
}
