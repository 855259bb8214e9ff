"""Geometry of cameras for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops import Array, Ops

ROOT_Z = -1


def project(ops: Ops, points: Array, out: Array, nearest: float) -> None:
    depth = np.maximum(-points[:, 2::3], nearest)
    for axis in range(2):
        np.divide(points[:, axis::3], depth, out=out[:, axis::2])


def project_backward(ops: Ops, dout: Array, points: Array, dpoints: Array, nearest: float) -> None:
    depth = np.maximum(-points[:, 2::3], nearest)
    dz = np.zeros_like(depth)
    for axis in range(2):
        np.divide(dout[:, axis::2], depth, out=dpoints[:, axis::3])
        dz += dpoints[:, axis::3] * points[:, axis::3]
    dz /= depth
    dpoints[:, 2::3] = np.where(-points[:, 2::3] > nearest, dz, 0)


def move(ops: Ops, points: Array, rotation: Array, translation: Array, out: Array) -> None:
    turned = np.matmul(_joints(points), _matrices(rotation).transpose(0, 2, 1), out=_joints(out))
    turned += translation[:, None]


def move_backward(
    ops: Ops, dout: Array, points: Array, rotation: Array, dpoints: Array, drotation: Array | None,
    dtranslation: Array | None,
) -> None:  # fmt: skip
    np.matmul(_joints(dout), _matrices(rotation), out=_joints(dpoints))
    if drotation is not None:
        np.matmul(_joints(dout).transpose(0, 2, 1), _joints(points), out=_matrices(drotation))
    if dtranslation is not None:
        _joints(dout).sum(axis=1, out=dtranslation)


def turn(ops: Ops, angles: Array, rotation: Array, translation: Array) -> None:
    first, about, last = _factors(angles)
    np.matmul(last @ about, first, out=_matrices(rotation))
    np.copyto(translation, rotation[:, 2::3])
    translation[:, 2] += ROOT_Z


def turn_backward(ops: Ops, drotation: Array, dtranslation: Array, angles: Array, dangles: Array) -> None:
    total = _matrices(drotation).copy()
    total[:, :, 2] += dtranslation
    (first, about, last), slopes = _factors(angles), _slopes(angles)
    for k, matrix in enumerate(
        (last @ about @ slopes[0], last @ slopes[1] @ first, slopes[2] @ about @ first)
    ):
        dangles[:, k] = (total * matrix).sum(axis=(1, 2))


def bone_lengths(ops: Ops, points: Array, parents: Array, out: Array) -> None:
    np.sqrt((_bones(points, parents) ** 2).sum(axis=2), out=out)


def bone_lengths_backward(
    ops: Ops, dout: Array, points: Array, parents: Array, lengths: Array, dpoints: Array
) -> None:
    slope = np.divide(dout, lengths, out=np.zeros_like(dout), where=lengths > 0)
    ends = _bones(points, parents) * slope[:, :, None]
    into = _joints(dpoints)
    np.copyto(into, ends)
    for joint, parent in enumerate(parents):
        if parent < len(parents):
            into[:, parent] -= ends[:, joint]


def asymmetry(ops: Ops, lengths: Array, pairs: Array, out: Array) -> None:
    np.subtract(lengths[:, pairs[:, 0]], lengths[:, pairs[:, 1]], out=out)
    np.divide(out, lengths.mean(axis=1, keepdims=True), out=out)


def asymmetry_backward(
    ops: Ops, dout: Array, lengths: Array, pairs: Array, values: Array, dlengths: Array
) -> None:
    slope = dout / lengths.mean(axis=1, keepdims=True)
    np.copyto(dlengths, -(slope * values).mean(axis=1, keepdims=True) * len(pairs) / lengths.shape[1])
    for pair, (one, other) in enumerate(pairs):
        dlengths[:, one] += slope[:, pair]
        dlengths[:, other] -= slope[:, pair]


def triangulate(
    ops: Ops, points_1: Array, points_2: Array, rotation: Array, translation: Array, out: Array,
    sine2: Array, flattest: float,
) -> None:  # fmt: skip
    ray, a, b = _rays(points_1, points_2, rotation)
    aa, bb, ab, at, bt = _products(a, b, translation)
    np.subtract(1, ab * ab / (aa * bb), out=sine2)
    depth = (ab * bt - at * bb) / (aa * bb * np.maximum(sine2, flattest))
    np.multiply(ray, depth[:, :, None], out=_joints(out))


def triangulate_backward(
    ops: Ops, dout: Array, points_1: Array, points_2: Array, rotation: Array, translation: Array,
    dpoints_1: Array, dpoints_2: Array, flattest: float,
) -> None:  # fmt: skip
    ray, a, b = _rays(points_1, points_2, rotation)
    aa, bb, ab, at, bt = (product[:, :, None] for product in _products(a, b, translation))
    steep = 1 - ab * ab / (aa * bb) > flattest
    below = np.where(steep, aa * bb - ab * ab, flattest * aa * bb)
    t, dray = translation[:, None], _joints(dout)
    depth = (ab * bt - at * bb) / below
    dn = (dray * ray).sum(axis=2, keepdims=True) / below
    dd = -dn * depth
    da = dn * (bt * b - bb * t) + dd * np.where(steep, 2 * bb * a - 2 * ab * b, 0)
    db = dn * (bt * a + ab * t - 2 * at * b) + dd * np.where(steep, 2 * aa * b - 2 * ab * a, 0)
    dfirst = depth * dray + da @ _matrices(rotation)
    for axis in range(2):
        dpoints_1[:, axis::2] = dfirst[:, :, axis]
        dpoints_2[:, axis::2] = db[:, :, axis]


def copy_columns(ops: Ops, rows: Array, columns: slice, out: Array, first: int) -> None:
    np.copyto(out[:, first : first + columns.stop - columns.start], rows[:, columns])


def _joints(rows: Array) -> np.ndarray:
    """(n, 3J) as (n, J, 3), the same memory."""
    n, columns = rows.shape
    return np.asarray(rows).reshape(n, columns // 3, 3)


def _matrices(rows: Array) -> np.ndarray:
    return np.asarray(rows).reshape(len(rows), 3, 3)


def _factors(angles: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rx(-e), Ry(-a) and Rx(f), each (n, 3, 3)."""
    e, a, f = (angles[:, k] for k in range(3))
    return (
        _about_x(np.cos(e), -np.sin(e), 1),
        _about_y(np.cos(a), np.sin(a), 1),
        _about_x(np.cos(f), np.sin(f), 1),
    )


def _slopes(angles: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The derivatives of `_factors`, each by its own angle."""
    e, a, f = (angles[:, k] for k in range(3))
    return (
        _about_x(-np.sin(e), -np.cos(e), 0),
        _about_y(-np.sin(a), np.cos(a), 0),
        _about_x(-np.sin(f), np.cos(f), 0),
    )


def _about_x(cos: np.ndarray, sin: np.ndarray, one: int) -> np.ndarray:
    matrix = np.zeros((len(cos), 3, 3), cos.dtype)
    matrix[:, 0, 0] = one
    matrix[:, 1, 1] = matrix[:, 2, 2] = cos
    matrix[:, 1, 2], matrix[:, 2, 1] = -sin, sin
    return matrix


def _about_y(cos: np.ndarray, sin: np.ndarray, one: int) -> np.ndarray:
    """x' = cos x - sin z, z' = sin x + cos z."""
    matrix = np.zeros((len(cos), 3, 3), cos.dtype)
    matrix[:, 1, 1] = one
    matrix[:, 0, 0] = matrix[:, 2, 2] = cos
    matrix[:, 0, 2], matrix[:, 2, 0] = -sin, sin
    return matrix


def _bones(points: Array, parents: Array) -> np.ndarray:
    joints = _joints(points)
    root = np.zeros_like(joints[:, :1])
    root[..., 2] = ROOT_Z
    return joints - np.concatenate([joints, root], axis=1)[:, parents]


def _rays(points_1: Array, points_2: Array, rotation: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rays of view 1 (n, J, 3) as both views have them, and those of view 2."""
    first, second = (np.full((len(p), p.shape[1] // 2, 3), -1, p.dtype) for p in (points_1, points_2))
    for axis in range(2):
        first[:, :, axis], second[:, :, axis] = points_1[:, axis::2], points_2[:, axis::2]
    return first, first @ _matrices(rotation).transpose(0, 2, 1), second


def _products(a: np.ndarray, b: np.ndarray, translation: np.ndarray) -> tuple[np.ndarray, ...]:
    """a.a, b.b, a.b, a.t and b.t, each (n, J)."""
    t = translation[:, None]
    return tuple((x * y).sum(axis=2) for x, y in ((a, a), (b, b), (a, b), (a, t), (b, t)))
