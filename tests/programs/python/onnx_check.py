"""onnx_check.py MODEL.onnx SET.npz TOLERANCE MISSING=PREDICTIONS.csv...: onnxruntime and `lacuna predict --probabilities`.

All samples in one batch; then one by one, cut at their own last frame; then in batches of five, with frames added behind.
MISSING is a modality, or - for none. NaN stands in absent frames: nothing may read it. --own-batch: only the one batch, of
models that read its length.
"""
import csv
import sys

import numpy as np
import onnx
import onnxruntime

model, data, tolerance = sys.argv[1], np.load(sys.argv[2]), float(sys.argv[3])
onnx.checker.check_model(model, full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
streams = [i.name for i in session.get_inputs() if not i.name.endswith("_present")]
outputs = [o.name for o in session.get_outputs()]
worst = 0.0

for pair in (a for a in sys.argv[4:] if a != "--own-batch"):
    missing, path = pair.split("=")
    rows = list(csv.DictReader(open(path)))
    expected = {"prediction": np.array([float(r["prediction"]) for r in rows])}
    if "probabilities" in outputs:
        columns = [c for c in rows[0] if c.startswith("p_")]
        expected["probabilities"] = np.array([[float(r[c]) for c in columns] for r in rows])
    whole = {}
    for name in streams:
        present = data[f"test_{name}_mask"].astype(bool)
        if name == missing:
            present = np.zeros_like(present)
        frames = data[f"test_{name}"].copy()
        frames[~present] = np.nan
        whole[name], whole[name + "_present"] = frames, present

    def compare(samples, feeds):
        global worst
        for name, found in zip(outputs, session.run(None, feeds)):
            want = expected[name][samples]
            if found.shape != want.shape:
                sys.exit(f"{model}: {name} has shape {found.shape}, expected {want.shape}")
            error = np.max(np.abs(found - want) / np.maximum(1, np.abs(want)))
            worst = max(worst, error)
            if not error <= tolerance:
                sys.exit(f"{model} without {missing}, samples {samples}: {name} is off by {error}: {found} for {want}")

    count = len(rows)
    compare(np.arange(count), whole)
    if "--own-batch" in sys.argv:
        continue
    for i in range(count):
        feeds = {}
        for name in streams:
            present = whole[name + "_present"][i : i + 1]
            end = max(1, int(np.max(np.nonzero(present[0])[0], initial=0)) + 1)
            feeds[name], feeds[name + "_present"] = whole[name][i : i + 1, :end], present[:, :end]
        compare(np.array([i]), feeds)
    for begin in range(0, count, 5):
        some = np.arange(begin, min(begin + 5, count))
        feeds = {}
        for k, name in enumerate(streams):
            wide = ((0, 0), (0, k + 1))
            feeds[name] = np.pad(whole[name][some], wide + ((0, 0),), constant_values=np.nan)
            feeds[name + "_present"] = np.pad(whole[name + "_present"][some], wide)
        compare(some, feeds)
print(f"{model}: worst difference {worst:.1e}")
