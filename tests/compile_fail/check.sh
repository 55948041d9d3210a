#!/usr/bin/env bash
# check.sh COMPILER FILE PATH_FILE: the first line of FILE is "// error: REGEX", and the compiler must say it, or "// compiles".
# A second line "// flags: ..." adds flags.
set -uo pipefail
flags=()
while read -r path; do
  [[ -z $path ]] || flags+=(-idirafter "$path")
done <"$3"
{ read -r first; read -r second; } <"$2"
if [[ $second == "// flags: "* ]]; then
  read -ra more <<<"${second#// flags: }"
  flags+=("${more[@]}")
fi
if log=$("$1" -std=c++20 -fsyntax-only "${flags[@]}" "$2" 2>&1); then
  [[ $first == "// compiles" ]] && exit 0
  echo "$2 compiles and must not"
  exit 1
fi
if [[ $first != "// error: "* ]]; then
  printf '%s does not compile:\n%s\n' "$2" "$log"
  exit 1
fi
grep -qE "error: .*(${first#// error: })" <<<"$log" && exit 0
printf '%s fails with another message than %s:\n%s\n' "$2" "${first#// error: }" "$log"
exit 1
