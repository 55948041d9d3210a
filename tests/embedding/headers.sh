#!/usr/bin/env bash
# headers.sh COMPILER INCLUDE_DIR PATH_FILE: what programs include compiles behind the macros of words.hpp, which are there again
# behind it, and without a word under the warnings that careful projects turn on, as errors: all headers that put macros of
# others aside, and the optional ones named below. One file, no code is made; where that fails each header alone, and one
# whose library is not installed is skipped. Of warnings only our compilers are asked (g++ 12, clang 14): others remark on other things.
set -uo pipefail
compiler=$1 include=$2 here=$(cd "$(dirname "$0")" && pwd)
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Werror)
case $("$compiler" -dumpversion) in
  12 | 12.*) warnings+=(-Wuseless-cast) ;;
  14.0.*) ;;
  *) warnings=() ;;
esac
flags=(-std=c++20 -fsyntax-only "-I$include" "${warnings[@]}")
while read -r path; do
  [[ -z $path || $path == "$include" ]] || flags+=(-idirafter "$path")
done <"$3"
cd "$include" || exit 1
failed=0
mapfile -t headers < <(grep -rl '^#include "lacuna/core/words_aside.hpp"' lacuna | grep '\.hpp$' | sort)
((${#headers[@]} > 10)) || { echo "only ${#headers[@]} headers put words aside"; exit 1; }
for header in "${headers[@]}"; do
  [[ $(grep -m1 '^#include' "$header") == '#include "lacuna/core/words_aside.hpp"' ]] ||
    { echo "$header does not begin with words_aside.hpp"; failed=1; }
  [[ $(tail -1 "$header") == '#include "lacuna/core/words_back.hpp"' ]] ||
    { echo "$header does not end with words_back.hpp"; failed=1; }
done
others=(train/trainer.hpp train/metrics.hpp interop/eigen_batch.hpp interop/eigen_losses.hpp interop/eigen_metrics.hpp
  missing/mask_file.hpp models/baselines/early_fusion.hpp zoo/predictor.hpp io/csv.hpp io/mat.hpp)

words() { # words HEADER...: these, behind macros that must be there again
  printf '#include "%s"\n' "$here/words.hpp" "$@"
  printf '#if max(1, 2) != 2 || True != 1 || None != 0 || !defined(slots)\n#error lost\n#endif\n'
}
# What is found in templates is found where they are used.
use='void use() {
  const auto corpus = lacuna::data::synthetic({.samples = 20, .seed = 7});
  lacuna::models::Sdumc<> model({.inputs = corpus.dimensions()}, lacuna::Random(7));
  lacuna::train::fit(model, corpus, {.epochs = 1});
  lacuna::train::print(lacuna::train::evaluate(model, corpus.test));
}'
log=$({
  words "${headers[@]}"
  sed -n 's/^#define \([A-Za-z_]*\).*/#undef \1/p' "$here/words.hpp"
  printf '#include "lacuna/%s"\n' "${others[@]}"
  printf '%s\n' "$use"
} | "$compiler" "${flags[@]}" -x c++ - 2>&1) && exit $failed
printf 'all in one file:\n%s\n' "$(head -40 <<<"$log")"
absent=0
for header in "${headers[@]}"; do
  if ! log=$(words "$header" | "$compiler" "${flags[@]}" -x c++ - 2>&1); then
    grep -qE 'fatal error: .*(xtensor|cereal|nlohmann|zlib\.h)' <<<"$log" && absent=1 && continue
    printf '%s does not compile behind macros of others:\n%s\n' "$header" "$(head -20 <<<"$log")"
    failed=1
  fi
done
((absent && !failed)) || exit 1
