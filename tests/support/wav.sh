# Sound files for tests/programs/*.sh, of the waves that an .npz holds. Needs npz.sh.
# shellcheck shell=bash

# number FILE OFFSET BYTES: as stored, lowest byte first.
number() { od -An -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# clip FILE NAME OUT DROP: a float32 vector of a stored .npz as a WAV file of 16 kHz, without its first DROP numbers.
clip() {
  local name=$2.npy at start skip count
  at=$(LC_ALL=C grep -abo -m 1 "$name" "$1" | sed -n '1s/:.*//p')
  start=$((at + ${#name} + $(number "$1" $((at - 2)) 2)))
  skip=$((10 + $(number "$1" $((start + 8)) 2)))
  count=$(dd if="$1" bs=1 skip="$start" count="$skip" 2>/dev/null | tr -cd '[:print:]' | sed -nE "s/.*'shape': \(([0-9]+),\).*/\1/p")
  count=$((count - $4))
  {
    printf 'RIFF'
    little $((4 * count + 36)) 4
    printf 'WAVEfmt '
    little 16 4
    little 3 2
    little 1 2
    little 16000 4
    little 64000 4
    little 4 2
    little 32 2
    printf 'data'
    little $((4 * count)) 4
    dd if="$1" iflag=skip_bytes,count_bytes bs=64k skip=$((start + skip + 4 * $4)) count=$((4 * count)) 2>/dev/null
  } >"$3"
}
