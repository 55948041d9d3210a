#!/usr/bin/env bash
# pack.sh FOLDER: everything that check.sh needs on a machine that has nvcc and a GPU, but no network and no packages:
# this checkout's headers, tests and benchmarks, the headers of Eigen and doctest, zlib, and the reference arrays where there are any.
set -euo pipefail
[[ $# == 1 ]] || { echo "usage: pack.sh FOLDER" >&2; exit 2; }
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
oracle=${LACUNA_ORACLE_DIR:-$source_dir/../shared/oracle}
if [[ -d $1 && -n $(ls -A "$1") && ! -f $1/tests/device_check/check.sh ]]; then
  echo "pack.sh: $1 holds something else" >&2
  exit 1
fi
rm -rf "$1"/{include,tests,examples,benchmarks,beside,oracle} # what an earlier pack left must not be checked
mkdir -p "$1/beside/lib"
folder=$(cd "$1" && pwd -P)

cp -r --no-preserve=mode "$source_dir/include" "$folder/"
mkdir -p "$folder/tests" "$folder/examples"
cp -r --no-preserve=mode "$source_dir/tests/"{device_check,rows,support,models} "$folder/tests/"
cp -r --no-preserve=mode "$source_dir/examples/support" "$folder/examples/"
cp -r --no-preserve=mode "$source_dir/benchmarks" "$folder/"

header() { # the folder that holds a header
  local found
  found=$(echo "#include <$1>" | "${CXX:-g++}" -E -x c++ -I/usr/include/eigen3 - 2>/dev/null | sed -n "s|^# 1 \"\(/.*\)/$1\".*|\1|p" | head -1)
  [[ -n $found ]] || { echo "pack.sh: no header <$1>" >&2; exit 1; }
  echo "$found"
}
cp -r --no-preserve=mode "$(header Eigen/Core)/Eigen" "$folder/beside/"
cp -r --no-preserve=mode "$(header doctest/doctest.h)/doctest" "$folder/beside/"
zlib=$(header zlib.h)
cp "$zlib/zlib.h" "$folder/beside/"
cp "$(header zconf.h)/zconf.h" "$folder/beside/"
cp "$("${CXX:-g++}" -print-file-name=libz.a)" "$folder/beside/lib/"
if [[ -d $oracle ]]; then
  mkdir -p "$folder/oracle/sdumc"
  cp --no-preserve=mode "$oracle/corrkd_net.npz" "$folder/oracle/"
  for array in "$oracle/sdumc/"*.npz; do # not the configuration of full size: half of all bytes for one more case
    [[ $array == */real_* ]] || cp --no-preserve=mode "$array" "$folder/oracle/sdumc/"
  done
fi
echo "packed in $folder; on the machine with the GPU: bash $(basename "$folder")/tests/device_check/check.sh"
