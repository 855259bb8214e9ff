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
