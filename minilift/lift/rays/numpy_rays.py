"""Rays for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops import Array, Ops


def rays(ops: Ops, points: Array, depth: Array, out: Array) -> None:
    for axis in range(2):
        np.multiply(points[:, axis::2], depth, out=out[:, axis::3])
        np.negative(out[:, axis::3], out=out[:, axis::3])
    np.copyto(out[:, 2::3], depth)


def rays_backward(
    ops: Ops, dy: Array, points: Array, depth: Array, dpoints: Array | None, ddepth: Array
) -> None:
    np.copyto(ddepth, dy[:, 2::3])
    part = ops.scratch("part", depth.shape)
    for axis in range(2):
        np.multiply(dy[:, axis::3], points[:, axis::2], out=part)
        np.subtract(ddepth, part, out=ddepth)
        if dpoints is not None:
            np.multiply(dy[:, axis::3], depth, out=part)
            np.negative(part, out=dpoints[:, axis::2])
