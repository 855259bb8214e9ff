"""How far predicted joints lie from the true ones: MPJPE, per joint, and after Procrustes alignment.

All take (N, J, 3), flat (N, 3J) or one pose (J, 3), arrays or lists, and answer in the unit they are given.
Sums run in float64. The mean is over poses and joints, each counted once; in the course's files J = 15 and
the root, whose error is 0 by definition, is not among them.
"""

import numpy as np
from numpy.typing import ArrayLike

from minilift.pose.skeleton import ROOT

Point = tuple[float, float, float]


def cal_mpjpe(pose_1: ArrayLike, pose_2: ArrayLike, avg: bool = True) -> float | np.ndarray:
    """Mean per-joint position error: the distance of two poses' joints, averaged.

    avg=False gives one value per pose, (N,). Raises ValueError for shapes that differ or hold no pose.
    """
    errors = _distances(*_pair(pose_1, pose_2)).mean(axis=1)
    return float(errors.mean()) if avg else errors


def per_joint_error(pred: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """The mean distance of each joint over the poses: (J,)."""
    return _distances(*_pair(pred, truth)).mean(axis=0)


def pa_mpjpe(
    pred: ArrayLike, truth: ArrayLike, avg: bool = True, root: Point | None = ROOT
) -> float | np.ndarray:
    """MPJPE after the rotation, scale and shift of each prediction that fits its truth best.

    Least squares over the joints and the fixed `root` point, which is known in both (None: joints alone);
    the error is averaged over the joints only, so that it compares with cal_mpjpe. Reflections are not
    allowed. A prediction of coinciding points is moved to the truth's centre; one with NaN gives NaN.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13(4), 1991, equations 38-43; the rotation alone is Schoenemann's, Psychometrika 31(1), 1966.
    """
    pred, truth = _pair(pred, truth)
    aligned = _align(pred, truth, root)
    errors = _distances(aligned, truth).mean(axis=1)
    return float(errors.mean()) if avg else errors


def _align(pred: np.ndarray, truth: np.ndarray, root: Point | None) -> np.ndarray:
    """pred (N, J, 3) turned, scaled and shifted onto truth.

    With centred p and g: H = sum p g^T = U S V^T;  D = diag(1, 1, det(V U^T));
    R = V D U^T;  s = trace(S D) / sum |p|^2;  the aligned points are s R p + mean g.
    """
    finite = np.isfinite(pred).all(axis=(1, 2)) & np.isfinite(truth).all(axis=(1, 2))
    p, g = (np.where(finite[:, None, None], points, 0.0) for points in (pred, truth))
    if root is not None:
        fixed = np.broadcast_to(np.asarray(root, np.float64), (len(p), 1, 3))
        p, g = np.concatenate([p, fixed], axis=1), np.concatenate([g, fixed], axis=1)
    centre = g.mean(axis=1, keepdims=True)
    p, g = p - p.mean(axis=1, keepdims=True), g - centre
    u, singular, vt = np.linalg.svd(p.transpose(0, 2, 1) @ g)
    # det is +-1 also for flat and for coinciding points: u and vt are full rotations or reflections.
    sign = np.where(np.linalg.det(u @ vt) < 0, -1.0, 1.0)
    u[:, :, 2] *= sign[:, None]
    singular[:, 2] *= sign
    size = (p**2).sum(axis=(1, 2))
    scale = np.divide(singular.sum(axis=1), size, out=np.zeros_like(size), where=size > 0)
    aligned = scale[:, None, None] * (p @ (u @ vt)) + centre
    aligned[~finite] = np.nan
    return aligned[:, : pred.shape[1]]


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a - b) ** 2).sum(axis=2))


def _pair(pose_1: ArrayLike, pose_2: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, b = _points(pose_1), _points(pose_2)
    if a.shape != b.shape:
        raise ValueError(f"poses of shapes {np.shape(pose_1)} and {np.shape(pose_2)} do not match")
    if a.size == 0:
        raise ValueError(f"no poses to compare (shape {np.shape(pose_1)})")
    return a, b


def _points(pose: ArrayLike) -> np.ndarray:
    """The poses as float64 (N, J, 3); (J, 3) is one pose, a flat row is cut into points."""
    array = np.asarray(pose, dtype=np.float64)
    if array.ndim in (1, 2) and array.shape[-1] != 3 and array.shape[-1] % 3 == 0:
        array = array.reshape(-1, array.shape[-1] // 3, 3)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"expected poses of shape (N, J, 3), (N, 3J) or (J, 3), got {np.shape(pose)}")
    return array
