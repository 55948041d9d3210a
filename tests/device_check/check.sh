#!/usr/bin/env bash
# check.sh [--compile]: everything that needs a GPU, in one command: builds, compares every operation with the host in double
# and float, runs the SDUMC and CorrKD references and an epoch of training on the device, and the operations again under
# compute-sanitizer; prints one table. Run it in a folder made by pack.sh. --compile: builds and links, runs nothing.
# Takes at most 8 minutes: what has not ended by then has failed.
# Exit status: 0 all was run and is well (--compile: built without a warning), 1 something failed, 2 something could not be
# run, 77 nothing could.
set -uo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
only_compile=0
case ${1:-} in
  '') ;;
  --compile) only_compile=1 ;;
  *) echo "usage: check.sh [--compile]" >&2; exit 1 ;;
esac
export PATH=$PATH:/usr/local/cuda/bin
command -v nvcc >/dev/null || { echo "check.sh: no nvcc here"; exit 77; }
SECONDS=0
readonly most_seconds=470
unset LACUNA_CHECK_SMALL LACUNA_CUDA_CHECK # set below, where they belong

work=${LACUNA_CHECK_WORK:-$folder/work}
mkdir -p "$work"
cd "$work" || exit 1
rm -f ./*.o ./*.log rows oracle epoch # an old object must not stand in for one that no longer compiles
export LACUNA_ORACLE_DIR=$folder/oracle OMP_WAIT_POLICY=passive
jobs=${LACUNA_CHECK_JOBS:-$(nproc)}
architecture=native
((only_compile)) && architecture=sm_90
flags=(-std=c++20 --extended-lambda "-arch=$architecture" -O1 -Xcompiler=-Wall,-Wextra,-fopenmp
  "-I$folder/include" "-I$folder/tests" -isystem "$folder/beside" "-DLACUNA_SOURCE_DIR=\"$folder\"")
build_limit=400 # of a file, in seconds; 0: none
((only_compile)) && build_limit=0
export build_limit
units=()
for source in "$folder"/tests/device_check/*.cu; do units+=("$(basename "$source" .cu)"); done
objects() { # PREFIX: of the units whose name begins so
  printf '%s.o\n' "${units[@]}" | grep "^$1"
}
cases() { # FILE...: test cases that are written there, each counted once per program
  cat "$@" | sed -nE 's/^TEST_CASE.*/1/p; s/^LACUNA_CHECK_ROWS.*/1\n1/p' | wc -l
}

table=() status=0
note() { # NAME RESULT SECONDS
  table+=("$(printf '%-50s %-34s %6s s' "$1" "$2" "$3")")
  case $2 in
    ok*) ;;
    "not run"*) ((status)) || status=2 ;;
    *) status=1 ;;
  esac
}
# run NAME LOG EXPECTED COMMAND...: the command must end well, and its test cases be EXPECTED, none skipped.
run() {
  local name=$1 log=$2 expected=$3 start=$SECONDS left=$((most_seconds - SECONDS)) passed result="FAILED, see $2"
  shift 3
  if ((left <= 0)); then
    note "$name" "FAILED: no time left" 0
    return
  fi
  timeout "$left" "$@" >"$log" 2>&1
  local ended=$?
  passed=$(sed -nE 's/^\[doctest\] test cases: *[0-9]+ \| *([0-9]+) passed \| *0 failed \| *0 skipped.*/\1/p' "$log")
  if ((ended == 124)); then
    result="FAILED: not done in time"
  elif ((ended == 0)) && [[ $passed == "$expected" ]]; then
    result="ok, $passed test cases"
  elif ((ended == 0)); then
    result="FAILED: ${passed:-not all} of $expected test cases"
  fi
  note "$name" "$result" $((SECONDS - start))
  [[ $result == ok* ]] || tail -30 "$log"
}

{
  printf 'main.cpp\n'
  printf '%s.cu\n' "${units[@]}"
} | xargs -P "$jobs" -I{} bash -c '
  source=$1; shift
  timeout "$build_limit" nvcc "$@" -c "'"$folder"'/tests/device_check/$source" -o "${source%.*}.o" >"${source%.*}.build.log" 2>&1 ||
    { echo "$source does not compile:"; head -20 "${source%.*}.build.log"; }' _ {} "${flags[@]}"
link() { # PROGRAM OBJECT...
  (($# > 1)) && nvcc "-arch=$architecture" -o "$@" main.o -Xcompiler=-fopenmp "-L$folder/beside/lib" -lcublasLt -lz \
    >"$1.link.log" 2>&1 || { cat "$1.link.log"; return 1; }
}
built=1
for unit in "${units[@]}" main; do [[ -f $unit.o ]] || built=0; done
for program in rows oracle epoch; do
  mapfile -t parts < <(objects "$program")
  link "$program" "${parts[@]}" || built=0
done
warnings=$(cat ./*.build.log ./*.link.log | grep -ci warning)
((warnings == 0)) || cat ./*.build.log ./*.link.log | grep -i warning | head -5
note "build, $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p'), $warnings warnings" \
  "$( ((built && warnings == 0)) && echo ok || echo FAILED)" $SECONDS

row_cases=$(cases "$folder"/tests/device_check/rows_*.cu)
oracle_cases=$(cases "$folder"/tests/models/{sdumc,corrkd}_oracle_test.cpp)
epoch_cases=$(cases "$folder"/tests/device_check/epoch_*.cu)
((row_cases > 0 && oracle_cases > 0 && epoch_cases > 0)) || note "test cases to run" FAILED 0
gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -1)
if ((built)) && ((!only_compile)) && [[ -n $gpu ]]; then
  run "operations, double 1e-9 and float 1e-4" rows.log "$row_cases" ./rows
  if [[ -d $folder/oracle ]]; then
    run "SDUMC and CorrKD references on the device" oracle.log "$oracle_cases" ./oracle
  else
    note "SDUMC and CorrKD references on the device" "not run: no reference arrays" 0
  fi
  run "one epoch on both devices, twice the same bits" epoch.log "$epoch_cases" ./epoch
  if command -v compute-sanitizer >/dev/null; then # side by side: each waits for the device most of its time
    export most_seconds LACUNA_CUDA_CHECK=1 LACUNA_CHECK_SMALL=1
    for tool in memcheck racecheck initcheck synccheck; do
      (
        table=() status=0
        run "compute-sanitizer $tool, small operations" "$tool.log" "$row_cases" \
          compute-sanitizer --tool "$tool" --error-exitcode 1 ./rows >"$tool.tail"
        printf '%s\n' "${table[@]}" >"$tool.row"
      ) &
    done
    wait
    for tool in memcheck racecheck initcheck synccheck; do
      row=$(cat "$tool.row" 2>/dev/null)
      table+=("${row:-compute-sanitizer $tool: FAILED: no result}")
      # its own last line must say that nothing was found, in whatever words the tool has for it
      if [[ $row != *" ok,"* ]] || ! grep -qE '(ERROR SUMMARY: 0 errors|RACECHECK SUMMARY: 0 hazards)' "$tool.log"; then
        status=1
        table+=("compute-sanitizer $tool: FAILED: see $tool.log")
        cat "$tool.tail"
      fi
    done
  else
    note "compute-sanitizer, small operations" "not run: no compute-sanitizer" 0
  fi
  grep -hE ' s$|largest error' epoch.log oracle.log 2>/dev/null
else
  failed=$status
  for what in operations references epoch sanitizers; do note "$what" "not run" 0; done
  status=$failed
  ((status || only_compile)) || status=77
fi

echo
echo "device check, $(date -u +%Y-%m-%d), ${gpu:-no GPU}, $SECONDS s"
printf '%s\n' "${table[@]}"
exit $status
