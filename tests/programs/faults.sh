#!/usr/bin/env bash
# Memory, disk and files fail once, in every command: one line, status 1, nothing lost. LACUNA_FAULTS (CMake) says how often.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
LD_PRELOAD=$LACUNA_FAULT_LIBRARY "$lacuna" version >/dev/null 2>&1 || {
  echo "skipped: nothing can be preloaded into this build"
  exit 77
}
bash "$LACUNA_SOURCE_DIR/tests/support/faults.sh"
