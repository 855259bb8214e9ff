"""How large people are in the image, and what follows from it, on the device that the operations are of."""

from __future__ import annotations

from typing import Any

from minilift.lift.rays import cupy_size, numpy_size
from minilift.ops import Array, Ops

LEAST = 1e-3
"""Image units: nobody is taken for smaller, a person of 1.8 m at 500 m."""


def sized(ops: Ops, x: Array, joints: int, size: Array, points: Array | None, out: Array) -> Array:
    """size (n, 1) <- sqrt(mean |u_j|^2) over the joints seen, at least LEAST; out (n, C) = x / size.

    x (n, C) has the image points (n, 2J) first, NaN where not seen; `points`, where it is given, takes them.
    """
    _twin(ops).sized(ops, x, size, points, out, joints, LEAST)
    return out


def sized_backward(
    ops: Ops, dout: Array, dsize: Array, direct: Array, x: Array, joints: int, size: Array, dx: Array
) -> Array:
    """With D = dsize - (dout . x) / size^2:  dx = dout / size, and for image points D u_j / (size seen) +
    direct (n, 2J) more."""
    _twin(ops).sized_backward(ops, dout, dsize, direct, x, size, dx, joints, LEAST)
    return dx


def with_size(ops: Ops, x: Array, size: Array, scale: float, shift: float, out: Array) -> Array:
    """out (n, C + 1) = (x, scale log(size) + shift)."""
    _twin(ops).with_size(ops, x, size, out, scale, shift)
    return out


def with_size_backward(ops: Ops, dout: Array, size: Array, scale: float, dx: Array, dsize: Array) -> Array:
    """dx = the first columns of dout, dsize = scale / size times the last."""
    _twin(ops).with_size_backward(ops, dout, size, dx, dsize, scale)
    return dx


def unsized(ops: Ops, x: Array, size: Array, out: Array) -> Array:
    """out_j = (size a, size b, size z - 1) of x_j = (a, b, z), (n, 3J)."""
    _twin(ops).unsized(ops, x, size, out)
    return out


def unsized_backward(ops: Ops, dout: Array, x: Array, size: Array, dx: Array, dsize: Array) -> Array:
    """dx = size dout, dsize = dout . x."""
    _twin(ops).unsized_backward(ops, dout, x, size, dx, dsize)
    return dx


def relative(ops: Ops, x: Array, target: Array, out: Array) -> Array:
    """out (n, 3J) = x over the root mean square distance of target's joints (n, 3J) from (0, 0, -1)."""
    _twin(ops).relative(ops, x, target, out, LEAST)
    return out


def _twin(ops: Ops) -> Any:
    return numpy_size if ops.device == "cpu" else cupy_size
