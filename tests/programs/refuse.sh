#!/usr/bin/env bash
# What is wrong on the command line or in the data: one line, a non-zero exit status, and no folder of results.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
source "$LACUNA_SOURCE_DIR/tests/support/npz.sh"

# the command line: 2
refuses 2 'epochen' "$lacuna" train --epochen 3
refuses 2 'stray' "$lacuna" train stray
refuses 2 "option epochs: 'many' is not a whole number" "$lacuna" train --epochs many
refuses 2 'epochs is 0, expected at least 1' "$lacuna" train --epochs 0
refuses 2 'batch is -4' "$lacuna" train --batch -4
refuses 2 'learning_rate is nan' "$lacuna" train --learning-rate nan
refuses 2 'weight_decay is -1' "$lacuna" train --weight-decay -1
refuses 2 'decay_every|step_decay|staircase' "$lacuna" train --decay-every 0
refuses 2 '--seeds' "$lacuna" train --seeds one
refuses 2 '--seeds: 2 is named twice' "$lacuna" train --seeds 1,2,2
refuses 2 '--padding.*masked' "$lacuna" train --model sdumc --padding none
refuses 2 '--imagination' "$lacuna" train --model sdumc --imagination on
refuses 2 '--dtype' "$lacuna" train --dtype f16
refuses 2 "there is no model 'other'; there are constant, ridge" "$lacuna" train --model other
refuses 2 "option weight_text: 'none' is not a number" "$lacuna" train --model sdumc --weight-text none
refuses 2 '--threads: -1' "$lacuna" train --threads -1
# numbers are read whole and in their range, wherever they come from
refuses 2 '--seeds: -1, expected 0 or more' "$lacuna" train --seeds 1,-1
refuses 2 "--seeds: '0x10' is not a whole number" "$lacuna" train --seeds 0x10
refuses 2 '--seeds: 99999999999999999999, expected at most 18446744073709551615' "$lacuna" train --seeds 99999999999999999999
refuses 2 '--mask-seed: -5, expected 0 or more' "$lacuna" train --mask-seed -5
refuses 2 '--data-seed: -5, expected 0 or more' "$lacuna" describe --data-seed -5
refuses 2 "--threads: '2.5' is not a whole number" "$lacuna" train --threads 2.5
refuses 2 '--threads: 100000, expected at most 1024' "$lacuna" train --threads 100000
refuses 2 '--draws: 100000000000000, expected at most 1000000' "$lacuna" experiment --draws 100000000000000
refuses 2 '--save-seconds: nan, expected 0 or more' "$lacuna" train --save-seconds nan
refuses 2 "--batch: '' is not a whole number" "$lacuna" predict --checkpoint a --data b --batch ''
refuses 2 'OMP_NUM_THREADS: 100000, expected at most 1024' env OMP_NUM_THREADS=100000 "$lacuna" train
printf 'seeds = [1, -2]\n' >numbers.toml
refuses 2 '--seeds: -2, expected 0 or more' "$lacuna" train --config numbers.toml
printf 'threads = 1e1\n' >numbers.toml
refuses 2 "--threads: '1e1' is not a whole number" "$lacuna" train --config numbers.toml
printf 'quiet = perhaps\n' >numbers.toml
refuses 2 'quiet' "$lacuna" train --config numbers.toml
refuses 2 'exclude each other' "$lacuna" train --resume --overwrite
refuses 2 '--samples: 0, expected 1 or more' "$lacuna" train --samples 0
refuses 2 'width' "$lacuna" train "${small[@]}" --quiet --width 0
refuses 2 'dropout' "$lacuna" train "${small[@]}" --quiet --dropout 1.5
refuses 2 "option missing: 'smell' is no modality of the data; they have audio, text, video" "$lacuna" train --model sdumc --missing smell
refuses 2 '--modalities needs --data' "$lacuna" train --modalities audio,text
refuses 2 'config|no\.toml' "$lacuna" train --config no.toml
printf 'epochs = 2\nepochen = 3\n' >typo.toml
refuses 2 'epochen' "$lacuna" train --config typo.toml
printf 'epochs = many\n' >typo.toml
refuses 2 'epochs' "$lacuna" train --config typo.toml
refuses 2 '--checkpoint is required' "$lacuna" predict --data x.npz
refuses 2 '--split' "$lacuna" predict --checkpoint a --data b --split dev

# files and data: 1 (2 where an option names what the data do not have)
refuses 1 'gone\.npz: cannot be opened: No such file' "$lacuna" train --data gone.npz
refuses 1 '.: is a folder with neither features/ and label' "$lacuna" train --data .
printf 'no archive at all\n' >text.npz
refuses 1 'text\.npz: ' "$lacuna" train --data text.npz
: >empty.npz
refuses 1 'empty\.npz: ' "$lacuna" train --data empty.npz
refuses 2 '--data: is empty, expected a file or a folder' "$lacuna" train --data ''
refuses 2 'file: is empty, expected a file or a folder' "$lacuna" describe ''
printf '\2\0\0\0\0\0\0\0{}' >none.safetensors
refuses 1 'has no tensors under names' "$lacuna" convert none.safetensors x.npz

small_set set.npz
head -c 700 set.npz >short.npz
refuses 1 'short\.npz: ' "$lacuna" train --data short.npz
refuses 2 "'smell' is not in the file; set.npz has audio, text, video" "$lacuna" train --data set.npz --modalities audio,smell
refuses 2 "'smell' is no modality of the data" "$lacuna" train --model sdumc --data set.npz --missing smell
refuses 2 "set.npz has no 'smell'" "$lacuna" train --model sdumc --data set.npz --simulated-text smell
refuses 2 "has no label array" "$lacuna" train --data set.npz --label gone
refuses 2 'two modalities' "$lacuna" train --model sdumc --quiet --data set.npz --modalities text --missing text
refuses 2 "2 of 'video', expected 4" "$lacuna" train --quiet --data set.npz --simulated-text video "${small[@]}" --out made_too_late
absent made_too_late

floats 16 1 | array train_text.npy '<f4' '4, 4'
floats 24 2 | array train_label.npy '<f4' '24,'
archive samples.npz train_text.npy train_label.npy
refuses 1 "samples.npz: array 'train_label' has 24 samples, expected 4" "$lacuna" train --data samples.npz
floats 16 1 | array train_text.npy '<f4' '2, 2, 2, 2'
archive rank.npz train_text.npy train_label.npy
refuses 1 'rank.npz: ' "$lacuna" train --data rank.npz
floats 48 1 | array train_text.npy '<f4' '24, 2' # one feature would be the shape of a label
floats 48 3 | array train_audio.npy '<f4' '24, 2'
archive no_validation.npz train_text.npy train_audio.npy train_label.npy
refuses 1 'there are no samples for validation' "$lacuna" train --quiet --data no_validation.npz "${small[@]}" --out made_too_late
absent made_too_late

# damaged so that the C library of HDF5 itself may break down, by its version: a line and status 1 all the same
for file in address_beyond_all chunk_of_zero; do
  mkdir $file
  cp "$LACUNA_SOURCE_DIR/tests/programs/damaged/$file.h5" $file/audio.csd
  refuses 1 "$file(/audio.csd)?: " "$lacuna" describe $file
  refuses 1 "$file(/audio.csd)?: " "$lacuna" train --data $file
done

# a folder that cannot be written
: >occupied
refuses 1 'occupied.*: ' "$lacuna" train "${small[@]}" --out occupied/runs
refuses 1 'occupied.*: ' "$lacuna" train "${small[@]}" --out occupied

absent runs

# a list has no empty items, on the command line or in a file
for list in 1,,2 1, ,1 ''; do refuses 2 "--seeds: '$list' has an empty item" "$lacuna" train --seeds "$list"; done
refuses 2 "--exclude: 'a,,b' has an empty item" "$lacuna" train --exclude a,,b
refuses 2 "--models: 'ridge,,mmin' has an empty item" "$lacuna" experiment --models ridge,,mmin
