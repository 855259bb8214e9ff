"""How large people are in the image, for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops import Array, Ops


def sized(
    ops: Ops, x: Array, size: Array, points: Array | None, out: Array, joints: int, least: float
) -> None:
    image = x[:, : 2 * joints]
    if points is not None:
        np.copyto(points, image)
    squares = np.multiply(image, image, out=out[:, : 2 * joints])
    unseen = np.isnan(squares[:, 0::2]) | np.isnan(squares[:, 1::2])
    for axis in range(2):
        np.copyto(squares[:, axis::2], 0, where=unseen)
    seen = joints - np.count_nonzero(unseen, axis=1)
    size[:, 0] = np.maximum(np.sqrt(squares.sum(axis=1) / np.maximum(seen, 1)), least)
    np.divide(x, size, out=out)


def sized_backward(
    ops: Ops, dout: Array, dsize: Array, direct: Array, x: Array, size: Array, dx: Array, joints: int,
    least: float,
) -> None:  # fmt: skip
    image = x[:, : 2 * joints]
    unseen = np.isnan(image[:, 0::2]) | np.isnan(image[:, 1::2])
    known = np.where(np.isnan(x), 0, x)
    for axis in range(2):
        np.copyto(known[:, axis : 2 * joints : 2], 0, where=unseen)
    total = dsize - (dout * known).sum(axis=1, keepdims=True) / (size * size)
    total = np.where(size > least, total, 0) / size
    total /= np.maximum(joints - np.count_nonzero(unseen, axis=1), 1)[:, None]
    np.divide(dout, size, out=dx)
    dx[:, : 2 * joints] += total * known[:, : 2 * joints] + direct


def with_size(ops: Ops, x: Array, size: Array, out: Array, scale: float, shift: float) -> None:
    np.copyto(out[:, :-1], x)
    np.log(size[:, 0], out=out[:, -1])
    np.multiply(out[:, -1], scale, out=out[:, -1])
    np.add(out[:, -1], shift, out=out[:, -1])


def with_size_backward(ops: Ops, dout: Array, size: Array, dx: Array, dsize: Array, scale: float) -> None:
    np.copyto(dx, dout[:, :-1])
    np.divide(dout[:, -1:], size, out=dsize)
    np.multiply(dsize, scale, out=dsize)


def unsized(ops: Ops, x: Array, size: Array, out: Array) -> None:
    np.multiply(x, size, out=out)
    np.subtract(out[:, 2::3], 1, out=out[:, 2::3])


def unsized_backward(ops: Ops, dout: Array, x: Array, size: Array, dx: Array, dsize: Array) -> None:
    np.multiply(dout, x, out=dx)
    np.add.reduce(dx, axis=1, keepdims=True, out=dsize)
    np.multiply(dout, size, out=dx)


def relative(ops: Ops, x: Array, target: Array, out: Array, least: float) -> None:
    np.divide(x, _reach(target, least), out=out)


def _reach(target: Array, least: float) -> np.ndarray:
    """Root mean square distance (n, 1) of the joints of (n, 3J) from the root at (0, 0, -1)."""
    n, columns = target.shape
    away = target.reshape(n, columns // 3, 3) + np.array([0, 0, 1], target.dtype)
    return np.asarray(np.maximum(np.sqrt((away * away).sum(axis=(1, 2)) / (columns // 3)), least)[:, None])
