#!/usr/bin/env bash
# program.sh SCRIPT: runs one script of tests/programs in an empty folder of its own, with the places of data filled in.
set -euo pipefail
export LACUNA_DATA_DIR=${LACUNA_DATA_DIR:-$LACUNA_SOURCE_DIR/../shared/data}
export LACUNA_ORACLE_DIR=${LACUNA_ORACLE_DIR:-$LACUNA_SOURCE_DIR/../shared/oracle}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
bash "$@"
