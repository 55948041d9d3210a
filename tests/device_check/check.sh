#!/usr/bin/env bash
# check.sh [--compile]: everything that needs a GPU, in one command: builds, compares every operation with the host in double
# and float, runs the SDUMC and CorrKD references and an epoch of training on the device, and the operations again under
# compute-sanitizer; prints one table. Run it in a folder made by pack.sh. --compile: builds and links, runs nothing.
# Exit status: 0 all is well, 1 something failed, 77 nothing could be run here.
set -uo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
only_compile=0
[[ ${1:-} == --compile ]] && only_compile=1
export PATH=$PATH:/usr/local/cuda/bin
command -v nvcc >/dev/null || { echo "check.sh: no nvcc here"; exit 77; }

work=${LACUNA_CHECK_WORK:-$folder/work}
mkdir -p "$work"
cd "$work" || exit 1
export LACUNA_ORACLE_DIR=$folder/oracle OMP_WAIT_POLICY=passive
jobs=${LACUNA_CHECK_JOBS:-$(nproc)}
architecture=native
((only_compile)) && architecture=sm_90
flags=(-std=c++20 --extended-lambda "-arch=$architecture" -O1 -Xcompiler=-Wall,-Wextra,-fopenmp
  "-I$folder/include" "-I$folder/tests" -isystem "$folder/beside" "-DLACUNA_SOURCE_DIR=\"$folder\"")
rows=() table=() status=0
for source in "$folder"/tests/device_check/rows_*.cu; do rows+=("$(basename "$source" .cu)"); done
units=("${rows[@]}" oracle_sdumc oracle_corrkd epoch)

note() { # NAME RESULT SECONDS
  table+=("$(printf '%-44s %-34s %6s s' "$1" "$2" "$3")")
  [[ $2 == ok* || $2 == "not run"* ]] || status=1
}
run() { # NAME LOG COMMAND...
  local name=$1 log=$2 start=$SECONDS
  shift 2
  if timeout "${limit:-300}" "$@" >"$log" 2>&1; then
    note "$name" "ok" $((SECONDS - start))
  else
    note "$name" "FAILED, see $(basename "$log")" $((SECONDS - start))
    tail -30 "$log"
  fi
}

start=$SECONDS
{
  printf 'main.cpp\n'
  printf '%s.cu\n' "${units[@]}"
} | xargs -P "$jobs" -I{} bash -c '
  source=$1; shift
  nvcc "$@" -c "'"$folder"'/tests/device_check/$source" -o "${source%.*}.o" >"${source%.*}.build.log" 2>&1 ||
    { echo "$source does not compile:"; head -20 "${source%.*}.build.log"; }' _ {} "${flags[@]}"
link() { nvcc "-arch=$architecture" -o "$@" main.o -Xcompiler=-fopenmp "-L$folder/beside/lib" -lcublas -lz; }
built=1
link rows "${rows[@]/%/.o}" && link oracle oracle_sdumc.o oracle_corrkd.o && link epoch epoch.o || built=0
warnings=$(cat ./*.build.log | grep -c warning)
note "build, $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p'), $warnings warnings" \
  "$( ((built)) && echo ok || echo FAILED)" $((SECONDS - start))

gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -1)
if ((built)) && ((!only_compile)) && [[ -n $gpu ]]; then
  run "operations, double 1e-9 and float 1e-4" rows.log ./rows
  if [[ -d $folder/oracle ]]; then
    run "SDUMC and CorrKD references on the device" oracle.log ./oracle
  else
    note "SDUMC and CorrKD references on the device" "not run: no reference arrays" 0
  fi
  run "one epoch on both devices, twice the same bits" epoch.log ./epoch
  for tool in memcheck racecheck initcheck synccheck; do
    if command -v compute-sanitizer >/dev/null; then
      limit=100 run "compute-sanitizer $tool, operations" "$tool.log" env LACUNA_CUDA_CHECK=1 LACUNA_CHECK_SMALL=1 \
        compute-sanitizer --tool "$tool" --error-exitcode 1 ./rows
    else
      note "compute-sanitizer $tool, operations" "not run: no compute-sanitizer" 0
    fi
  done
  grep -hE ' s$|largest error' epoch.log oracle.log 2>/dev/null
else
  for what in operations references epoch sanitizers; do note "$what" "not run" 0; done
  ((status)) || status=77
fi
((only_compile)) && ((built)) && status=0

echo
echo "device check, $(date -u +%Y-%m-%d), ${gpu:-no GPU}, $((SECONDS)) s"
printf '%s\n' "${table[@]}"
exit $status
