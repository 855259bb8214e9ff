"""Statistics of a few numbers. NumPy's own of them take ten times as long, or load a module of 20 ms."""

from __future__ import annotations

import math

import numpy as np


def distinct(values: np.ndarray) -> np.ndarray:
    """The different numbers in an array of any shape, rising."""
    ordered = np.sort(values, axis=None)
    if not len(ordered):
        return ordered
    return np.asarray(ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])])


def median_of_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Of the numbers along an axis that are not NaN; NaN without any."""
    ordered = np.moveaxis(np.sort(values, axis=axis), axis, 0)  # NaN comes last
    if not len(ordered):
        return np.full(ordered.shape[1:], np.nan)
    count = (~np.isnan(ordered)).sum(axis=0)
    low, high = (
        np.take_along_axis(ordered, at[None], 0)[0] for at in (np.maximum(count - 1, 0) // 2, count // 2)
    )
    return np.where(count > 0, 0.5 * (low + high), np.nan)


def quantile(values: np.ndarray, share: float) -> np.ndarray:
    """Below which a share (0 to 1) of the numbers (n, ...) lies, along the first axis; n must not be 0.

    Between two numbers it is read off a straight line, as numpy.quantile does.
    """
    at = share * (len(values) - 1)
    low = math.floor(at)
    ordered = np.partition(values, sorted({low, min(low + 1, len(values) - 1)}), axis=0)
    return np.asarray(ordered[low] + (at - low) * (ordered[min(low + 1, len(values) - 1)] - ordered[low]))


def evenly(n: int, most: int) -> np.ndarray:
    """The numbers of `most` of n rows, or of all where there are no more, from first to last."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)
