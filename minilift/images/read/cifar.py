"""CIFAR-10 in its "python version": six pickles of 10,000 pictures, read without running them.

Each is a dict with `data` (N, 3072) uint8, all red, then all green, then all blue pixels of 32 x 32 row by
row, and `labels`, N whole numbers. Source: https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, read_bytes
from minilift.files.pickles.arrays import read_pickle
from minilift.images.pictures import Pictures

SIDE = 32
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)
REMEDY = "take the batches of cifar-10-python.tar.gz"


def read_batch(path: PathLike) -> Pictures:
    """The pictures of one batch.

    Raises InputError naming the file: no pickle, one that asks for code to be run, `data` or `labels`
    missing or of another form, or a label beyond the ten classes.
    """
    content = read_bytes(path, REMEDY)
    found = read_pickle(path, content, REMEDY, ("data", "labels"), "a pickle of CIFAR-10")
    if not isinstance(found, dict) or not {"data", "labels"} <= found.keys():
        raise file_error(path, f"no dict with data and labels; {REMEDY}")
    data, labels = found["data"], _labels(path, found["labels"])
    wanted = 3 * SIDE * SIDE
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (wanted,):
        has = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise file_error(path, f"data is {has}, not uint8 (N, {wanted}); {REMEDY}")
    if len(labels) != len(data) or not len(data):
        raise file_error(path, f"{len(labels)} labels for {len(data)} pictures; {REMEDY}")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise file_error(
            path, f"labels from {labels.min()} to {labels.max()}, the classes are 0 to 9; {REMEDY}"
        )
    return Pictures(data.reshape(-1, 3, SIDE, SIDE), labels, CLASSES)


def _labels(path: PathLike, found: Any) -> np.ndarray:
    plain = isinstance(found, list) and all(type(label) is int and abs(label) < 2**31 for label in found)
    if not plain and not (isinstance(found, np.ndarray) and found.dtype.kind in "iu" and found.ndim == 1):
        raise file_error(path, f"labels is no list of whole numbers; {REMEDY}")
    return np.asarray(found, dtype=np.int64)


def read_cifar10(folder: PathLike, part: str = "train") -> Pictures:
    """Part "train" (50,000 pictures in five files) or "test" (10,000 in one) of a folder.

    The folder may also be the one above cifar-10-batches-py. Raises InputError as `read_batch`, and for
    files that are not there.
    """
    place = Path(folder)
    inner = place / "cifar-10-batches-py"
    place = inner if inner.is_dir() else place
    if not place.is_dir():
        raise file_error(folder, "is not a folder; give the one that has data_batch_1 in it")
    read = [read_batch(place / name) for name in (TRAIN if part == "train" else TEST)]
    pixels, labels = (np.concatenate([getattr(r, name) for r in read]) for name in ("pixels", "labels"))
    return Pictures(pixels, labels, CLASSES)
