"""same_arrays.py A.npz B: every array of A is in B (.npz, .safetensors), of equal type and bits."""
import json
import sys

import numpy as np

a, path = np.load(sys.argv[1]), sys.argv[2]
if path.endswith(".npz"):
    b = np.load(path)
else:
    from safetensors import safe_open
    from safetensors.numpy import load_file

    b = load_file(path)
    with safe_open(path, "numpy") as file:
        b.update((name, np.array(json.loads(text), dtype="S")) for name, text in file.metadata().items() if text.startswith("["))
for name in a.files:
    one, other = a[name], b[name]
    if other.dtype.kind == "U":
        other = other.astype("S")
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind or one.tobytes() != other.tobytes():
        sys.exit(f"{path}: {name} is {other.dtype} {other.shape}, expected the bits of {one.dtype} {one.shape}")
