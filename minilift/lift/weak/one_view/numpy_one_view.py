"""The operations of one view for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops import Array, Ops


def turned_against(
    ops: Ops, scores: Array, dimages: Array, weight: float, total: Array, out: Array, farthest: float
) -> None:
    s = np.maximum(scores[:, :1] - scores[:, 1:], -farthest)
    total += weight * np.logaddexp(0, -s, dtype=np.float64).mean()
    np.multiply(dimages, -2 * weight * np.exp(-s), out=out)
