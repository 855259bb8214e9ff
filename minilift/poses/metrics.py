"""How far predicted joints lie from the true ones: MPJPE and its relatives, PCK, errors by joint and axis.

All take (N, J, 3), flat (N, 3J) or one pose (J, 3), arrays or lists, and answer in the unit they are given.
Sums run in float64. The mean is over poses and joints, each counted once; in the course's files J = 15 and
the root, whose error is 0 by definition, is not among them. Shapes that differ or hold no pose are a
ValueError. A prediction with NaN gives NaN, and is not within any threshold.

Bones are in bones.py, sequences in motion.py, intervals and percentiles in uncertainty.py.
"""

import numpy as np
from numpy.typing import ArrayLike

from minilift.poses.layouts import ROOT

Point = tuple[float, float, float]

THRESHOLD_MM = 150.0  # of PCK: half the size of a head (Mehta et al. 2017)
THRESHOLD_UNITS = 0.03  # the same at 5 m from the camera, for poses without metres per unit
STEPS = 31  # thresholds of the AUC, 0 and the largest included


def joint_errors(pred: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """The distance of every joint of every pose from its truth: (N, J)."""
    return _distances(*_pair(pred, truth))


def cal_mpjpe(pose_1: ArrayLike, pose_2: ArrayLike, avg: bool = True) -> float | np.ndarray:
    """Mean per-joint position error: the distance of two poses' joints, averaged.

    avg=False gives one value per pose, (N,). Raises ValueError for shapes that differ or hold no pose.

    Source: Ionescu et al., "Human3.6M", IEEE TPAMI 36(7), 2014 (papers on it count the root).
    """
    return _averaged(joint_errors(pose_1, pose_2), avg)


def mpjpe_with_root(pred: ArrayLike, truth: ArrayLike, avg: bool = True) -> float | np.ndarray:
    """MPJPE with the root, whose error is 0, as one more joint: J/(J + 1) times cal_mpjpe, here 15/16.

    Papers count it among their 16 or 17 joints: this is the figure to hold beside theirs.
    """
    errors = joint_errors(pred, truth)
    return _averaged(np.pad(errors, [(0, 0), (0, 1)]), avg)


def per_joint_error(pred: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """The mean distance of each joint over the poses: (J,)."""
    return joint_errors(pred, truth).mean(axis=0)


def per_axis_error(pred: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """The mean absolute error of each joint along x, y and z: (J, 3); its mean over joints is per axis.

    x is right, y up and z towards the viewer: z is what the image does not show.
    """
    a, b = _pair(pred, truth)
    return np.abs(a - b).mean(axis=0)


def pck(pred: ArrayLike, truth: ArrayLike, threshold: float = THRESHOLD_UNITS) -> float:
    """Percentage of correct keypoints, as a share from 0 to 1: joints with an error below `threshold`.

    Strictly below, in the poses' unit. The root, which is always right, is not among the joints.

    Source: Mehta et al., "Monocular 3D human pose estimation in the wild using improved CNN supervision",
    3DV 2017, where the threshold is 150 mm: the default, 0.03 units, is that at 5 m.
    """
    return float(within(joint_errors(pred, truth), threshold))


def auc(pred: ArrayLike, truth: ArrayLike, limit: float = THRESHOLD_UNITS) -> float:
    """Area under the curve of PCK: its mean over 31 thresholds, 0, limit/30, 2 limit/30, ..., limit.

    Nothing lies strictly below 0, so that the first term is 0 and a perfect prediction has 30/31 = 0.968.

    Source: Mehta et al. 2017, as for pck.
    """
    return float(within(joint_errors(pred, truth), np.linspace(0, limit, STEPS)).mean())


def within(errors: np.ndarray, thresholds: ArrayLike) -> np.ndarray:
    """The share of errors strictly below each threshold, in the shape of `thresholds`."""
    limits = np.asarray(thresholds, np.float64)
    if not (np.isfinite(limits) & (limits >= 0)).all():
        raise ValueError(f"thresholds must be finite and not negative, got {limits}")
    return np.searchsorted(np.sort(errors, axis=None), limits, side="left") / errors.size


def n_mpjpe(
    pred: ArrayLike, truth: ArrayLike, avg: bool = True, root: Point | None = ROOT
) -> float | np.ndarray:
    """MPJPE after the scale of each prediction about the root that fits its truth best.

    With p and g the joints less the root:  s = max(0, <p, g> / <p, p>);  error = mean_j |s p_j - g_j|.
    Least squares, so a pose can come out worse than it was. A negative scale would mirror it through the
    root: it is taken as 0, and so is that of a prediction with all joints at the root. `root` None: points
    that are relative to it already. About the camera, s would hardly change: it would move the whole person.

    Source: Rhodin et al., "Learning monocular 3D human pose estimation from multi-view images", CVPR 2018.
    """
    p, g = (points - (root or (0.0, 0.0, 0.0)) for points in _pair(pred, truth))
    size, fit = (np.einsum("njk,njk->n", p, other) for other in (p, g))
    scale = np.divide(fit, size, out=np.zeros_like(size), where=size != 0)
    return _averaged(_distances(np.maximum(scale, 0)[:, None, None] * p, g), avg)


def pa_mpjpe(
    pred: ArrayLike, truth: ArrayLike, avg: bool = True, root: Point | None = ROOT
) -> float | np.ndarray:
    """MPJPE after the rotation, scale and shift of each prediction that fits its truth best.

    Least squares over the joints and the fixed `root` point, which is known in both (None: joints alone):
    papers align their 16 or 17 joints, and the root is one of them. The error is averaged over the joints
    only, so that it compares with cal_mpjpe. Reflections are not allowed, and coplanar points are turned
    like others. A prediction of coinciding points is moved to the truth's centre; one with NaN gives NaN.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13(4), 1991, equations 38-43; the rotation alone is Schoenemann's, Psychometrika 31(1), 1966.
    """
    pred, truth = _pair(pred, truth)
    return _averaged(_distances(_align(pred, truth, root), truth), avg)


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


def _averaged(errors: np.ndarray, avg: bool) -> float | np.ndarray:
    """(N, J) errors as one number, or one per pose."""
    each = errors.mean(axis=1)
    return float(each.mean()) if avg else each


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
