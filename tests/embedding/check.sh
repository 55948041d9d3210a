#!/usr/bin/env bash
# check.sh COMPILER INCLUDE_DIR PATH_FILE: headers that programs include, behind the macros of words.hpp; the macros are there
# again behind them. All in one file, and each alone where that fails: a header whose library is not installed is skipped.
set -uo pipefail
compiler=$1 include=$2 here=$(dirname "$0")
flags=(-std=c++20 -fsyntax-only "-I$include")
while read -r path; do
  [[ -z $path || $path == "$include" ]] || flags+=(-idirafter "$path")
done <"$3"
failed=0
mapfile -t headers < <(cd "$include" && grep -rl '^#include "lacuna/core/words_aside.hpp"' lacuna | grep '\.hpp$' | sort)
((${#headers[@]} > 10)) || { echo "only ${#headers[@]} headers put words aside"; exit 1; }
compile() { # compile HEADER...
  {
    printf '#include "%s"\n' "$here/words.hpp" "$@"
    printf '#if max(1, 2) != 2 || True != 1 || None != 0 || !defined(slots)\n#error lost\n#endif\n'
  } | "$compiler" "${flags[@]}" -x c++ - 2>&1
}
for header in "${headers[@]}"; do
  [[ $(grep -m1 '^#include' "$include/$header") == '#include "lacuna/core/words_aside.hpp"' ]] ||
    { echo "$header does not begin with words_aside.hpp"; failed=1; }
  [[ $(tail -1 "$include/$header") == '#include "lacuna/core/words_back.hpp"' ]] ||
    { echo "$header does not end with words_back.hpp"; failed=1; }
done
compile "${headers[@]}" >/dev/null && exit $failed
for header in "${headers[@]}"; do
  if ! log=$(compile "$header"); then
    grep -qE 'fatal error: .*(xtensor|cereal|nlohmann|zlib\.h)' <<<"$log" && continue
    printf '%s does not compile behind macros of others:\n%s\n' "$header" "$(head -20 <<<"$log")"
    failed=1
  fi
done
exit $failed
