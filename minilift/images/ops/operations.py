"""The operations of images, on the device that `ops` are of. Each writes `out` and leaves its inputs alone.

Images are (n, channels, height, width) and C-contiguous; `windows` says where a window stands on them.
"""

from __future__ import annotations

from typing import Any

from minilift.images.ops import cupy_images, numpy_conv, numpy_norm, numpy_windows
from minilift.images.ops.windows import Windows
from minilift.ops import Array, Ops


def conv2d(ops: Ops, x: Array, weight: Array, bias: Array | None, windows: Windows, out: Array) -> Array:
    """out (n, filters, *places) = bias_o + sum over c, i, j of weight_ocij x(c, stride y + i - padding, ...).

    x (n, channels, *size), zeros around it; weight (filters, channels, *kernel), bias (filters,).
    """
    (numpy_conv if ops.device == "cpu" else cupy_images).conv2d(ops, x, weight, bias, windows, out)
    return out


def conv2d_backward(
    ops: Ops, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, windows: Windows,
    out: Array | None,
) -> None:  # fmt: skip
    """dweight = dY X'^T, dbias = sums of dY, and, unless it is None, out = dx = fold(W^T dY).

    With X' the unfolded x, (channels times kernel area, places): from Y = W X' it is Linear's three products.
    """
    twin = numpy_conv if ops.device == "cpu" else cupy_images
    twin.conv2d_backward(ops, dy, x, weight, dweight, dbias, windows, out)


def unfold(ops: Ops, x: Array, windows: Windows, out: Array) -> Array:
    """out (n, channels times kernel area, places): the elements of every window, a column each."""
    _windows(ops).unfold(ops, x, windows, out)
    return out


def fold(ops: Ops, columns: Array, windows: Windows, out: Array) -> Array:
    """out (n, channels, *size): each pixel the sum of its copies in `columns`; unfold, transposed."""
    _windows(ops).fold(ops, columns, windows, out)
    return out


def max_pool(ops: Ops, x: Array, windows: Windows, out: Array) -> Array:
    """out = the largest of each window."""
    _windows(ops).max_pool(ops, x, windows, out)
    return out


def max_pool_backward(ops: Ops, dy: Array, x: Array, y: Array, windows: Windows, out: Array) -> Array:
    """out = dy where x is the first of a window's largest, row by row, else 0; added up over windows."""
    _windows(ops).max_pool_backward(ops, dy, x, y, windows, out)
    return out


def avg_pool(ops: Ops, x: Array, windows: Windows, out: Array) -> Array:
    """out = the mean of each window."""
    _windows(ops).avg_pool(ops, x, windows, out)
    return out


def avg_pool_backward(ops: Ops, dy: Array, windows: Windows, out: Array) -> Array:
    """out = dy over the kernel's area, added up over windows."""
    _windows(ops).avg_pool_backward(ops, dy, windows, out)
    return out


def global_max(ops: Ops, x: Array, out: Array) -> Array:
    """out (n, channels) = the largest of each plane."""
    _windows(ops).global_max(ops, x, out)
    return out


def global_max_backward(ops: Ops, dy: Array, x: Array, out: Array) -> Array:
    """out = dy at the first of a plane's largest, row by row, else 0."""
    _windows(ops).global_max_backward(ops, dy, x, out)
    return out


def global_mean(ops: Ops, x: Array, out: Array) -> Array:
    """out (n, channels) = the mean of each plane."""
    _windows(ops).global_mean(ops, x, out)
    return out


def global_mean_backward(ops: Ops, dy: Array, out: Array) -> Array:
    """out = dy over the pixels of a plane."""
    _windows(ops).global_mean_backward(ops, dy, out)
    return out


def batchnorm2d(
    ops: Ops, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
    xhat: Array, out: Array, train: bool,
) -> Array:  # fmt: skip
    """`Ops.batchnorm` of each channel, over all images and pixels; not in `train`, mean and var are given."""
    _norm(ops).batchnorm2d(ops, x, weight, bias, mean, var, rstd, eps, xhat, out, train)
    return out


def batchnorm2d_backward(
    ops: Ops, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array, out: Array,
    train: bool,
) -> Array:  # fmt: skip
    """`Ops.batchnorm_backward` of each channel, or, not in `train`, `Ops.batchnorm_eval_backward`."""
    _norm(ops).batchnorm2d_backward(ops, dy, xhat, rstd, weight, dweight, dbias, out, train)
    return out


def softmax(ops: Ops, x: Array, axis: int, out: Array) -> Array:
    """out = exp(x - m) / sum of exp(x - m) along an axis, m the largest there."""
    _norm(ops).softmax(ops, x, axis, out)
    return out


def softmax_backward(ops: Ops, dy: Array, y: Array, axis: int, out: Array) -> Array:
    """out = y (dy - sum of dy y along the axis)."""
    _norm(ops).softmax_backward(ops, dy, y, axis, out)
    return out


def _windows(ops: Ops) -> Any:
    return numpy_windows if ops.device == "cpu" else cupy_images


def _norm(ops: Ops) -> Any:
    return numpy_norm if ops.device == "cpu" else cupy_images
