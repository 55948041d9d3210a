"""Features larger than memory: writes a synthetic data set of a given size, and trains on it with the program.

    python3 larger_than_memory.py mertools FOLDER GB     features/STREAM/NAME.npy and label.npz
    python3 larger_than_memory.py csd FOLDER GB          words, labels, one large sequence and a small one; needs h5py
    python3 larger_than_memory.py train PROGRAM FOLDER [--both] [OPTION...]

`train` runs `PROGRAM train --data FOLDER OPTION...` (PROGRAM is build/examples/lacuna) for one epoch on one thread with the
features in files beside FOLDER, with `--both` again with them in memory, and prints processor seconds and the largest resident
memory. Both must leave the same losses, scores, predictions and weights to the last bit; status 1 where they do not.
"""
import filecmp
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

def split_of(i):
    return "train" if i % 10 < 6 else "valid" if i % 10 < 8 else "test"


def mertools():
    streams = {"audio": (160, 1024), "text": (50, 1024), "video": (160, 768)}
    count = int(size / sum(4 * t * d * 0.94 for t, d in streams.values()))
    labels = {"train": {}, "valid": {}, "test": {}}
    for name in streams:
        os.makedirs(f"{folder}/features/{name}", exist_ok=True)
    for i in range(count):
        label = float(np.clip(random.standard_normal(), -3, 3))
        labels[split_of(i)][f"utterance_{i:05d}"] = {"emo": str(i % 6), "val": label}
        for name, (longest, width) in streams.items():
            if i % 37 == 5 and name == "text":
                continue  # an absent modality
            frames = longest - int(random.integers(0, longest // 8))
            x = 1 + 2 * random.standard_normal((frames, width), dtype="f4")
            np.save(f"{folder}/features/{name}/utterance_{i:05d}.npy", x + label * np.sin(np.arange(width, dtype="f4")))
    np.savez(f"{folder}/label.npz", train_corpus=labels["train"], val_corpus=labels["valid"], test_corpus=labels["test"])


def csd():
    import h5py

    os.makedirs(folder, exist_ok=True)
    width, rate, words, segments = 1024, 10, 20, 4  # rows a second, words and seconds a segment
    seconds = words * segments
    count = max(20, int(size / (4 * width * rate * seconds)))
    folds = {"train": [], "valid": [], "test": []}

    def open_sequence(file, name):
        root = h5py.File(f"{folder}/{file}.csd", "w").create_group(name)
        root.create_group("metadata")["root name"] = json.dumps(name)
        return root.create_group("data")

    features, narrow, text, labels = (open_sequence(*names) for names in
                                      (("covarep", "COVAREP"), ("facet", "FACET"), ("words", "words"),
                                       ("labels", "Opinion Segment Labels")))
    for i in range(count):
        key = f"video{i:05d}"
        folds[split_of(i)].append(key)
        label = np.clip(random.standard_normal((segments, 1)), -3, 3)
        rows = 1 + 2 * random.standard_normal((rate * seconds, width), dtype="f4")
        rows += np.repeat(label, rate * words, axis=0).astype("f4") * np.sin(np.arange(width, dtype="f4"))
        for group, values, step in ((features, rows, 1 / rate), (narrow, rows[:, :32] + rows[:, 32:64], 1 / rate),
                                    (text, np.array([[b"word"]] * seconds, dtype="S32"), 1.0),
                                    (labels, label.astype("f4"), float(words))):
            starts = np.arange(len(values)) * step
            group[f"{key}/features"] = values
            group[f"{key}/intervals"] = np.stack([starts, starts + step], axis=1)
    json.dump(folds, open(f"{folder}/folds.json", "w"))


def run(program, folder, options, scratch, out):
    """Trains into the folder `out` and says what that took."""
    command = [program, "train", "--data", folder, "--scratch", scratch, "--out", out, "--epochs", "1", "--threads", "1",
               "--seeds", "1", "--draws", "20", "--quiet", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if scratch == "off" else None)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
    print(f"features in {'memory' if scratch == 'off' else 'files '}: {usage.ru_utime + usage.ru_stime:7.1f} s of processor, "
          f"peak {usage.ru_maxrss // 1024:5d} MiB", flush=True)


def differing(a, b):
    """Names of the files of trainings, below both folders, that differ. The last column of a history is a duration."""
    names = [os.path.relpath(path, a) for path in glob.glob(f"{a}/*/seed-*/*")]
    names = [name for name in names if name.endswith(("history.csv", "predictions.npz", "model.lacuna"))]
    assert any(name.endswith("history.csv") for name in names), f"{a} holds no training"

    def same(name):
        if not name.endswith("history.csv"):
            return filecmp.cmp(f"{a}/{name}", f"{b}/{name}", shallow=False)
        first, second = (re.sub(",[^,\n]*\n", "\n", open(f"{folder}/{name}").read()) for folder in (a, b))
        return first == second

    return [name for name in names if not same(name)]


def train(program, folder, *options):
    both = "--both" in options
    options = [option for option in options if option != "--both"]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(folder))) as place:
        run(program, folder, options, place, f"{place}/files")
        if both:
            run(program, folder, options, "off", f"{place}/memory")
            wrong = differing(f"{place}/files", f"{place}/memory")
            sys.exit(f"differ: {', '.join(wrong)}" if wrong else print("losses, scores, predictions and weights are equal"))


if sys.argv[1] == "train":
    train(*sys.argv[2:])
else:
    folder, size = sys.argv[2], float(sys.argv[3]) * 1e9
    random = np.random.default_rng(1)
    mertools() if sys.argv[1] == "mertools" else csd()
