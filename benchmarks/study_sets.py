"""Data sets that no recipe was tuned on, for benchmarks/study: what real corpora do to a model, one trouble in each.

    python3 study_sets.py FOLDER          writes FOLDER/NAME.npz for every name below; docs/data.md has the form
    python3 study_sets.py FOLDER 1        another draw of each, on which recipes may be tuned

A sample has six latent factors s ~ N(0, I). A modality sees some of them through a random matrix, beside private factors and
noise; a modality of sequences says it in a quarter of its frames, the others are noise. The label is tanh(2 s_0) + s_1 + s_2
s_3 / 2 + s_4 - s_5 / 2, scaled to deviation 1, or its classes; what one modality lacks the others tell in part.

    heavy            utterances; labels around 2 whose noise has heavy tails (Student, 2.5 degrees of freedom)
    around_two       sequences of 5 to 20 frames; labels around 2, noise of the same kind
    nine_to_one      utterances, two classes as 9 to 1 (by thresholds for a normal label: 6 to 1 of those drawn)
    rare             sequences, three classes as 20 to 1 to 1 (drawn: 23)
    small            200 training samples, utterances, real labels
    six              six modalities, four classes of like size, one modality in ten absent in the file itself
    scales           modalities of 1, 2000 and 30 features, in units of 1e-3, 1e4 and 1; real labels
    lengths          120 training samples, sequences of 1 to 300 frames (uniform in the logarithm), real labels
    noise            one of four modalities is noise through and through; real labels
    conversations    12 utterances a conversation; each has a level of its own, which labels and audio share
    units            utterances; labels of mean 50 and deviation 20, as scores in percent are
    linear           utterances; the label is a sum of four factors under noise of four times its variance
    stars            sequences; labels 1, 2, 3, 4, 5, most of them 4 and 5
    two              two modalities, sequences, real labels
    four             sequences; labels around 2 with heavy tails, one of four modalities is noise
    still            sequences whose frames all tell: their mean is best
    skewed           utterances; positive labels with a long tail (exp of the label)
    wide             300 training samples of 512, 768 and 1024 features; labels around 2
    binary150        150 training samples, utterances, two classes of like size
    three300         300, utterances, three classes
    tiny             100, sequences, three classes
    seq250           250, sequences, two classes
    emotions         500, sequences of 10 to 50 frames, four classes as 10 to 5 to 3 to 2
"""
import sys

import numpy as np

FACTORS = 6
DRAW = int(sys.argv[2]) if len(sys.argv) > 2 else 0
SEQUENCES = {"train": 400, "valid": 150, "test": 400}
SIZES = {"train": 600, "valid": 200, "test": 500}


class Modality:
    """What one modality sees: (samples, features), or (samples, frames, features) with lengths."""

    def __init__(self, random, features, sees, noise=0.5, scale=1.0, frames=(1, 1), telling=0.25):
        self.matrix = random.standard_normal((len(sees) + 3, features)) / np.sqrt(len(sees) + 3)
        self.sees, self.noise, self.scale, self.frames, self.telling = sees, noise, scale, frames, telling
        self.offset = random.standard_normal(features)

    def __call__(self, random, s):
        private = random.standard_normal((len(s), 3))
        still = np.concatenate([s[:, self.sees], private], axis=1) @ self.matrix
        low, high = self.frames
        length = random.integers(low, high + 1, size=len(s))
        if high > 100:
            length = np.exp(random.uniform(np.log(low), np.log(high + 1), size=len(s))).astype("i8")
        x = self.noise * random.standard_normal((len(s), high, still.shape[1]))
        for n in range(len(s)):  # a quarter of the frames, at least one, tells
            telling = random.permutation(length[n])[: max(1, int(length[n] * self.telling))]
            x[n, telling] += still[n]
        x = (self.scale * (x + self.offset)).astype("f4")
        x[np.arange(high)[None, :] >= length[:, None]] = 0
        return (x[:, 0], None) if high == 1 else (x, length)


def level(s):
    y = np.tanh(2 * s[:, 0]) + s[:, 1] + 0.5 * s[:, 2] * s[:, 3] + s[:, 4] - 0.5 * s[:, 5]
    return y / 1.75


def student(random, count):
    return random.standard_t(2.5, size=count) / 2


def classes_of(y, shares):
    """Class ids with these shares, by thresholds of a normal variable of deviation 1."""
    edges = np.quantile(np.random.default_rng(0).standard_normal(200000), np.cumsum(shares)[:-1])
    return np.searchsorted(edges, y).astype("i8")


def write(folder, name, seed, modalities, label, sizes=SIZES, absent=0.0, factors=None):
    random = np.random.default_rng([seed, DRAW])
    made = {m: Modality(random, **facts) for m, facts in modalities.items()}
    arrays = {}
    for split, count in sizes.items():
        s = random.standard_normal((count, FACTORS))
        if factors is not None:
            factors(random, s, arrays, split)
        for m, sees in made.items():
            x, length = sees(random, s)
            if absent > 0 and length is None:  # an absent modality is a mask of 0
                here = random.random(count) >= absent
                x = np.where(here[:, None], x, 0)
                arrays[f"{split}_{m}_mask"] = here[:, None].astype("u1")
                x = x[:, None, :]
            arrays[f"{split}_{m}"] = x.astype("f4")
            if length is not None:
                arrays[f"{split}_{m}_length"] = length.astype("i8")
        y = label(random, s)
        arrays[f"{split}_class" if y.dtype.kind == "i" else f"{split}_label"] = y if y.dtype.kind == "i" else y.astype("f4")
        arrays[f"{split}_id"] = np.array([f"{split}{n:04d}" for n in range(count)], dtype="S")
    np.savez(f"{folder}/{name}.npz", **arrays)


def three(frames=(1, 1), **facts):
    return {
        "audio": dict(features=30, sees=[0, 1, 2], frames=frames, **facts),
        "text": dict(features=50, sees=[0, 1, 2, 3, 4], frames=frames, **facts),
        "video": dict(features=20, sees=[2, 3, 4, 5], frames=frames, **facts),
    }


def conversation(random, s, arrays, split):
    """Twelve utterances share most of a level, which is the factor s_1 of each."""
    talk = np.arange(len(s)) // 12
    s[:, 1] = 0.9 * random.standard_normal(talk.max() + 1)[talk] + 0.44 * s[:, 1]
    arrays[f"{split}_dialogue"] = np.array([f"{split}-talk{t:03d}" for t in talk], dtype="S")
    arrays[f"{split}_speaker"] = np.array([f"{split}-{t}-{n % 2}" for n, t in enumerate(talk)], dtype="S")


def noisy(deviation):
    return lambda random, s: level(s) + deviation * random.standard_normal(len(s))


def make(folder):
    heavy = lambda random, s: 2 + level(s) + student(random, len(s))
    write(folder, "heavy", 1, three(), heavy)
    write(folder, "around_two", 2, three((5, 20)), heavy, SEQUENCES)
    write(folder, "nine_to_one", 3, three(), lambda r, s: classes_of(noisy(0.3)(r, s), [0.9, 0.1]))
    rare = lambda r, s: classes_of(noisy(0.3)(r, s), [20 / 22, 1 / 22, 1 / 22])
    write(folder, "rare", 4, three((5, 20)), rare, SEQUENCES)
    write(folder, "small", 5, three(), noisy(0.5), {"train": 200, "valid": 60, "test": 500})
    write(
        folder, "six", 6,
        {f"view{m}": dict(features=10 + 8 * m, sees=[m, (m + 1) % 6, (m + 2) % 6]) for m in range(6)},
        lambda r, s: classes_of(noisy(0.3)(r, s), [0.25] * 4), absent=0.1,
    )
    write(
        folder, "scales", 7,
        {
            "depth": dict(features=1, sees=[1], scale=1e-3, noise=0.1),
            "text": dict(features=2000, sees=[0, 2, 3, 4], scale=1e4, noise=3.0),
            "video": dict(features=30, sees=[0, 1, 4, 5]),
        },
        noisy(0.3),
    )
    write(folder, "lengths", 8, three((1, 300)), noisy(0.3), {"train": 120, "valid": 40, "test": 120})
    write(folder, "noise", 9, three() | {"sensor": dict(features=100, sees=[])}, noisy(0.3))
    write(folder, "conversations", 10, three(), noisy(0.5), {"train": 600, "valid": 180, "test": 480}, factors=conversation)
    write(folder, "units", 11, three(), lambda random, s: 50 + 20 * noisy(0.3)(random, s))

    write(folder, "linear", 101, three(), lambda r, s: s[:, [0, 1, 3, 5]].sum(axis=1) / 2 + 2 * r.standard_normal(len(s)))
    write(folder, "stars", 102, three((5, 20)), lambda r, s: np.clip(np.rint(1.2 * noisy(0.4)(r, s) + 4.2), 1, 5), SEQUENCES)
    listens = dict(features=40, sees=[0, 1, 2, 3], frames=(5, 30))
    reads = dict(features=60, sees=[0, 2, 4, 5], frames=(3, 12))
    write(folder, "two", 105, {"audio": listens, "text": reads}, noisy(0.3), SEQUENCES)
    write(folder, "four", 106, three((4, 16)) | {"gaze": dict(features=12, sees=[], frames=(4, 40))}, heavy, SEQUENCES)
    write(folder, "still", 107, three((5, 20), telling=1.0), noisy(0.4), SEQUENCES)
    write(folder, "skewed", 108, three(), lambda r, s: np.exp(0.8 * noisy(0.3)(r, s)))
    write(
        folder, "wide", 110,
        {
            "audio": dict(features=512, sees=[0, 1, 2]),
            "text": dict(features=768, sees=[0, 1, 2, 3, 4], noise=1.0),
            "video": dict(features=1024, sees=[2, 3, 4, 5]),
        },
        lambda r, s: 2 + noisy(0.4)(r, s), {"train": 300, "valid": 100, "test": 400},
    )
    few(folder)


def few(folder):
    """Class ids of which there are few samples."""
    classes = lambda shares, deviation=0.3: lambda r, s: classes_of(noisy(deviation)(r, s), shares)
    write(folder, "binary150", 103, three(), classes([0.5, 0.5], 0.5), {"train": 150, "valid": 50, "test": 500})
    write(folder, "three300", 203, three(), classes([0.4, 0.35, 0.25]), {"train": 300, "valid": 100, "test": 500})
    write(folder, "tiny", 109, three((5, 20)), classes([0.4, 0.3, 0.3]), {"train": 100, "valid": 40, "test": 400})
    write(folder, "seq250", 209, three((5, 20)), classes([0.5, 0.5]), {"train": 250, "valid": 80, "test": 400})
    write(folder, "emotions", 104, three((10, 50)), classes([0.5, 0.25, 0.15, 0.1]), {"train": 500, "valid": 150, "test": 400})


if __name__ == "__main__":
    make(sys.argv[1])
