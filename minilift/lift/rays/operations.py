"""Joints on their rays and the gradient of that, on the device that the operations are of."""

from __future__ import annotations

from typing import Any

from minilift.lift.rays import cupy_rays, numpy_rays
from minilift.ops import Array, Ops

LEVEL = 0.03
"""Of the size of the person in the image (`Sized`; 4 pixels at f = 1000 and 4 m): a joint that is known no
better is half relied on."""
SPREAD = 0.3
"""Of that size: what the other joints leave open of a joint's image. A joint known no better is drawn half to
the mean, as Wiener's filter does it with what varies by SPREAD and is seen with noise sigma."""


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


def reliability(ops: Ops, x: Array, points: Array | None, out: Array) -> Array:
    """How far each joint is to be relied on: out (n, J) = LEVEL / (LEVEL + sigma) where it was seen, else 0.

    x (n, 2J) are image points, NaN where not seen, taken for exact; or (n, 3J): behind them the standard
    deviation of each, in image units. `points` (n, 2J), where it is given, takes the first columns of x.
    """
    _twin(ops).reliability(ops, x, points, out, LEVEL)
    return out


def reliability_backward(ops: Ops, dr: Array, r: Array, dpoints: Array, out: Array) -> Array:
    """out (n, 3J), the gradient of x: dpoints, and that of the standard deviations, -dr r^2 / LEVEL."""
    _twin(ops).reliability_backward(ops, dr, r, dpoints, out, LEVEL)
    return out


def given(ops: Ops, points: Array, r: Array, out: Array) -> Array:
    """out = (w x, w), or (w x, w, r) where it has 4J columns, of points x (n, 2J), 0 where r = 0.

    w = 1 / (1 + (sigma/SPREAD)^2) = r^2 / (r^2 + (LEVEL/SPREAD (1 - r))^2).
    """
    _twin(ops).given(ops, points, r, out, LEVEL / SPREAD)
    return out


def given_backward(ops: Ops, dy: Array, points: Array, r: Array, dpoints: Array, dr: Array | None) -> None:
    """dpoints = w times the first columns of dy; dr = w'(r) (dw + x . dx) + the last, 0 where r = 0."""
    _twin(ops).given_backward(ops, dy, points, r, dpoints, dr, LEVEL / SPREAD)


def place(ops: Ops, points: Array, r: Array, o: Array, out: Array) -> Array:
    """out_j = (-p_0 z, -p_1 z, z), p = w points + g (a, b): points (n, 2J), r (n, J), o (n, 3J);
    w is that of `given`, g = sigma / (sigma + SPREAD)."""
    _twin(ops).place(ops, points, r, o, out, LEVEL / SPREAD)
    return out


def place_backward(
    ops: Ops, dy: Array, points: Array, r: Array, o: Array, dpoints: Array | None, dr: Array | None, do: Array
) -> None:
    """With dp = (-z dX, -z dY): do_j = (g dp, dZ - p_0 dX - p_1 dY), dpoints = w dp,
    dr = (w'(r) points + g'(r) (a, b)) . dp where seen, else 0."""
    _twin(ops).place_backward(ops, dy, points, r, o, dpoints, dr, do, LEVEL / SPREAD)
