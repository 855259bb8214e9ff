"""Joints on their rays and the gradient of that, on the device that the operations are of."""

from __future__ import annotations

from typing import Any

from minilift.lift.rays import cupy_rays, numpy_rays
from minilift.ops import Array, Ops


def rays(ops: Ops, points: Array, depth: Array, out: Array) -> Array:
    """out_j = (-u_j z_j, -v_j z_j, z_j): points (n, 2J), depth (n, J), out (n, 3J)."""
    _twin(ops).rays(ops, points, depth, out)
    return out


def rays_backward(
    ops: Ops, dy: Array, points: Array, depth: Array, dpoints: Array | None, ddepth: Array
) -> None:
    """ddepth_j = dZ_j - u_j dX_j - v_j dY_j,  dpoints_j = (-z_j dX_j, -z_j dY_j) if it is given."""
    _twin(ops).rays_backward(ops, dy, points, depth, dpoints, ddepth)


def _twin(ops: Ops) -> Any:
    return numpy_rays if ops.device == "cpu" else cupy_rays


def given(ops: Ops, x: Array, out: Array) -> Array:
    """out (n, 3J) = x (n, 2J) with 0 for NaN, and then 1 for each joint that was seen, else 0."""
    _twin(ops).given(ops, x, out)
    return out


def given_backward(ops: Ops, dy: Array, x: Array, out: Array) -> Array:
    """out (n, 2J) = the first columns of dy (n, 3J) where the joint was seen, else 0."""
    _twin(ops).given_backward(ops, dy, x, out)
    return out


def place(ops: Ops, points: Array, o: Array, out: Array) -> Array:
    """out_j = (-p_0 z, -p_1 z, z): points (n, 2J) with NaN, o (n, 3J), p = points where seen, else of o."""
    _twin(ops).place(ops, points, o, out)
    return out


def place_backward(ops: Ops, dy: Array, points: Array, o: Array, dpoints: Array | None, do: Array) -> None:
    """do_j = (0, 0, dz) where seen, else (-z dX, -z dY, dz), dz = dZ - p_0 dX - p_1 dY; dpoints the rest."""
    _twin(ops).place_backward(ops, dy, points, o, dpoints, do)
