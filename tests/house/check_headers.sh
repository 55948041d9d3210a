#!/usr/bin/env bash
# check_headers.sh COMPILER INCLUDE_DIR PATH_FILE: compiles every header alone, twice in one file, warnings as errors.
# Without OpenMP, and with no other flag than the language: what a user gets who just adds the include path.
# A header of an optional part is passed over (and named) when the library it needs is not installed.
set -uo pipefail
export compiler=$1 include=$2
export flags="-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror -I$include"
while read -r path; do
  # Not -isystem: a default system folder named with it breaks #include_next of the standard library.
  [[ -z $path || $path == "$include" ]] || flags+=" -idirafter $path"
done <"$3"

# shellcheck disable=SC2086  # a function sent to other shells cannot take an array along
check() {
  local header=$1 log
  if log=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    "$compiler" $flags -x c++ - 2>&1); then
    return 0
  fi
  if [[ $header == lacuna/@(interop|distributed|io|lab)/* ]] &&
    missing=$(grep -oE "fatal error: '?(mpi\.h|nccl\.h|xtensor/[a-z_/.]+|cereal/[a-z_/.]+|nlohmann/[a-z_/.]+|zlib\.h)" <<<"$log"); then
    printf 'passed over: %s needs %s\n' "$header" "${missing##*[ \']}"
    return 0
  fi
  printf '%s does not compile alone:\n%s\n' "$header" "$(head -30 <<<"$log")"
  return 1
}
export -f check

cd "$include" || exit 1
# shellcheck disable=SC2016
find lacuna -name '*.hpp' | sort | xargs -r -P "$(nproc)" -I{} bash -c 'shopt -s extglob; check "$1"' _ {} || exit 1

# What must never come with the umbrella header: it would double the compile time of every program.
if [[ -e lacuna/lacuna.hpp ]]; then
  # shellcheck disable=SC2086
  heavy=$(printf '#include "lacuna/lacuna.hpp"\n' | "$compiler" $flags -M -x c++ - 2>/dev/null |
    grep -oE '[^ ]*/(cereal|xtensor|nlohmann|mpi\.h|zlib\.h|unsupported/Eigen)[^ ]*' | head -3)
  [[ -z $heavy ]] || { printf 'lacuna/lacuna.hpp brings in:\n%s\n' "$heavy"; exit 1; }
fi
