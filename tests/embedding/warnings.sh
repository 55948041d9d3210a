#!/usr/bin/env bash
# warnings.sh COMPILER INCLUDE_DIR PATH_FILE: what programs include compiles without a word under the warnings that careful projects
# turn on, as errors: all headers that put macros of others aside, and the optional ones named below. One file, no code is made.
# A compiler that is none of ours (g++ 12, clang 14) is skipped: others remark on other things.
set -uo pipefail
compiler=$1 include=$2
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Werror)
case $("$compiler" -dumpversion) in
  12 | 12.*) warnings+=(-Wuseless-cast) ;;
  14.0.*) ;;
  *) echo "skipped: no compiler of ours"; exit 77 ;;
esac
flags=(-std=c++20 -fsyntax-only "-I$include")
while read -r path; do
  [[ -z $path || $path == "$include" ]] || flags+=(-idirafter "$path")
done <"$3"
cd "$include" || exit 1
includes() {
  grep -rl '^#include "lacuna/core/words_aside.hpp"' lacuna | grep '\.hpp$' | sort
  printf 'lacuna/%s\n' train/trainer.hpp train/metrics.hpp interop/eigen_batch.hpp interop/eigen_losses.hpp interop/eigen_metrics.hpp \
    missing/mask_file.hpp models/baselines/early_fusion.hpp zoo/predictor.hpp io/csv.hpp io/mat.hpp
}
# What is found in templates is found where they are used.
use='void use() {
  const auto corpus = lacuna::data::synthetic({.samples = 20, .seed = 7});
  lacuna::models::Sdumc<> model({.inputs = corpus.dimensions()}, lacuna::Random(7));
  lacuna::train::fit(model, corpus, {.epochs = 1});
  lacuna::train::print(lacuna::train::evaluate(model, corpus.test));
}'
{
  includes | sed 's/.*/#include "&"/'
  printf '%s\n' "$use"
} | "$compiler" "${flags[@]}" "${warnings[@]}" -x c++ -
