#!/usr/bin/env bash
# replay corrkd: what it explains, what it refuses, and that it computes every array of the reference.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"

"$lacuna" replay corrkd --help >help.txt 2>errors.txt || wrong "replay corrkd --help exits with $?"
[[ ! -s errors.txt ]] || wrong "replay corrkd --help writes to standard error"
for option in file case dtype steps out; do
  grep -qE -- "^  --$option\b" help.txt || wrong "replay corrkd --help does not name --$option"
done
rm help.txt errors.txt

# CLI11 prints its own hint below the reason
"$lacuna" replay corrkd --case k3 --out x.npz >out.txt 2>&1 && wrong "replay corrkd runs without --file"
grep -q -- '--file is required' out.txt || wrong "nothing says that --file is required: $(cat out.txt)"
refuses 1 'gone\.npz: cannot be opened: No such file' "$lacuna" replay corrkd --file gone.npz --case k3 --out x.npz
printf 'no archive at all\n' >text.npz
refuses 1 'text\.npz: ' "$lacuna" replay corrkd --file text.npz --case k3 --out x.npz
absent x.npz

reference=$LACUNA_ORACLE_DIR/corrkd_net.npz
[[ -e $reference ]] || {
  echo "no $reference"
  exit 77
}
refuses 2 "has no case 'stranger'; it has k3, k2, full" "$lacuna" replay corrkd --file "$reference" --case stranger --out x.npz
refuses 1 'cannot be written' "$lacuna" replay corrkd --file "$reference" --case k3 --out no/such/folder.npz
absent x.npz

for name in k3 k2; do
  "$lacuna" replay corrkd --file "$reference" --case $name --out $name.npz >line.txt
  grep -qE "^[0-9]+ arrays in $name\.npz$" line.txt || wrong "replay corrkd says: $(cat line.txt)"
  "$lacuna" replay corrkd --file "$reference" --case $name --dtype f32 --steps 0 --out $name-f32.npz >/dev/null
done
# the same bytes again
"$lacuna" replay corrkd --file "$reference" --case k2 --out again.npz >/dev/null
same k2.npz again.npz

# Array by array. Only Python's own library: NumPy need not be there.
if command -v python3 >/dev/null; then
  cat >compare.py <<'PYTHON'
import array, ast, struct, sys, zipfile

def read(archive, name):
    data = archive.read(name)
    start = 10 + struct.unpack('<H', data[8:10])[0]
    header = ast.literal_eval(data[10:start].decode())
    kind = {'<f8': 'd', '<f4': 'f'}.get(header['descr'])
    return header, array.array(kind, data[start:]) if kind else None

reference, ours, case, allowed, steps = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5] == 'steps'
compared, worst = 0, (0.0, '')
with zipfile.ZipFile(reference) as a, zipfile.ZipFile(ours) as b:
    for name in a.namelist():
        if not name.startswith((case + '/out/', case + '/grad', case + '/step', case + '/delta')): continue
        own = name[len(case) + 1:]
        if not steps and (own.startswith(('step', 'delta')) or 'before' in own): continue
        expected, x = read(a, name)
        if own not in b.namelist(): sys.exit(f'{name} is not computed')
        found, y = read(b, own)
        if expected['shape'] != found['shape'] or len(x) != len(y):
            sys.exit(f"{name}: shape {found['shape']}, expected {expected['shape']}")
        scale = max([abs(v) for v in x] + [0.1])
        error = max([abs(u - v) for u, v in zip(x, y)] + [0.0]) / scale
        limit = max(allowed, 1.2e-7 if expected['descr'] == '<f4' else 0)  # a stored float has no more digits
        if not error <= limit: sys.exit(f'{name}: error {error:.1e}, allowed {limit:.1e}')
        compared += 1
if compared < 50: sys.exit(f'only {compared} arrays compared')
print(f'{case}: {compared} arrays agree')
PYTHON
  for name in k3 k2; do
    python3 compare.py "$reference" $name.npz $name 1e-8 steps >found.txt || wrong "replay corrkd --case $name differs"
    python3 compare.py "$reference" $name-f32.npz $name 1e-3 forward >>found.txt || wrong "replay corrkd --dtype f32 --case $name differs"
    cat found.txt
  done
fi
