#!/usr/bin/env bash
# check.sh NM OBJECT...: none of them defines anything that another object of the same program may not define too.
# Locks of OpenMP's critical sections are common to all objects on purpose.
set -uo pipefail
"$1" --version >/dev/null || exit 1
status=0
for object in "${@:2}"; do
  [[ -s $object ]] || { echo "no object $object"; exit 1; }
  strong=$("$1" -C --defined-only "$object" | grep -E '^[0-9a-f]* [TDBRC] ' | grep -v ' C \.gomp_critical_user_')
  [[ -z $strong ]] || { printf '%s\ndefined once in every file that includes it:\n%s\n' "$object" "$strong"; status=1; }
done
exit $status
