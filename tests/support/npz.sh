# Writing .npz files without Python, for tests/programs/*.sh.
# shellcheck shell=bash

# little NUMBER BYTES
little() {
  local number=$1 i
  for ((i = 0; i < $2; ++i)); do
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((number & 255)))"
    number=$((number >> 8))
  done
}

# floats COUNT SEED: that many numbers out of eight, as float32.
floats() {
  local table=('\x00\x00\x00\xc0' '\x00\x00\x80\xbf' '\x00\x00\x00\xbf' '\x00\x00\x00\x00'
    '\x00\x00\x00\x3f' '\x00\x00\x80\x3f' '\x00\x00\x00\x40' '\x00\x00\x40\x40') i state=$2
  for ((i = 0; i < $1; ++i)); do
    state=$(((state * 1103515245 + 12345) & 2147483647))
    # shellcheck disable=SC2059
    printf "${table[(state >> 16) & 7]}"
  done
}

# array FILE DESCR SHAPE <PAYLOAD: one .npy file.
array() {
  local header="{'descr': '$2', 'fortran_order': False, 'shape': ($3), }"
  while (((${#header} + 11) % 64)); do header+=' '; done
  {
    printf '\x93NUMPY\x01\x00'
    little $((${#header} + 1)) 2
    printf '%s\n' "$header"
    cat
  } >"$1"
}

# archive FILE NAME.npy...: a stored zip of these files.
archive() {
  local out=$1 name size offset=0 count=0
  shift
  : >"$out"
  : >"$out.directory"
  for name; do
    size=$(($(wc -c <"$name")))
    gzip -c "$name" | tail -c 8 | head -c 4 >"$out.crc"
    {
      printf 'PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x21\x00'
      cat "$out.crc"
      little "$size" 4
      little "$size" 4
      little ${#name} 2
      printf '\x00\x00%s' "$name"
      cat "$name"
    } >>"$out"
    {
      printf 'PK\x01\x02\x14\x00\x14\x00\x00\x00\x00\x00\x00\x00\x21\x00'
      cat "$out.crc"
      little "$size" 4
      little "$size" 4
      little ${#name} 2
      printf '\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
      little "$offset" 4
      printf '%s' "$name"
    } >>"$out.directory"
    offset=$((offset + 30 + ${#name} + size))
    count=$((count + 1))
  done
  cat "$out.directory" >>"$out"
  {
    printf 'PK\x05\x06\x00\x00\x00\x00'
    little "$count" 2
    little "$count" 2
    little "$(($(wc -c <"$out.directory")))" 4
    little "$offset" 4
    printf '\x00\x00'
  } >>"$out"
  rm "$out.directory" "$out.crc"
}

# small_set FILE: audio (N, 5, 3), text (N, 4), video (N, 2), labels; 24, 10 and 9 samples.
small_set() {
  local split count names=()
  for split in train:24 valid:10 test:9; do
    count=${split#*:}
    split=${split%:*}
    floats $((count * 15)) "$count" | array "${split}_audio.npy" '<f4' "$count, 5, 3"
    floats $((count * 4)) $((count + 1)) | array "${split}_text.npy" '<f4' "$count, 4"
    floats $((count * 2)) $((count + 2)) | array "${split}_video.npy" '<f4' "$count, 2"
    floats "$count" $((count + 3)) | array "${split}_label.npy" '<f4' "$count,"
    names+=("${split}_audio.npy" "${split}_text.npy" "${split}_video.npy" "${split}_label.npy")
  done
  archive "$1" "${names[@]}"
}
