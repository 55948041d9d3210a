"""Writes a synthetic data set of a given size: see larger_than_memory.cpp.

    python3 larger_than_memory.py mertools FOLDER GB     features/STREAM/NAME.npy and label.npz
    python3 larger_than_memory.py csd FOLDER GB          words, labels and one large sequence; needs h5py
"""
import json
import os
import sys

import numpy as np

kind, folder, size = sys.argv[1], sys.argv[2], float(sys.argv[3]) * 1e9
random = np.random.default_rng(1)


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

    features, text, labels = (open_sequence(*names) for names in
                              (("covarep", "COVAREP"), ("words", "words"), ("labels", "Opinion Segment Labels")))
    for i in range(count):
        key = f"video{i:05d}"
        folds[split_of(i)].append(key)
        label = np.clip(random.standard_normal((segments, 1)), -3, 3)
        rows = 1 + 2 * random.standard_normal((rate * seconds, width), dtype="f4")
        rows += np.repeat(label, rate * words, axis=0).astype("f4") * np.sin(np.arange(width, dtype="f4"))
        for group, values, step in ((features, rows, 1 / rate),
                                    (text, np.array([[b"word"]] * seconds, dtype="S32"), 1.0),
                                    (labels, label.astype("f4"), float(words))):
            starts = np.arange(len(values)) * step
            group[f"{key}/features"] = values
            group[f"{key}/intervals"] = np.stack([starts, starts + step], axis=1)
    json.dump(folds, open(f"{folder}/folds.json", "w"))


mertools() if kind == "mertools" else csd()
