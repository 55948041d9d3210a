#!/usr/bin/env bash
# check.sh NM OBJECT: the object defines nothing that another object of the same program may not define too.
set -uo pipefail
[[ -s $2 ]] || { echo "no object $2"; exit 1; }
"$1" --version >/dev/null || exit 1
strong=$("$1" -C --defined-only "$2" | grep -E '^[0-9a-f]* [TDBRC] ')
[[ -z $strong ]] || { printf 'defined once in every file that includes it:\n%s\n' "$strong"; exit 1; }
