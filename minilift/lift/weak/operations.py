"""Geometry of one and two cameras with its gradients, on the device that the operations are of.

A camera is at the origin and looks down -Z; the mid-hip is at (0, 0, -1). n poses of J joints are rows:
points in space (n, 3J), in the image (n, 2J, focal length 1), rotations (n, 9) row by row. docs/weak.md has
the derivations. Depth along the ray is `minilift.lift.rays.operations.rays`.
"""

from __future__ import annotations

from typing import Any

from minilift.lift.weak import cupy_geometry, numpy_geometry
from minilift.ops import Array, Ops

NEAREST = 0.05
"""The least depth that is divided by: a joint nearer to the camera is projected as if it were there."""
FLATTEST = 1e-6
"""The least sin^2 of the angle between two rays that is divided by; see `triangulate`."""


def project(ops: Ops, points: Array, out: Array) -> Array:
    """out_j = (X/D, Y/D), D = max(-Z, NEAREST), of points (X, Y, Z) (n, 3J)."""
    _twin(ops).project(ops, points, out, NEAREST)
    return out


def project_backward(ops: Ops, dout: Array, points: Array, dpoints: Array) -> Array:
    """dX = du/D, dY = dv/D, dZ = (u du + v dv)/D, which is 0 where D is NEAREST."""
    _twin(ops).project_backward(ops, dout, points, dpoints, NEAREST)
    return dpoints


def move(ops: Ops, points: Array, rotation: Array, translation: Array, out: Array) -> Array:
    """out_j = R p_j + t: what another camera sees. rotation R (n, 9), translation t (n, 3)."""
    _twin(ops).move(ops, points, rotation, translation, out)
    return out


def move_backward(
    ops: Ops, dout: Array, points: Array, rotation: Array, dpoints: Array, drotation: Array | None = None,
    dtranslation: Array | None = None,
) -> Array:  # fmt: skip
    """dp_j = R^T dout_j;  dR = sum_j dout_j p_j^T and dt = sum_j dout_j where they are given."""
    _twin(ops).move_backward(ops, dout, points, rotation, dpoints, drotation, dtranslation)
    return dpoints


def turn(ops: Ops, angles: Array, rotation: Array, translation: Array) -> None:
    """R and t of `move` for a camera that goes round a person, about the true vertical through the mid-hip C.

    angles (n, 3) in radians: the elevation e of the camera, by how much its azimuth grows a, and its
    elevation then f; as in `minilift.poses.camera.to_camera`.

        R = Rx(f) Ry(-a) Rx(-e),   t = C - R C
    """
    _twin(ops).turn(ops, angles, rotation, translation)


def turn_backward(ops: Ops, drotation: Array, dtranslation: Array, angles: Array, dangles: Array) -> Array:
    """dangle = sum_kl (dR + dt (0, 0, 1))_kl (∂R/∂angle)_kl, since t = C + R (0, 0, 1)^T."""
    _twin(ops).turn_backward(ops, drotation, dtranslation, angles, dangles)
    return dangles


def bone_lengths(ops: Ops, points: Array, parents: Array, out: Array) -> Array:
    """out_j = |p_j - p_parent(j)| (n, J): parents an index array (J,), with J for the root at (0, 0, -1)."""
    _twin(ops).bone_lengths(ops, points, parents, out)
    return out


def bone_lengths_backward(
    ops: Ops, dout: Array, points: Array, parents: Array, lengths: Array, dpoints: Array
) -> Array:
    """Of b_j = p_j - p_parent: dp_j += dl_j b_j / l_j, dp_parent -= the same; 0 where l_j is 0."""
    _twin(ops).bone_lengths_backward(ops, dout, points, parents, lengths, dpoints)
    return dpoints


def asymmetry(ops: Ops, lengths: Array, pairs: Array, out: Array) -> Array:
    """out_p = (l_a - l_b) / m (n, P), m the mean of a pose's lengths (n, J): how unlike two bones are.

    pairs is an index array (P, 2) of bones a and b. The mean of out^2 is the loss of symmetric bones.
    """
    _twin(ops).asymmetry(ops, lengths, pairs, out)
    return out


def asymmetry_backward(
    ops: Ops, dout: Array, lengths: Array, pairs: Array, values: Array, dlengths: Array
) -> Array:
    """dl_a += dout_p / m, dl_b -= dout_p / m, and every dl_k -= sum_p dout_p values_p / (m J)."""
    _twin(ops).asymmetry_backward(ops, dout, lengths, pairs, values, dlengths)
    return dlengths


def triangulate(
    ops: Ops, points_1: Array, points_2: Array, rotation: Array, translation: Array, out: Array, sine2: Array
) -> Array:
    """Where the ray of view 1 passes nearest to that of view 2, P_2 = R P_1 + t: out (n, 3J), in view 1.

    With r = (u_1, v_1, -1), a = R r, b = (u_2, v_2, -1) and the angle between the rays,

        out = k r,   k = ((a.b)(b.t) - (a.t)(b.b)) / D,   D = (a.a)(b.b) max(sin^2, FLATTEST)

    sine2 (n, J) <- sin^2 = 1 - (a.b)^2 / ((a.a)(b.b)): how well the two rays know the depth.
    """
    _twin(ops).triangulate(ops, points_1, points_2, rotation, translation, out, sine2, FLATTEST)
    return out


def triangulate_backward(
    ops: Ops, dout: Array, points_1: Array, points_2: Array, rotation: Array, translation: Array,
    dpoints_1: Array, dpoints_2: Array,
) -> None:  # fmt: skip
    """The gradients of both images (n, 2J); docs/weak.md has them. D counts as constant at FLATTEST."""
    arrays = dout, points_1, points_2, rotation, translation, dpoints_1, dpoints_2
    _twin(ops).triangulate_backward(ops, *arrays, FLATTEST)


def copy_columns(ops: Ops, rows: Array, columns: slice, out: Array, first: int = 0) -> Array:
    """Columns of rows (n, C) into those of out (n, D) from the `first` on. It has no gradient of its own."""
    _twin(ops).copy_columns(ops, rows, columns, out, first)
    return out


def _twin(ops: Ops) -> Any:
    return numpy_geometry if ops.device == "cpu" else cupy_geometry
