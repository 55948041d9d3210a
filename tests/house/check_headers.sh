#!/usr/bin/env bash
# check_headers.sh COMPILER INCLUDE_DIR PATH_FILE [all | changed [MOST]]: compiles every header alone, twice in one file,
# warnings as errors where the compiler is one of ours. `changed`: at most MOST of those that were changed since the branch left
# main (on main itself: by the last commit), the latest first, and then of those that include them.
# Without OpenMP, and with no other flag than the language: what a user gets who just adds the include path.
# A header of an optional part is skipped (and named) when the library it needs is not installed.
set -uo pipefail
export compiler=$1 include=$2
export flags="-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -I$include"
case $("$compiler" -dumpversion) in
  12 | 12.* | 14.0.*) flags+=" -Werror" ;; # g++ 12, clang 14: as in cmake/options.cmake
esac
while read -r path; do
  # Not -isystem: a default system folder named with it breaks #include_next of the standard library.
  [[ -z $path || $path == "$include" ]] || flags+=" -idirafter $path"
done <"$3"

# Most of the time goes into what nearly all headers bring in: those find it read already. That hides nothing: each of them
# reaches it by its own includes, and so does every header on the way, while one that does not is compiled without it.
# A header takes the first of these that it reaches: the slowest to compile stand in front.
bases=(lacuna/data/formats/sequences.hpp lacuna/models/baselines/sequences.hpp lacuna/io/weights.hpp lacuna/nn/linear.hpp
  lacuna/autograd/variable.hpp lacuna/kernels/cpu/activation.hpp Eigen/Core lacuna/io/json_file.hpp lacuna/core/tensor.hpp
  lacuna/core/error.hpp)
export work
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read_base() { # read_base NUMBER BASE: the base as $work/NUMBER.hpp, the headers that reach it as $work/NUMBER
  local list=$work/$1 before=-1 now=0
  printf '#include <%s>\n' "$2" >"$list.hpp"
  # shellcheck disable=SC2086
  # One that does not compile here, for want of a library of its own, is no base, and is told of below.
  "$compiler" ${flags/-fsyntax-only/} -x c++-header "$list.hpp" -o "$list.hpp.gch" 2>/dev/null || return 0
  grep -rlE "^#include [<\"]$2[>\"]" lacuna >"$list"
  while ((now != before)); do
    before=$now
    sed 's/.*/#include "&"/' "$list" | grep -rlFf - lacuna | sort -u - "$list" -o "$list"
    now=$(wc -l <"$list")
  done
}

# shellcheck disable=SC2086  # a function sent to other shells cannot take an array along
check() {
  local header=$1 log list before=
  for list in "$work"/?; do
    [[ -e $list ]] && grep -qxF "$header" "$list" && before="-include $list.hpp" && break
  done
  if log=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    "$compiler" $flags $before -x c++ - 2>&1); then
    return 0
  fi
  # g++ forgets what a precompiled header told it of warnings: what counts is how the header compiles without one
  if [[ -n $before ]] && log=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    "$compiler" $flags -x c++ - 2>&1); then
    return 0
  fi
  if [[ $header == lacuna/@(data|interop|distributed|io|lab)/* ]] &&
    missing=$(grep -oE "fatal error: '?(mpi\.h|nccl\.h|xtensor/[a-z_/.]+|cereal/[a-z_/.]+|nlohmann/[a-z_/.]+|zlib\.h|hdf5\.h)" <<<"$log"); then
    printf 'skipped: %s needs %s\n' "$header" "${missing##*[ \']}"
    return 0
  fi
  printf '%s does not compile alone:\n%s\n' "$header" "$(head -30 <<<"$log")"
  return 1
}
export -f check read_base

# changed_headers: what was changed, not committed or latest first, and then what includes it by name
changed_headers() {
  local since changed
  since=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || true)
  [[ -n $since && $since != "$(git rev-parse HEAD)" ]] || since=$(git rev-parse -q --verify HEAD~1) || return 0
  mapfile -t changed < <({
    git diff --name-only --relative --diff-filter=AM HEAD -- 'lacuna/*.hpp'
    git log --format= --name-only --relative --diff-filter=AM "$since..HEAD" -- 'lacuna/*.hpp'
  } | awk 'NF && !seen[$0]++' | while IFS= read -r header; do [[ ! -f $header ]] || echo "$header"; done)
  ((${#changed[@]})) || return 0
  {
    printf '%s\n' "${changed[@]}"
    printf '#include "%s"\n' "${changed[@]}" | grep -rlFf - lacuna --include='*.hpp' | sort
  } | awk '!seen[$0]++'
}

cd "$include" || exit 1
if [[ ${4:-} == changed ]]; then
  git rev-parse --git-dir >/dev/null 2>&1 || { echo "skipped: no repository here" && exit 77; }
  list=$(changed_headers)
  touched=$(wc -l <<<"$list")
  list=$(head -n "${5:-12}" <<<"$list")
  (($(wc -l <<<"$list") == touched)) || echo "of $touched that were changed or include what was, the first:"
else
  list=$(find lacuna -name '*.hpp' | sort)
fi
[[ -n $list ]] || { echo "nothing was changed" && exit 0; }
echo "$(wc -l <<<"$list") headers, each alone"
(($(wc -l <<<"$list") > 8)) || bases=()  # they cost what a few headers do
# shellcheck disable=SC2016
for base in "${!bases[@]}"; do printf '%s %s\n' "$base" "${bases[$base]}"; done |
  xargs -r -P "$(nproc)" -L1 bash -c 'read_base "$@"' _ || exit 1
# shellcheck disable=SC2016
xargs -r -P "$(nproc)" -I{} bash -c 'shopt -s extglob; check "$1"' _ {} <<<"$list" || exit 1

# What must never come with the umbrella header: it would double the compile time of every program.
if [[ -e lacuna/lacuna.hpp ]]; then
  # shellcheck disable=SC2086
  heavy=$(printf '#include "lacuna/lacuna.hpp"\n' | "$compiler" $flags -M -x c++ - 2>/dev/null |
    grep -oE '[^ ]*/(cereal|xtensor|nlohmann|mpi\.h|zlib\.h|hdf5\.h|unsupported/Eigen)[^ ]*' | head -3)
  [[ -z $heavy ]] || { printf 'lacuna/lacuna.hpp brings in:\n%s\n' "$heavy"; exit 1; }
fi
