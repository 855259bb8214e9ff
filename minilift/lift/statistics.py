"""Statistics of data that need not fit in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files.mapped import shown


def mean_std(data: Any, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (columns,) of every column of `data` (N, ...), in float64 and its units.

    A few thousand rows at a time: of each its mean and its squares about it, merged as in Chan, Golub &
    LeVeque, "Algorithms for computing the sample variance", 1983, equation 2.1. A column that never changes
    gets the deviation 1. Raises ValueError for rows of another number of columns, and for none.
    """
    mean, squares, seen = np.zeros(columns), np.zeros(columns), 0
    for rows in shown(data, "standardising"):
        part = np.asarray(data[rows], np.float64)
        part = part.reshape(len(part), -1)
        if part.shape[1] != columns:
            break
        centre = part.mean(axis=0)
        share = len(part) / (seen + len(part))
        squares += ((part - centre) ** 2).sum(axis=0) + (centre - mean) ** 2 * (seen * share)
        mean += (centre - mean) * share
        seen += len(part)
    if seen == 0 or seen < len(data):
        raise ValueError(f"standardise: data of shape {np.shape(data)}, expected rows of {columns} numbers")
    std = np.sqrt(squares / seen)
    # A column that never changes has nothing to scale; 1e-6 is the noise of float32 data near 1
    return mean, np.where(std > 1e-6, std, 1.0)
