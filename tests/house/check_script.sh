#!/usr/bin/env bash
# check_script.sh LACUNA: the script of the fresh checkout, with every program it calls replaced by one that notes the call.
set -uo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$1" "$folder/lacuna"
mkdir -p "$folder/bin" "$folder/build/examples"
# Only what any Debian has; what is missing here is missing for the script.
for tool in bash env dirname nproc cat; do ln -s "$(command -v "$tool")" "$folder/bin/"; done

stub() { # stub FILE [COMMAND]
  # shellcheck disable=SC2016
  printf '#!/usr/bin/env bash\nprintf "%%s %%s\\n" "${0##*/}" "$*" >>"%s"\n%s\n' "$folder/calls" "${2:-}" >"$folder/$1"
  chmod +x "$folder/$1"
}
status=0
complain() {
  printf '%s\n  exit %s\n  output: %s\n  calls: %s\n' "$1" "$code" "$output" "$calls"
  status=1
}
run() {
  : >"$folder/calls"
  output=$(cd / && PATH=$folder/bin "$folder/lacuna" "$@" 2>&1 </dev/null)
  code=$?
  calls=$(cat "$folder/calls")
}

stub bin/cmake
stub bin/ctest
stub build/examples/lacuna 'exit 3'

run help
[[ $code == 0 && $output == usage:* && -z $calls ]] || complain "help must print the usage and do nothing"
run
[[ $code == 0 && $output == usage:* ]] || complain "no command must print the usage"
run tset
[[ $code == 2 && $output == *"unknown command 'tset'"* && $output != *$'\n'* ]] || complain "an unknown command is one line and status 2"
run test now
[[ $code == 2 && -z $calls ]] || complain "other arguments of test are refused"

run test
[[ $code == 0 && $output == *"no apt here"*libeigen3-dev* && $calls == *"ctest --test-dir $folder/build"* ]] ||
  complain "without apt the packages are named and the build is tried"

[[ $calls == *"-DLACUNA_LONG_TESTS=OFF"* ]] || complain "test runs the long tests only where it is asked to"
run test --long
[[ $code == 0 && $calls == *"-DLACUNA_LONG_TESTS=ON"*"ctest"* ]] || complain "test --long runs the long tests"

stub bin/apt-get
stub bin/dpkg-query 'printf "install ok installed"'
run train --epochs 2
[[ $code == 3 && $calls != *apt-get* && $calls == *"lacuna train --epochs 2" ]] ||
  complain "train passes its arguments and the status on, and installs nothing that is there"

run models corrkd
[[ $code == 3 && $calls == *"--target lacuna_program"*"lacuna models corrkd" ]] || complain "other commands are handed on"

stub bin/dpkg-query '[[ $* == *libcereal-dev* ]] && exit 1; printf "install ok installed"'
stub bin/sudo '"$@"'
run test
[[ $code == 0 && $output == *"installing packages: libcereal-dev"* && $calls == *"apt-get update"*"apt-get install"*" --no-install-recommends libcereal-dev"$'\n'*"cmake -S"* ]] ||
  complain "what is missing, and only that, is named and installed before the build"

stub bin/apt-get 'exit 100'
run test
[[ $code != 0 && $calls != *"cmake -S"* ]] || complain "a failed installation stops the script"
exit $status
