#!/usr/bin/env bash
# The check for a machine with a GPU (tests/device_check/check.sh) with stand-ins for nvcc, the GPU and the sanitizer: it is well
# only when everything was built, run in full, and found nothing.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

mkdir -p pack/{include,oracle,beside/lib} bin plan
mkdir pack/tests
cp -r "$LACUNA_SOURCE_DIR/tests/"{device_check,models} pack/tests/
unset LACUNA_CHECK_WORK
export plan=$PWD/plan LACUNA_CHECK_JOBS=1 PATH=$PWD/bin:$PATH
# cases FILE...: how many test cases the programs have
cases() { cat "$@" | sed -nE 's/^TEST_CASE.*/1/p; s/^LACUNA_CHECK_ROWS.*/1\n1/p' | wc -l; }
rows=$(cases pack/tests/device_check/rows_*.cu) oracle=$(cases pack/tests/models/{sdumc,corrkd}_oracle_test.cpp)
epoch=$(cases pack/tests/device_check/epoch_*.cu)

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
printf '#!/usr/bin/env bash\n[[ -f $plan/%s ]] && source "$plan/%s"\necho "$(<$plan/%s.says)"\n' "$out" "$out" "$out" >"$out"
chmod +x "$out"
STOP
printf '#!/usr/bin/env bash\necho "Some GPU, 1.2"\n' >bin/nvidia-smi
cat >bin/compute-sanitizer <<'STOP'
#!/usr/bin/env bash
tool=$2
"${@: -1}" || exit
[[ -f $plan/$tool ]] && { cat "$plan/$tool"; exit 0; }
[[ $tool == racecheck ]] && echo "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"
[[ $tool == racecheck ]] || echo "========= ERROR SUMMARY: 0 errors"
STOP
chmod +x bin/*
says() { echo "[doctest] test cases: $2 | $2 passed | 0 failed | ${3:-0} skipped" >"plan/$1.says"; }
all_well() {
  rm -f plan/*
  says rows "$rows" && says oracle "$oracle" && says epoch "$epoch"
}
ends() { # STATUS TEXT [ARGUMENT]: how the check ends, and a line of its table
  local status=0
  bash pack/tests/device_check/check.sh "${@:3}" >out.txt 2>&1 || status=$?
  [[ $status == "$1" ]] || wrong "status $status instead of $1: $(tail -12 out.txt)"
  grep -q "$2" out.txt || wrong "no '$2' in: $(tail -12 out.txt)"
}

all_well && ends 0 "operations.* ok, $rows test cases"
all_well && ends 0 'operations *not run' --compile
ends 1 'usage' --compiled
echo rows_shape >plan/breaks && ends 1 'build.*FAILED' --compile
echo rows_shape >plan/breaks && ends 1 'build.*FAILED' # the object of the first call must not be linked
all_well && echo epoch_sdumc >plan/warns && ends 1 '1 warnings *FAILED'
all_well && says rows $((rows - 1)) && ends 1 "operations.*FAILED: $((rows - 1)) of $rows"
all_well && : >plan/rows.says && ends 1 "operations.*FAILED: not all of $rows"
all_well && says oracle $((oracle - 1)) 1 && ends 1 "references.*FAILED"
all_well && echo 'exit 1' >plan/epoch && ends 1 'one epoch.*FAILED, see epoch.log'
all_well && echo '[[ -z ${LACUNA_CHECK_SMALL:-} ]] || exit 3' >plan/rows && ends 1 'memcheck.*FAILED'
all_well && echo '========= ERROR SUMMARY: 2 errors' >plan/initcheck && ends 1 'initcheck: FAILED'
all_well && : >plan/racecheck && ends 1 'racecheck: FAILED'
all_well && LACUNA_CHECK_SMALL=1 ends 0 'operations.* ok' # of no influence from outside
all_well && mv pack/oracle pack/kept && ends 2 'references.*not run: no reference arrays' && mv pack/kept pack/oracle
all_well && printf '#!/usr/bin/env bash\nexit 1\n' >bin/nvidia-smi && ends 77 'operations *not run'
