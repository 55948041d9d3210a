#!/usr/bin/env bash
# check_style.sh ROOT PATH_FILE [MOST]: what was changed since the branch left main is laid out by clang-format 14, and at most
# MOST of the headers changed, the latest first, have no finding of clang-tidy 14 (.clang-tidy says which checks, and why not
# others). Only what was changed, because all of it takes half an hour. Exit status 77: skipped, and the line says what.
set -uo pipefail
root=$1 paths=$2 most=${3:-2} status=0 skipped=()
cd "$root" || exit 1
tool() { command -v "$1-14" || { "$1" --version 2>/dev/null | grep -q 'version 14\.' && command -v "$1"; }; }

git rev-parse --git-dir >/dev/null 2>&1 || { echo "skipped: no repository here" && exit 77; }
since=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || true)
# On main itself: the last commit.
[[ -n $since && $since != "$(git rev-parse HEAD)" ]] || since=$(git rev-parse -q --verify HEAD~1) ||
  { echo "skipped: nothing to compare with" && exit 77; }
mapfile -t changed < <(git diff --name-only --diff-filter=AM "$since" -- '*.hpp' '*.cpp' '*.cuh' '*.cu')
((${#changed[@]})) || { echo "nothing was changed" && exit 0; }

if format=$(tool clang-format); then
  "$format" --dry-run -Werror "${changed[@]}" || status=1
  echo "clang-format: ${#changed[@]} files"
else
  skipped+=(clang-format)
fi

if tidy=$(tool clang-tidy); then
  flags=(-x c++ -std=c++20 -Wno-pragma-once-outside-header "-I$root/include")
  while read -r path; do
    [[ -z $path ]] || flags+=(-idirafter "$path")
  done <"$paths"
  mapfile -t headers < <(git log --format= --name-only "$since..HEAD" -- 'include/lacuna/*.hpp' | awk 'NF && !seen[$0]++' |
    while IFS= read -r header; do [[ ! -f $header ]] || echo "$header"; done | head -n "$most")
  for header in "${headers[@]}"; do
    # A header answers for itself: what it includes has its own turn.
    "$tidy" --quiet --warnings-as-errors='*' --header-filter='^$' "$header" -- "${flags[@]}" 2>/dev/null || status=1
    echo "clang-tidy: $header"
  done
else
  skipped+=(clang-tidy)
fi
((!status)) || exit 1
((${#skipped[@]} < 2)) || { echo "skipped: neither clang-format 14 nor clang-tidy 14 is installed" && exit 77; }
((!${#skipped[@]})) || echo "skipped: ${skipped[*]} 14 is not installed"
