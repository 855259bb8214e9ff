"""Windows of images as columns of a matrix, and back."""

from __future__ import annotations

from typing import Any

from minilift.images.layers.sizes import Pair, Windows, pair, windows_on
from minilift.images.ops import operations
from minilift.nn.losses.base import ops_of
from minilift.ops import Array, Ops


def unfold(
    x: Any, kernel_size: int | Pair, stride: int | Pair = 1, padding: int | Pair = 0, ops: Ops | None = None
) -> Array:
    """Every window of x (n, c, height, width) as a column: (n, c times kernel area, places).

    Row (c, i, j) has x_c(s p + i - r, s q + j - r) for every place (p, q), 0 outside. `ops` are those
    of the device (default: NumPy's, in float64 where x is float64 and else in float32). As
    torch.nn.functional.unfold. Raises ValueError for other axes, ArgumentError for a kernel larger than x.
    """
    ops = ops or ops_of(x)
    x = ops.asarray(x)
    if x.ndim != 4:
        raise ValueError(f"unfold: expected x of shape (n, channels, height, width), got {tuple(x.shape)}")
    windows = _windows(x.shape[1], x.shape[2:], kernel_size, stride, padding)
    out = ops.empty((len(x), windows.taps, windows.places[0] * windows.places[1]))
    return operations.unfold(ops, x, windows, out)


def fold(
    columns: Any, size: Pair, kernel_size: int | Pair, stride: int | Pair = 1, padding: int | Pair = 0,
    ops: Ops | None = None,
) -> Array:  # fmt: skip
    """Columns of `unfold` back to images (n, c, *size): each pixel the sum of its copies.

    It is the transpose of unfold, and so its gradient: sum of unfold(x) * columns = sum of x * fold(columns).
    As torch.nn.functional.fold. Raises ValueError for columns that are not those of such images.
    """
    ops = ops or ops_of(columns)
    columns, kernel = ops.asarray(columns), pair("kernel_size", kernel_size)
    area = kernel[0] * kernel[1]
    if columns.ndim != 3 or columns.shape[1] % area:
        raise ValueError(f"fold: expected columns (n, channels x {area}, places), got {tuple(columns.shape)}")
    windows = _windows(columns.shape[1] // area, size, kernel_size, stride, padding)
    places = windows.places[0] * windows.places[1]
    if columns.shape[2] != places:
        raise ValueError(f"fold: images of {size} have {places} places, columns has {columns.shape[2]}")
    return operations.fold(ops, columns, windows, ops.empty((len(columns), windows.channels, *size)))


def _windows(
    channels: int, size: Pair, kernel_size: int | Pair, stride: int | Pair, padding: int | Pair
) -> Windows:
    steps = pair("stride", stride), pair("padding", padding, least=0)
    return windows_on(channels, size, pair("kernel_size", kernel_size), *steps)
