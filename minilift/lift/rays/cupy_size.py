"""How large people are in the image, for CuPy: launches of size.cu, a thread a pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("size.cu"))


def _launch(ops: Any, kernel: str, rows: Array, *arguments: Any) -> None:
    """`rows` has a row a pose; the arguments end with its number of rows."""
    ops.each_of(KERNELS, kernel, len(rows), *arguments, np.int64(len(rows)))


def sized(
    ops: Any, x: Array, size: Array, points: Array | None, out: Array, joints: int, least: float
) -> None:
    sizes = np.int64(x.shape[1]), np.int64(joints)
    _launch(ops, "sized", x, x, size, points, out, ops.real(least), *sizes)


def sized_backward(
    ops: Any, dout: Array, dsize: Array, direct: Array, x: Array, size: Array, dx: Array, joints: int,
    least: float,
) -> None:  # fmt: skip
    sizes = np.int64(x.shape[1]), np.int64(joints)
    _launch(ops, "sized_backward", x, dout, dsize, direct, x, size, dx, ops.real(least), *sizes)


def with_size(ops: Any, x: Array, size: Array, out: Array, scale: float, shift: float) -> None:
    numbers = ops.real(scale), ops.real(shift), np.int64(x.shape[1])
    _launch(ops, "with_size", x, x, size, out, *numbers)


def with_size_backward(ops: Any, dout: Array, size: Array, dx: Array, dsize: Array, scale: float) -> None:
    numbers = ops.real(scale), np.int64(dx.shape[1])
    _launch(ops, "with_size_backward", dx, dout, size, dx, dsize, *numbers)


def unsized(ops: Any, x: Array, size: Array, out: Array) -> None:
    _launch(ops, "unsized", x, x, size, out, np.int64(x.shape[1]))


def unsized_backward(ops: Any, dout: Array, x: Array, size: Array, dx: Array, dsize: Array) -> None:
    _launch(ops, "unsized_backward", x, dout, x, size, dx, dsize, np.int64(x.shape[1]))


def relative(ops: Any, x: Array, target: Array, out: Array, least: float) -> None:
    _launch(ops, "relative", x, x, target, out, ops.real(least), np.int64(x.shape[1]))
