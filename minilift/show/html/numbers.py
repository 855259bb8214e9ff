"""Numbers of a page as bytes: coordinates in 16 bits, as steps of the reach of their own pose, in base64."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import numpy as np

STEPS = 32_767  # of a coordinate, from 0 to the farthest of its pose
NONE = -32_768  # stands for NaN


def spread(n: int, most: int) -> np.ndarray:
    """At most `most` of 0 ... n - 1, evenly, with the first and the last."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.int64)


def reach(points: np.ndarray) -> np.ndarray:
    """The largest absolute coordinate of each pose (n, J, d), above 0: (n,). NaN does not count."""
    return np.maximum(np.nan_to_num(np.abs(points)).max(axis=(1, 2)), 1e-9)


def quantised(points: np.ndarray, reaches: np.ndarray) -> np.ndarray:
    """Poses (n, J, d) as int16 of the same shape: a coordinate is reach * int16 / STEPS, NaN is NONE."""
    steps = np.clip(np.round(points / reaches[:, None, None].astype(np.float64) * STEPS), -STEPS, STEPS)
    return np.where(np.isnan(steps), NONE, steps).astype("<i2")


def in_base64(arrays: Iterable[np.ndarray]) -> str:
    """The bytes of arrays, one after the other. The wider numbers come first, so that all lie aligned."""
    return base64.b64encode(b"".join(array.tobytes() for array in arrays)).decode()
