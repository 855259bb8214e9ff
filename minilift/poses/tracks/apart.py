"""How large a detection is, and how far apart two are, whatever the layout and whatever is missing.

The size is the root of the mean squared distance of a person's joints from their middle. Standing or lying,
from the side or the front, it is about as long as a torso: 0.27 of the height of a standing person.
"""

from __future__ import annotations

import numpy as np

_AT_ONCE = 1 << 20  # coordinates that are worked on together
_NOWHERE = 1e9  # pixels


def placed(xy: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Points (n, J, 2) float64 with NaN for what is missing, not finite or in no picture."""
    points = np.array(xy, np.float64)
    points[missing | ~(np.abs(points) < _NOWHERE).all(axis=2)] = np.nan
    return points


def middles(points: np.ndarray) -> np.ndarray:
    """(n, 2) the mean of the joints that are there; NaN without any."""
    there = ~np.isnan(points[..., 0])
    sums = np.where(there[..., None], points, 0).sum(axis=1)
    return np.asarray(sums / np.where(there.any(axis=1), there.sum(axis=1), np.nan)[:, None])


def sizes(points: np.ndarray) -> np.ndarray:
    """(n,) the size of every detection, NaN where there are fewer than 3 joints: they show none."""
    found = np.empty(len(points))
    step = max(1, _AT_ONCE // max(points.shape[1], 1))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        squares = ((part - middles(part)[:, None]) ** 2).sum(axis=2)
        count = (~np.isnan(squares)).sum(axis=1)
        mean = np.nansum(squares, axis=1) / np.maximum(count, 1)
        found[start : start + step] = np.where(count >= 3, np.sqrt(mean), np.nan)
    return found


def mean_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) the mean distance of the joints that both have; of their middles where they share none."""
    found = np.empty(len(a))
    step = max(1, _AT_ONCE // max(a.shape[1], 1))
    for start in range(0, len(a), step):
        p, q = a[start : start + step], b[start : start + step]
        lengths = np.sqrt(((p - q) ** 2).sum(axis=2))
        common = ~np.isnan(lengths)
        count = common.sum(axis=1)
        found[start : start + step] = np.where(common, lengths, 0).sum(axis=1) / np.maximum(count, 1)
        if not count.all():
            none = np.flatnonzero(count == 0)
            offsets = middles(p[none]) - middles(q[none])
            found[start + none] = np.sqrt((offsets**2).sum(axis=1))
    return found
