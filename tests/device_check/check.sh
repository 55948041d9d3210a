#!/usr/bin/env bash
# check.sh [--compile | --run] [--only PART,...]: everything that needs a GPU, in one command; prints one table. Run it in a
# folder made by pack.sh.
#   (nothing)  builds, then runs
#   --compile  builds and links, runs nothing, and leaves the programs in bin.tgz beside the sources
#   --run      runs the programs of bin.tgz, which may come from another machine: needs no nvcc
# Parts, in this order: products (matrix products by cuBLASLt), operations (every row of the table against the host, double and
# float), references (SDUMC and CorrKD), epoch (training on both devices), timing (the workloads of benchmarks/), profile (their
# steps by kernel), and small operations under memcheck, initcheck, racecheck, synccheck of compute-sanitizer. operations,
# references and epoch run side by side, the rest alone.
# LIMIT (seconds, 470): what has not ended by then has failed. OUT: where the logs go, at most 9 files.
# Exit status: 0 all was run and is well (--compile: built without a warning), 1 something failed, 2 something could not be
# run, 77 nothing could.
set -uo pipefail
SECONDS=0
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
all_parts=products,operations,references,epoch,timing,profile,memcheck,initcheck,racecheck,synccheck
mode=both parts=$all_parts
while (($#)); do
  case $1 in
    --compile | --run) mode=${1#--} ;;
    --only) parts=${2:-} && shift ;;
    *) parts='' ;;
  esac
  shift || break
done
for part in ${parts//,/ }; do [[ ,$all_parts, == *,$part,* ]] || parts=''; done
[[ -n $parts ]] || { echo "usage: check.sh [--compile | --run] [--only PART,...], parts: $all_parts" >&2; exit 1; }
wanted() { [[ ,$parts, == *,$1,* ]]; }
export PATH=$PATH:/usr/local/cuda/bin:/usr/local/nvidia/bin
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/local/cuda/lib64:/usr/local/nvidia/lib64
[[ $mode == run ]] || command -v nvcc >/dev/null || { echo "check.sh: no nvcc here"; exit 77; }
[[ $mode != run || -f $folder/bin.tgz ]] || { echo "check.sh: no bin.tgz here; make it with --compile"; exit 77; }
readonly most_seconds=${LIMIT:-470}
unset LACUNA_CHECK_SMALL LACUNA_CUDA_CHECK # set below, where they belong

work=${LACUNA_CHECK_WORK:-$folder/work}
mkdir -p "$work"
out=$(mkdir -p "${OUT:-$work}" && cd "${OUT:-$work}" && pwd -P)
cd "$work" || exit 1
programs=(gpu rows oracle epoch workloads profile)
# an old object must not stand in for one that no longer compiles, nor an old log for one of today
rm -f ./*.o ./*.build.log ./*.link.log "${programs[@]}" "$out"/{build,products,operations,references,epoch,timing,sanitizers,table}.log
export LACUNA_ORACLE_DIR=$folder/oracle OMP_WAIT_POLICY=passive

table=() status=0
note() { # NAME RESULT SECONDS
  table+=("$(printf '%-50s %-34s %6s s' "$1" "$2" "$3")")
  case $2 in
    ok*) ;;
    "not run"*) ((status)) || status=2 ;;
    *) status=1 ;;
  esac
}
cases() { # FILE...: test cases that are written there, each counted once per program
  cat "$@" | sed -nE 's/^TEST_CASE.*/1/p; s/^LACUNA_CHECK_ROWS.*/1\n1/p' | wc -l
}
small_cases() { cat "$@" | grep -cE '^(TEST_CASE.*products.*float|LACUNA_CHECK_ROWS)'; }
# run NAME LOG SECONDS EXPECTED COMMAND...: within SECONDS the command must end well, and EXPECTED test cases pass, no other fail.
run() {
  local name=$1 log=$out/$2 most=$3 expected=$4 start=$SECONDS left=$((most_seconds - SECONDS)) passed result="FAILED, see $2"
  shift 4
  if ((left <= 0)); then
    note "$name" "FAILED: no time left" 0
    return
  fi
  ((left < most)) && most=$left
  printf '== %s\n' "$name" >>"$log"
  timeout -k 5 "$most" "$@" >"$name.part" 2>&1
  local ended=$?
  cat "$name.part" >>"$log"
  passed=$(sed -nE 's/^\[doctest\] test cases: *[0-9]+ \| *([0-9]+) passed \| *0 failed .*/\1/p' "$name.part")
  if ((ended == 124 || ended == 137)); then
    result="FAILED: not done in time"
  elif ((ended == 0)) && [[ $passed == "$expected" ]]; then
    result="ok, $passed test cases"
  elif ((ended == 0)); then
    result="FAILED: ${passed:-not all} of $expected test cases"
  fi
  note "$name" "$result" $((SECONDS - start))
  [[ $result == ok* ]] || tail -30 "$name.part"
}
# sanitize SECONDS TOOL...: every family of small operations under every tool, as many side by side as there are cores. The tool's
# own last line must say that nothing was found, in whatever words it has for it.
sanitize() {
  local most=$1 start=$SECONDS left=$((most_seconds - SECONDS)) tool family passed ended clean count result
  shift
  ((left < most)) && most=$left
  ((most > 0)) || { for tool in "$@"; do note "compute-sanitizer $tool, small operations" "FAILED: no time left" 0; done; return; }
  mapfile -t families < <(sed -nE 's/^LACUNA_CHECK_ROWS\((\w+)\).*/*\1*/p' "$folder"/tests/device_check/rows_*.cu; echo '*matrix products*')
  rm -f ./*.sanitized
  # float alone: the same kernels, half the time. The matrix products are cuBLASLt's, which memcheck sees with their operands
  for tool in "$@"; do printf "$tool %s\n" "${families[@]}"; done |
    LACUNA_CHECK_SMALL=1 OMP_NUM_THREADS=1 timeout -k 5 "$most" xargs -d '\n' -P "$(nproc)" -I{} bash -c '
      tool=${1%% *} family=${1#* }
      case $tool in # what looks at memory needs the borders of every block, an allocation of its own
        memcheck | initcheck) export LACUNA_CUDA_CHECK=1 ;;
      esac
      case $tool in
        memcheck) arguments=(--report-api-errors no) ;; # cuBLASLt tries calls that it knows may fail; ours are all checked
        initcheck) arguments=() ;;                      # unfiltered: what an unseen kernel wrote would look unwritten
        *) arguments=(--kernel-name kns=lacuna) ;;      # shared memory and barriers of our own kernels
      esac
      name=$tool-${family//[^A-Za-z]/}
      compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 "${arguments[@]}" ./rows "-tc=${family}float*" >"$name.part" 2>&1
      echo "ended $?" >>"$name.part"
      mv "$name.part" "$name.sanitized"' _ {}
  for tool in "$@"; do
    passed=0 ended=0 clean=0
    for family in "$tool"-*.sanitized; do
      [[ -f $family ]] || continue
      { printf '== %s\n' "$family"; cat "$family"; } >>"$out/sanitizers.log"
      ended=$((ended + 1))
      grep -qE '(ERROR SUMMARY: 0 errors|RACECHECK SUMMARY: 0 hazards)' "$family" && grep -qx 'ended 0' "$family" && clean=$((clean + 1))
      count=$(sed -nE 's/^\[doctest\] test cases: *[0-9]+ \| *([0-9]+) passed \| *0 failed .*/\1/p' "$family")
      passed=$((passed + ${count:-0}))
    done
    result="FAILED, see sanitizers.log"
    if ((clean == ${#families[@]} && passed == small_cases)); then
      result="ok, $passed test cases"
    elif ((clean == ended && ended < ${#families[@]})); then
      result="FAILED: $ended of ${#families[@]} families in time, nothing found"
    elif ((clean == ended)); then
      result="FAILED: $passed of $small_cases test cases"
    fi
    note "compute-sanitizer $tool, small operations" "$result" $((SECONDS - start))
  done
}
# time_of WORKLOAD: a number of milliseconds
time_of() {
  local start=$SECONDS left=$((most_seconds - SECONDS)) median
  ((left > 40)) && left=40
  ((left > 0)) || { note "time of $1" "FAILED: no time left" 0; return; }
  timeout -k 5 "$left" ./workloads "$1" --seconds 2 >timing.part 2>&1
  cat timing.part >>"$out/timing.log"
  median=$(sed -nE 's/.*"median_ms": ([0-9.]+).*/\1/p' timing.part)
  note "time of $1" "$([[ -n $median ]] && echo "ok, $median ms" || echo 'FAILED, see timing.log')" $((SECONDS - start))
}
# together COMMAND...: each a call of `run`, side by side; their rows in this order
together() {
  local i=0 command
  for command in "$@"; do
    (
      table=() status=0
      eval "$command" >"$i.tail"
      declare -p table status >"$i.row"
    ) &
    i=$((i + 1))
  done
  wait
  local rows=("${table[@]}") worst=$status
  for ((i = 0; i < $#; ++i)); do
    table=() status=1
    # shellcheck disable=SC1090
    source <(sed 's/^declare -[-a-z]* //' "$i.row")
    cat "$i.tail"
    rows+=("${table[@]}")
    ((worst == 1 || status == 0)) || worst=$status
  done
  table=("${rows[@]}") status=$worst
}

if [[ $mode != run ]]; then
  architecture=native
  [[ $mode == both ]] && nvidia-smi -L 2>/dev/null | grep -q . || architecture=sm_90
  architecture=${LACUNA_CHECK_ARCH:-$architecture}
  export folder
  flags=(-std=c++20 --extended-lambda "-arch=$architecture" -Xcompiler=-Wall,-Wextra,-fopenmp "-I$folder/include" "-I$folder/tests"
    -isystem "$folder/beside" "-DLACUNA_SOURCE_DIR=\"$folder\"")
  build_limit=400 # of a file, in seconds; 0: none
  [[ $mode == compile ]] && build_limit=0
  export build_limit
  needed=(gpu) sources=(gpu.cu)
  if [[ $parts == *operations* || $parts == *products* || $parts == *check* ]]; then needed+=(rows); fi
  wanted references && needed+=(oracle)
  wanted epoch && needed+=(epoch)
  for program in "${needed[@]:1}"; do sources+=($(cd "$folder/tests/device_check" && printf '%s\n' "$program"_*.cu)); done
  sources=("${sources[@]/#/tests/device_check/}" tests/device_check/main.cpp)
  wanted timing && needed+=(workloads) && sources+=(benchmarks/workloads_cuda.cu)
  wanted profile && needed+=(profile) && sources+=(benchmarks/profile_cuda.cu)
  # the longest ones first would be better still: the time of a build is that of its longest file, 80 s on a slow core
  printf '%s\n' "${sources[@]}" | xargs -P "${LACUNA_CHECK_JOBS:-$(nproc)}" -I{} bash -c '
    source=$1 name=$(basename "${1%.*}"); shift
    optimised=-O1; [[ $source == benchmarks/* ]] && optimised=-O2 # the host queues what the GPU does
    timeout "$build_limit" nvcc "$@" $optimised -c "$folder/$source" -o "$name.o" >"$name.build.log" 2>&1 ||
      { echo "$source does not compile:"; head -20 "$name.build.log"; }' _ {} "${flags[@]}"
  built=1
  for source in "${sources[@]}"; do [[ -f $(basename "${source%.*}").o ]] || built=0; done
  for program in "${needed[@]}"; do
    case $program in
      gpu) objects=(gpu.o) ;;
      workloads | profile) objects=("${program}_cuda.o") ;;
      *) objects=("$program"_*.o main.o) ;;
    esac
    nvcc "-arch=$architecture" -o "$program" "${objects[@]}" -Xcompiler=-fopenmp "-L$folder/beside/lib" -lcublasLt -lz \
      >"$program.link.log" 2>&1 || { cat "$program.link.log"; built=0; }
  done
  warnings=$(cat ./*.build.log ./*.link.log | grep -ci warning)
  cat ./*.build.log ./*.link.log >"$out/build.log"
  ((warnings == 0)) || grep -i warning "$out/build.log" | head -5
  note "build, $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p'), $warnings warnings" \
    "$( ((built && warnings == 0)) && echo ok || echo FAILED)" $SECONDS
  if [[ $mode == compile ]] && ((built)); then
    mkdir -p bin
    for program in "${needed[@]}"; do strip -o "bin/$program" "$program" 2>/dev/null || cp "$program" bin/; done
    tar -czf "$folder/bin.tgz" -C bin "${needed[@]}"
    rm -r bin
  fi
else
  built=1
  tar -xzf "$folder/bin.tgz" || built=0
fi

matmul_cases=$(cases "$folder"/tests/device_check/rows_matmul.cu)
row_cases=$(($(cases "$folder"/tests/device_check/rows_*.cu) - matmul_cases))
small_cases=$(small_cases "$folder"/tests/device_check/rows_*.cu)
oracle_cases=$(cases "$folder"/tests/models/{sdumc,corrkd}_oracle_test.cpp)
epoch_cases=$(cases "$folder"/tests/device_check/epoch_*.cu)
((matmul_cases > 0 && row_cases > 0 && small_cases > 0 && oracle_cases > 0 && epoch_cases > 0)) || note "test cases to run" FAILED 0
gpu=''
if ((built)) && [[ $mode != compile ]]; then gpu=$(timeout 60 ./gpu 2>gpu.part) || { gpu='' && cat gpu.part; }; fi
if [[ -n $gpu ]]; then
  wanted products && run "matrix products" products.log 90 "$matmul_cases" ./rows '-tc=*matrix products*'
  comparing=()
  wanted operations &&
    comparing+=('run "operations, double 1e-9 and float 1e-4" operations.log 200 $row_cases ./rows "-tce=*matrix products*"')
  if wanted references; then
    if [[ -d $folder/oracle ]]; then
      comparing+=('run "SDUMC and CorrKD references on the device" references.log 120 $oracle_cases ./oracle')
    else
      note "SDUMC and CorrKD references on the device" "not run: no reference arrays" 0
    fi
  fi
  wanted epoch && comparing+=('run "one epoch on both devices, twice the same bits" epoch.log 200 $epoch_cases ./epoch')
  if ((${#comparing[@]})); then
    cores=$(nproc)
    export OMP_NUM_THREADS=$((cores > ${#comparing[@]} ? cores / ${#comparing[@]} : 1))
    together "${comparing[@]}"
    unset OMP_NUM_THREADS
  fi
  if wanted timing; then
    for workload in corrkd-step sdumc-step corrkd-infer sdumc-infer rnc; do time_of $workload; done
  fi
  if wanted profile; then
    for workload in corrkd-step sdumc-step; do
      start=$SECONDS left=$((most_seconds - SECONDS))
      ((left > 30)) && left=30
      result='FAILED, see timing.log'
      ((left > 0)) && timeout -k 5 "$left" ./profile $workload --seconds 0.5 >>"$out/timing.log" 2>&1 && result=ok
      note "profile of $workload" "$result" $((SECONDS - start))
    done
  fi
  tools=()
  for tool in memcheck racecheck synccheck initcheck; do
    wanted $tool || continue
    if command -v compute-sanitizer >/dev/null; then tools+=("$tool"); else note "compute-sanitizer $tool, small operations" "not run: no compute-sanitizer" 0; fi
  done
  ((${#tools[@]} == 0)) || sanitize 400 "${tools[@]}"
  grep -hE ' s$|largest error|what is not a number' "$out"/{epoch,references,products}.log 2>/dev/null
else
  failed=$status
  for what in ${parts//,/ }; do note "$what" "not run" 0; done
  status=$failed
  [[ $status != 0 || $mode == compile ]] || status=77
fi

{
  echo
  echo "device check, $(date -u +%Y-%m-%d), ${gpu:-no GPU}, $SECONDS s"
  printf '%s\n' "${table[@]}"
} | tee "$out/table.log"
exit $status
