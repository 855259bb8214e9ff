"""Batch normalisation of images, and softmax, for NumPy."""

from __future__ import annotations

from math import prod

import numpy as np

from minilift.ops import Array, Ops
from minilift.ops.numpy_core import row_chunks


def batchnorm2d(
    ops: Ops, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
    xhat: Array, out: Array, train: bool,
) -> None:  # fmt: skip
    if train:
        _statistics(ops, x, mean, var)
    np.add(var, eps, out=rstd)
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    off, scale, factor, shift = (_along(a) for a in (mean, rstd, weight, bias))
    images, normal, y = _planes(x), _planes(xhat), _planes(out)
    chunks = row_chunks(x)

    def part(i: int) -> None:
        mine, here = normal[chunks[i]], y[chunks[i]]
        np.subtract(images[chunks[i]], off, out=mine)
        np.multiply(mine, scale, out=mine)
        np.multiply(mine, factor, out=here)
        np.add(here, shift, out=here)

    ops.run(part, len(chunks))


def batchnorm2d_backward(
    ops: Ops, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array, out: Array,
    train: bool,
) -> None:  # fmt: skip
    chunks, channels = row_chunks(dy), len(weight)
    images, normal, dx = _planes(dy), _planes(xhat), _planes(out)
    sums = ops.scratch("bn sums", (2, len(chunks), channels))

    def gather(i: int) -> None:
        _sums(ops, images[chunks[i]], sums[0, i])
        _dots(ops, images[chunks[i]], normal[chunks[i]], sums[1, i])

    ops.run(gather, len(chunks))
    np.add.reduce(sums[0], axis=0, out=dbias)
    np.add.reduce(sums[1], axis=0, out=dweight)
    scale, offset, slope = ops.scratch("bn columns", (3, channels))
    np.multiply(weight, rstd, out=scale)
    count = dy.size // channels
    np.divide(dbias, count, out=offset)
    np.divide(dweight, -count, out=slope)

    def finish(i: int) -> None:
        mine = dx[chunks[i]]
        if train:
            np.multiply(normal[chunks[i]], _along(slope), out=mine)
            np.subtract(mine, _along(offset), out=mine)
            np.add(mine, images[chunks[i]], out=mine)
            np.multiply(mine, _along(scale), out=mine)
        else:
            np.multiply(images[chunks[i]], _along(scale), out=mine)

    ops.run(finish, len(chunks))


def _statistics(ops: Ops, x: Array, mean: Array, var: Array) -> None:
    """Mean and biased variance of each channel, in one visit to each chunk (`NumpyOps.norm_act_drop`)."""
    chunks, channels, pixels = row_chunks(x), len(mean), x.shape[2] * x.shape[3]
    means, squares = ops.scratch("bn sums", (2, len(chunks), channels))
    column, images = ops.scratch("bn columns", (channels,)), _planes(x)

    def gather(i: int) -> None:
        part = images[chunks[i]]
        off = ops.scratch("bn off", part.shape)
        _sums(ops, part, means[i])
        np.divide(means[i], len(part) * pixels, out=means[i])
        np.subtract(part, _along(means[i]), out=off)
        _dots(ops, off, off, squares[i])

    ops.run(gather, len(chunks))
    mean.fill(0)
    for own, chunk in zip(means, chunks, strict=True):
        np.multiply(own, (chunk.stop - chunk.start) / len(x), out=column)
        np.add(mean, column, out=mean)
    np.add.reduce(squares, axis=0, out=var)
    for own, chunk in zip(means, chunks, strict=True):
        np.subtract(own, mean, out=column)
        np.multiply(column, column, out=column)
        np.multiply(column, (chunk.stop - chunk.start) * pixels, out=column)
        np.add(var, column, out=var)
    np.divide(var, len(x) * pixels, out=var)


def _planes(images: Array) -> np.ndarray:
    n, channels, height, width = images.shape
    return np.reshape(images, (n, channels, height * width))


def _along(channels: Array) -> np.ndarray:
    """A number for each channel, next to planes (n, channels, pixels)."""
    return np.reshape(channels, (-1, 1))


def _sums(ops: Ops, planes: np.ndarray, out: np.ndarray) -> None:
    each = ops.scratch("bn each", planes.shape[:2])
    np.add.reduce(planes, axis=2, out=each)
    np.add.reduce(each, axis=0, out=out)


def _dots(ops: Ops, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    each = ops.scratch("bn each", a.shape[:2])
    np.einsum("ijk,ijk->ij", a, b, out=each)
    np.add.reduce(each, axis=0, out=out)


def softmax(ops: Ops, x: Array, axis: int, out: Array) -> None:
    rows, y = _about(x, axis), _about(out, axis)
    most = ops.scratch("softmax", (len(rows), 1, rows.shape[2]))
    np.maximum.reduce(rows, axis=1, keepdims=True, out=most)
    np.subtract(rows, most, out=y)
    np.exp(y, out=y)
    np.add.reduce(y, axis=1, keepdims=True, out=most)
    np.divide(y, most, out=y)


def softmax_backward(ops: Ops, dy: Array, y: Array, axis: int, out: Array) -> None:
    rows, by, dx = _about(dy, axis), _about(y, axis), _about(out, axis)
    along = ops.scratch("softmax", (len(rows), 1, rows.shape[2]))
    np.multiply(rows, by, out=dx)
    np.add.reduce(dx, axis=1, keepdims=True, out=along)
    np.subtract(rows, along, out=dx)
    np.multiply(dx, by, out=dx)


def _about(x: Array, axis: int) -> np.ndarray:
    """The axes before `axis` as one, it, and those behind it as one."""
    return np.reshape(x, (prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])))
