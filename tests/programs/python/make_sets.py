"""real.npz and classes.npz: three streams of different lengths, with gaps inside sequences and absent modalities."""
import numpy as np

random = np.random.default_rng(7)
for kind in ("real", "classes"):
    arrays = {}
    for split, count in (("train", 30), ("valid", 12), ("test", 14)):
        for name, frames, size in (("audio", 7, 3), ("text", 5, 4), ("video", 9, 2)):
            lengths = random.integers(1, frames + 1, count)
            mask = np.arange(frames)[None] < lengths[:, None]
            mask &= random.random((count, frames)) > 0.2  # gaps, and now and then nothing at all
            arrays[f"{split}_{name}"] = (3 + 2 * random.standard_normal((count, frames, size))).astype("f4")
            arrays[f"{split}_{name}_mask"] = mask.astype("u1")
        if kind == "real":
            arrays[f"{split}_label"] = random.standard_normal(count).astype("f4")
        else:
            arrays[f"{split}_class"] = random.integers(0, 3, count)
        arrays[f"{split}_id"] = np.array([f"{split}-{i}" for i in range(count)], dtype="S")
    np.savez(kind + ".npz", **arrays)
