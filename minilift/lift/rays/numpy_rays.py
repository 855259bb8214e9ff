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


def given(ops: Ops, x: Array, out: Array) -> None:
    columns, hidden = x.shape[1], _hidden(ops, x)
    np.logical_not(hidden, out=out[:, columns:])
    for axis in range(2):
        np.copyto(out[:, axis:columns:2], x[:, axis::2])
        np.copyto(out[:, axis:columns:2], 0, where=hidden)


def given_backward(ops: Ops, dy: Array, x: Array, out: Array) -> None:
    hidden = _hidden(ops, x)
    np.copyto(out, dy[:, : x.shape[1]])
    for axis in range(2):
        np.copyto(out[:, axis::2], 0, where=hidden)


def place(ops: Ops, points: Array, o: Array, out: Array) -> None:
    hidden = _hidden(ops, points)
    for axis in range(2):
        np.copyto(out[:, axis::3], points[:, axis::2])
        np.copyto(out[:, axis::3], o[:, axis::3], where=hidden)
        np.multiply(out[:, axis::3], o[:, 2::3], out=out[:, axis::3])
        np.negative(out[:, axis::3], out=out[:, axis::3])
    np.copyto(out[:, 2::3], o[:, 2::3])


def place_backward(ops: Ops, dy: Array, points: Array, o: Array, dpoints: Array | None, do: Array) -> None:
    hidden = _hidden(ops, points)
    part = ops.scratch("part", hidden.shape)
    np.copyto(do[:, 2::3], dy[:, 2::3])
    for axis in range(2):
        np.copyto(part, points[:, axis::2])
        np.copyto(part, o[:, axis::3], where=hidden)
        np.multiply(part, dy[:, axis::3], out=part)
        np.subtract(do[:, 2::3], part, out=do[:, 2::3])
        np.multiply(dy[:, axis::3], o[:, 2::3], out=part)
        np.negative(part, out=part)
        np.copyto(do[:, axis::3], 0)
        np.copyto(do[:, axis::3], part, where=hidden)
        if dpoints is not None:
            np.copyto(part, 0, where=hidden)
            np.copyto(dpoints[:, axis::2], part)


def _hidden(ops: Ops, points: Array) -> np.ndarray:
    """Which joints were not seen (n, J), in the place of an array that is there."""
    n, joints = points.shape[0], points.shape[1] // 2
    mask: np.ndarray = ops.scratch("hidden", (n, joints)).view(bool)[:, :joints]
    return np.isnan(points[:, 0::2], out=mask)
