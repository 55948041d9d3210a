#!/usr/bin/env bash
# check_includes.sh INCLUDE_DIR: which room may include which, which standard headers are too slow to compile for the core,
# how long a header may be, and where helpers live.
set -uo pipefail
cd "$1" || exit 1
status=0
complain() {
  printf '%s\n' "$*"
  status=1
}

# may_include ROOM: the rooms its headers may name.
may_include() {
  local chain="core kernels autograd ops nn losses optim models train"
  case $1 in
    core | kernels | autograd | ops | nn | losses | optim) echo "${chain%%"$1"*}$1" ;;
    models) echo "core kernels autograd ops nn losses optim models data missing" ;;
    train) echo "$chain data missing io" ;;
    # Files hold tensors, and the parameters of modules and optimizers by name; data sets and models stay unknown to them.
    io) echo "core autograd nn optim io" ;;
    data) echo "core io data interop" ;; # interop/xtensor.hpp, which sees tensors alone
    missing) echo "core io data missing" ;;
    lab) echo "$chain data missing io lab" ;;
    zoo) echo "$chain data missing io lab zoo" ;;
    language) echo "$chain io language" ;; # models that are files
    speech) echo "$chain data missing io lab zoo language speech" ;;
    # Leaves: they may see all, nobody sees them.
    interop) echo "$chain data missing io interop" ;;
    distributed) echo "$chain data missing io distributed" ;;
  esac
}

while IFS= read -r header; do
  path=${header#lacuna/}
  room=${path%%/*}
  lines=$(wc -l <"$header")
  ((lines <= 500)) || complain "$header: $lines lines, at most 500"
  [[ $path == */* ]] || continue # lacuna.hpp, cuda.cuh, version.hpp: the front doors
  allowed=$(may_include "$room")
  if [[ -z $allowed ]]; then
    complain "$header: room '$room' has no place in the order; add it to tests/house/check_includes.sh"
    continue
  fi
  while IFS= read -r target; do
    case $target in
      lacuna.hpp | cuda.cuh) complain "$header: includes the front door lacuna/$target" ;;
      */*) [[ " $allowed " == *" ${target%%/*} "* ]] || complain "$header: room $room may not include lacuna/$target" ;;
    esac
  done < <(sed -nE 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]lacuna/([^">]+)[">].*|\1|p' "$header")
  # lacuna::models::detail would hide lacuna::detail, and `detail::cat` with it, in every other header of models.
  [[ -z $(awk '/^namespace lacuna::/ { nested = 1 } /^}/ { nested = 0 }
               (nested && /namespace detail/) || /^namespace lacuna::[a-z_:]+::detail/' "$header") ]] ||
    complain "$header: opens a detail inside a nested namespace; the one detail is lacuna::detail"
  case $room in
    core | kernels | autograd | ops | nn | losses | optim | missing | models)
      slow=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<(random|regex|iostream|functional|filesystem)>' "$header")
      [[ -z $slow ]] || complain "$header:$slow costs every user 0.4 to 1 s per file"
      ;;
  esac
done < <(find lacuna -name '*.hpp' -o -name '*.cuh' | sort)

# Above kernels/ and core/, what differs between devices is an overload or a constant of a family of kernels.
while IFS= read -r fork; do
  complain "$fork: asks for the host; overload on the device, or ask its kernels"
done < <(grep -rnE 'is_same_v<[^>]*\bCpu>' lacuna --include='*.hpp' | grep -vE '^lacuna/(core|kernels)/')

# lines_behind HEADER: the lines of all our headers that it includes, itself among them.
lines_behind() {
  local -A seen=([$1]=1)
  local waiting=("$1") header target
  while ((${#waiting[@]})); do
    header=${waiting[-1]} && unset 'waiting[-1]'
    while IFS= read -r target; do
      [[ -n ${seen[$target]:-} ]] || { seen[$target]=1 && waiting+=("$target"); }
    done < <(sed -nE 's|^#include "(lacuna/[^"]+)".*|\1|p' "$header")
  done
  cat "${!seen[@]}" | wc -l
}
lines=$(lines_behind lacuna/ops/arithmetic.hpp)
((lines < 2500)) || complain "lacuna/ops/arithmetic.hpp: includes $lines lines of ours, the budget is 2,499"
exit $status
