#!/usr/bin/env bash
# The check for a machine with a GPU (tests/device_check/check.sh) with stand-ins for nvcc, the GPU and the sanitizer: it is well
# only when everything was built, run in full, and found nothing.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

mkdir -p pack/{include,oracle,beside/lib} bin plan
mkdir pack/tests
cp -r "$LACUNA_SOURCE_DIR/tests/"{device_check,models} pack/tests/
unset LACUNA_CHECK_WORK LACUNA_CHECK_ARCH LIMIT OUT
export plan=$PWD/plan LACUNA_CHECK_JOBS=1 PATH=$PWD/bin:$PATH
# cases FILE...: how many test cases the programs have
cases() { cat "$@" | sed -nE 's/^TEST_CASE.*/1/p; s/^LACUNA_CHECK_ROWS.*/1\n1/p' | wc -l; }
matmul=$(cases pack/tests/device_check/rows_matmul.cu) rows=$(($(cases pack/tests/device_check/rows_*.cu) - matmul))
floats() { cat pack/tests/device_check/rows_*.cu | grep -cE "^TEST_CASE.*$1.*float"; }
small=$(cat pack/tests/device_check/rows_*.cu | grep -cE '^(TEST_CASE.*products.*float|LACUNA_CHECK_ROWS)')
families=$(($(cat pack/tests/device_check/rows_*.cu | grep -c '^LACUNA_CHECK_ROWS') + 1))
oracle=$(cases pack/tests/models/{sdumc,corrkd}_oracle_test.cpp) epoch=$(cases pack/tests/device_check/epoch_*.cu)

# "Compiles" by leaving an object, "links" by leaving a program that says what the plan says, else that all is well.
cat >bin/nvcc <<'STOP'
#!/usr/bin/env bash
[[ $1 != --version ]] || { echo "Cuda compilation tools, release 13.0, V13.0.88"; exit 0; }
out='' source=''
while (($#)); do
  case $1 in -o) out=$2; shift ;; -c) source=$2; shift ;; esac
  shift
done
[[ ! -f $plan/breaks || $source != *$(<"$plan/breaks")* ]] || { echo "error: broken"; exit 1; }
[[ ! -f $plan/warns || $source != *$(<"$plan/warns")* ]] || echo "warning #177-D: unused"
[[ -z $source ]] || { touch "$out"; exit 0; }
cat >"$out" <<END
#!/usr/bin/env bash
what=$out
family=''
case \${1:-} in -tce=*) ;; -tc=*Rows*float*) what=small family=rows ;; -tc=*products*float*) what=small family=products ;; -tc=*products*) what=products ;; esac
[[ -f \$plan/\$what ]] && source "\$plan/\$what"
cat "\$plan/\$what\$family.says"
END
chmod +x "$out"
STOP
printf '#!/usr/bin/env bash\nexit 1\n' >bin/nvidia-smi # the check does not need it
cat >bin/compute-sanitizer <<'STOP'
#!/usr/bin/env bash
tool=$2
echo "$*" >>"$plan/sanitized"
"${@: -2}" || exit
[[ -f $plan/$tool ]] && { cat "$plan/$tool"; exit 0; }
[[ $tool == racecheck ]] && echo "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"
[[ $tool == racecheck ]] || echo "========= ERROR SUMMARY: 0 errors"
STOP
chmod +x bin/*
says() { echo "[doctest] test cases: $2 | $2 passed | 0 failed | ${3:-0} skipped" >"plan/$1.says"; }
all_well() {
  rm -f plan/*
  echo "Some GPU" >plan/gpu.says && echo '{"median_ms": 1.5, "min_ms": 1}' >plan/workloads.says
  echo "a table" >plan/profile.says
  says rows "$rows" $((matmul)) && says products "$matmul" "$rows"
  says smallrows 1 40 && says smallproducts "$(floats products)"
  says oracle "$oracle" && says epoch "$epoch"
}
ends() { # STATUS TEXT [ARGUMENT]: how the check ends, and a line of its table
  local status=0
  bash pack/tests/device_check/check.sh "${@:3}" >out.txt 2>&1 || status=$?
  [[ $status == "$1" ]] || wrong "status $status instead of $1: $(tail -12 out.txt)"
  grep -q "$2" out.txt || wrong "no '$2' in: $(tail -12 out.txt)"
}

all_well && ends 0 "operations.* ok, $rows test cases"
grep -q '^device check, .*, Some GPU' out.txt || wrong "the GPU is not named: $(tail -12 out.txt)"
grep -q 'time of sdumc-step *ok, 1.5 ms' out.txt || wrong "no time: $(tail -12 out.txt)"
grep -q 'memcheck.*--report-api-errors no' plan/sanitized || wrong "memcheck sees the errors of cuBLASLt's own trials"
[[ $(grep -c 'kns=lacuna' plan/sanitized) == $((2 * families)) ]] || wrong "not two tools look at our kernels alone: $(<plan/sanitized)"
all_well && ends 0 'operations *not run' --compile
ends 1 'usage' --compiled
ends 1 'usage' --only operation
echo rows_shape >plan/breaks && ends 1 'build.*FAILED' --compile
all_well && echo epoch_sdumc >plan/warns && ends 1 '1 warnings *FAILED'
all_well && says rows $((rows - 1)) && ends 1 "operations.*FAILED: $((rows - 1)) of $rows"
all_well && echo 'exit 3' >plan/small && ends 1 'memcheck.*FAILED'
all_well && echo '========= ERROR SUMMARY: 2 errors' >plan/initcheck && ends 1 'sanitizer initcheck.*FAILED'
all_well && : >plan/racecheck && ends 1 'sanitizer racecheck.*FAILED'
all_well && rm plan/gpu.says && ends 77 'operations *not run'

# Half a minute of a script that seldom changes.
if [[ ${LACUNA_LONG:-OFF} == ON ]]; then
  echo rows_shape >plan/breaks && ends 1 'build.*FAILED' # the object of the first call must not be linked
  all_well && : >plan/rows.says && ends 1 "operations.*FAILED: not all of $rows"
  all_well && says products $((matmul - 1)) && ends 1 "matrix products.*FAILED: $((matmul - 1)) of $matmul"
  all_well && says oracle $((oracle - 1)) 1 && ends 1 "references.*FAILED"
  all_well && echo 'exit 1' >plan/epoch && ends 1 'one epoch.*FAILED, see epoch.log'
  all_well && echo 'exit 1' >plan/workloads && ends 1 'time of rnc *FAILED, see timing.log'
  all_well && echo 'exit 1' >plan/profile && ends 1 'profile of sdumc-step *FAILED, see timing.log'
  all_well && echo '[[ -n ${LACUNA_CHECK_SMALL:-} ]] || exit 3' >plan/small && ends 0 'memcheck.* ok'
  all_well && says smallproducts $(($(floats products) - 1)) && ends 1 "synccheck.*FAILED: $((small - 1)) of $small"
  all_well && echo '[[ -z ${LACUNA_CHECK_SMALL:-} ]] || exit 3' >plan/rows && LACUNA_CHECK_SMALL=1 ends 0 'operations.* ok' # not from outside
  all_well && mv pack/oracle pack/kept && ends 2 'references.*not run: no reference arrays' && mv pack/kept pack/oracle
  all_well && echo 'sleep 30' >plan/epoch && LIMIT=4 ends 1 'one epoch.*FAILED: not done in time' --only epoch,memcheck
  grep -q 'memcheck.*FAILED: no time left' out.txt || wrong "went on after its time: $(tail -12 out.txt)"
fi

# Built on one machine, run on another, some parts first; logs where they are asked for.
rm -f pack/bin.tgz
all_well && ends 77 'no bin.tgz' --run
all_well && ends 0 'build.* ok' --compile
mkdir there && mv pack/bin.tgz there/
mkdir -p elsewhere && cp -r pack/tests pack/oracle there/bin.tgz elsewhere/
rm bin/nvcc
run_there() { OUT=$PWD/logs bash elsewhere/tests/device_check/check.sh --run "$@" >out.txt 2>&1; }
run_there || wrong "status $? of --run: $(tail -12 out.txt)"
grep -q 'synccheck.* ok' out.txt || wrong "not all was run: $(tail -12 out.txt)"
exists logs/table.log logs/operations.log logs/sanitizers.log logs/timing.log
(($(ls logs | wc -l) <= 9)) || wrong "too many files: $(ls logs)"
run_there --only timing,products || wrong "status $? of --only: $(tail -12 out.txt)"
[[ $(grep -c ' s$' logs/table.log) == 7 ]] && ! grep -q operations out.txt || wrong "--only runs other parts: $(<out.txt)"
