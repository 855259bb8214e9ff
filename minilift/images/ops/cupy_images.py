"""The operations of images for CuPy: launches of images.cu, and products of cuBLAS on unfolded images."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from minilift.images.ops.windows import Windows
from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("images.cu"))
COLUMNS = 1 << 26  # elements of unfolded images at a time: 256 MB of float32
BLOCK = 256  # threads that share a channel


def _each(ops: Any, kernel: str, size: int, *arguments: Any) -> None:
    ops.each_of(KERNELS, kernel, size, *arguments, np.int64(size))


def _numbers(windows: Windows) -> tuple[Any, ...]:
    """As images.cu takes them: channels, size, kernel, stride, padding, places."""
    pairs = windows.size, windows.kernel, windows.stride, windows.padding, windows.places
    return tuple(np.int32(n) for n in (windows.channels, *(n for pair in pairs for n in pair)))


# ---- convolution ---------------------------------------------------------------------------------------
def conv2d(ops: Any, x: Array, weight: Array, bias: Array | None, windows: Windows, out: Array) -> None:
    filters, places = len(weight), prod(windows.places)
    for part in _parts(len(x), windows):
        images = part.stop - part.start
        columns = _columns(ops, x[part], windows)
        rows = ops.scratch("filters", (filters, images * places))
        ops.matmul(weight.reshape(filters, -1), columns, rows)
        sizes = np.int64(images), np.int64(filters), np.int64(places)
        _each(ops, "rows_to_images", rows.size, rows, bias, out[part], *sizes)


def conv2d_backward(
    ops: Any, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, windows: Windows,
    out: Array | None,
) -> None:  # fmt: skip
    filters, places = len(weight), prod(windows.places)
    matrix = weight.reshape(filters, -1)
    for part in _parts(len(x), windows):
        images = part.stop - part.start
        rows = ops.scratch("filters", (filters, images * places))
        sizes = np.int64(images), np.int64(filters), np.int64(places)
        _each(ops, "images_to_rows", rows.size, dy[part], rows, *sizes)
        columns = _columns(ops, x[part], windows)
        ops.matmul(rows, columns.T, dweight.reshape(filters, -1), part.start > 0)
        if out is not None:
            ops.matmul(matrix.T, rows, columns)
            _fold(ops, columns, windows, out[part], places, images * places)
    if dbias is not None:
        numbers = np.int64(len(dy)), np.int64(places)
        ops.launch_of(KERNELS, "channel_sums", (filters,), (BLOCK,), dy, dbias, *numbers)


def _parts(n: int, windows: Windows) -> list[slice]:
    each = max(COLUMNS // (windows.taps * prod(windows.places)), 1)
    return [slice(start, min(start + each, n)) for start in range(0, n, each)]


def _columns(ops: Any, x: Array, windows: Windows) -> Array:
    """The unfolded images side by side, (taps, images places): one matrix for all."""
    places = prod(windows.places)
    columns = ops.scratch("columns", (windows.taps, len(x) * places))
    _unfold(ops, x, windows, columns, places, len(x) * places)
    return columns


def _unfold(ops: Any, x: Array, windows: Windows, out: Array, per_image: int, per_tap: int) -> None:
    steps = np.int64(per_image), np.int64(per_tap)
    _each(ops, "unfold", out.size, x, out, *steps, *_numbers(windows))


def _fold(ops: Any, columns: Array, windows: Windows, out: Array, per_image: int, per_tap: int) -> None:
    steps = np.int64(per_image), np.int64(per_tap)
    _each(ops, "fold", out.size, columns, out, *steps, *_numbers(windows))


def unfold(ops: Any, x: Array, windows: Windows, out: Array) -> None:
    places = prod(windows.places)
    _unfold(ops, x, windows, out, windows.taps * places, places)


def fold(ops: Any, columns: Array, windows: Windows, out: Array) -> None:
    places = prod(windows.places)
    _fold(ops, columns, windows, out, windows.taps * places, places)


# ---- pooling -------------------------------------------------------------------------------------------
def max_pool(ops: Any, x: Array, windows: Windows, out: Array) -> None:
    _each(ops, "max_pool", out.size, x, out, *_numbers(windows))


def max_pool_backward(ops: Any, dy: Array, x: Array, y: Array, windows: Windows, out: Array) -> None:
    _each(ops, "max_pool_backward", out.size, dy, x, y, out, *_numbers(windows))


def avg_pool(ops: Any, x: Array, windows: Windows, out: Array) -> None:
    _each(ops, "avg_pool", out.size, x, out, *_numbers(windows))


def avg_pool_backward(ops: Any, dy: Array, windows: Windows, out: Array) -> None:
    _each(ops, "avg_pool_backward", out.size, dy, out, *_numbers(windows))


def global_max(ops: Any, x: Array, out: Array) -> None:
    _each(ops, "global_max", out.size, x, out, np.int64(x.size // out.size))


def global_max_backward(ops: Any, dy: Array, x: Array, out: Array) -> None:
    _each(ops, "global_max_backward", dy.size, dy, x, out, np.int64(out.size // dy.size))


def global_mean(ops: Any, x: Array, out: Array) -> None:
    _each(ops, "global_mean", out.size, x, out, np.int64(x.size // out.size))


def global_mean_backward(ops: Any, dy: Array, out: Array) -> None:
    _each(ops, "global_mean_backward", out.size, dy, out, np.int64(out.size // dy.size))


# ---- normalisation -------------------------------------------------------------------------------------
def batchnorm2d(
    ops: Any, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
    xhat: Array, out: Array, train: bool,
) -> None:  # fmt: skip
    numbers = ops.real(eps), np.int32(train), np.int64(len(x)), np.int64(prod(x.shape[2:]))
    arrays = x, weight, bias, mean, var, rstd, xhat, out
    ops.launch_of(KERNELS, "batchnorm2d", (x.shape[1],), (BLOCK,), *arrays, *numbers)


def batchnorm2d_backward(
    ops: Any, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array, out: Array,
    train: bool,
) -> None:  # fmt: skip
    numbers = np.int32(train), np.int64(len(dy)), np.int64(prod(dy.shape[2:]))
    arrays = dy, xhat, rstd, weight, dweight, dbias, out
    ops.launch_of(KERNELS, "batchnorm2d_backward", (dy.shape[1],), (BLOCK,), *arrays, *numbers)


def softmax(ops: Any, x: Array, axis: int, out: Array) -> None:
    along, inner = x.shape[axis], prod(x.shape[axis + 1 :])
    _each(ops, "softmax", x.size // along, x, out, np.int64(along), np.int64(inner))


def softmax_backward(ops: Any, dy: Array, y: Array, axis: int, out: Array) -> None:
    along, inner = y.shape[axis], prod(y.shape[axis + 1 :])
    _each(ops, "softmax_backward", y.size // along, dy, y, out, np.int64(along), np.int64(inner))
