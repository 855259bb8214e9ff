"""Small files of pictures in every format that is read, made by hand."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile

import numpy as np

POINTS = ("left_eye", "nose_tip")


def idx(array: np.ndarray) -> bytes:
    return (
        struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
    )


def idx_pair(n: int = 6, side: int = 5, seed: int = 0) -> tuple[bytes, bytes, np.ndarray, np.ndarray]:
    """Gzipped pictures and labels, and the arrays that they are."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, side, side)).astype(np.uint8)
    labels = np.arange(n) % 10
    return gzip.compress(idx(pixels)), gzip.compress(idx(labels)), pixels, labels


def cifar(n: int = 4, seed: int = 0, protocol: int = 2) -> tuple[bytes, np.ndarray, list[int]]:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 3072)).astype(np.uint8)
    labels = [i % 10 for i in range(n)]
    found = {b"batch_label": b"training", b"labels": labels, b"data": pixels, b"filenames": [b"a.png"] * n}
    return pickle.dumps(found, protocol), pixels, labels


def points_csv(n: int = 4, side: int = 4, missing: tuple[int, ...] = (2,)) -> str:
    """A table of points in pictures; the rows `missing` lack a y."""
    head = ",".join(f"{name}_{axis}" for name in POINTS for axis in "xy")
    rows = []
    for i in range(n):
        cells = [f"{i + k / 4:.2f}" for k in range(2 * len(POINTS))]
        cells[1] = "" if i in missing else cells[1]
        rows.append(",".join([*cells, " ".join(str((i * 40 + j) % 256) for j in range(side * side))]))
    return "\n".join([f"{head},Image", *rows, ""])


def zipped_csv(text: str, name: str = "training.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()
