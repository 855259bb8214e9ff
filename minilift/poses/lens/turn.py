"""Turning the camera to a person, and the answer back.

A lifter is trained with cameras that aim at the mid-hip and have no roll (`minilift.poses.camera`). Turning
rays is exact: it is what a camera at the same place would have seen, had it aimed there. First to the side
about the vertical axis, then up or down about the horizontal one: so what is upright for a level camera
stays so.
"""

from __future__ import annotations

import numpy as np

_BEHIND = 0.05  # a turned ray that has less ahead than this is as good as behind


def turn(rays: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rays (n, J, 2) turned so that the ray of the root (n, 2) is (0, 0); and what by, (n, 3, 3).

    `turned = R ray`: rows of R are the axes of the camera that aims there. A ray that is then not ahead of
    the camera is NaN, and so is all of a row whose root is NaN.
    """
    ahead = _vectors(root)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    x, y, z = ahead.T
    level = np.hypot(x, z)
    # rows: right, up and backwards of the camera that looks along `ahead`
    zero = np.zeros_like(x)
    right = np.stack([-z / level, zero, x / level], axis=1)
    back_ = -ahead
    up = np.stack([-y * x / level, level, -y * z / level], axis=1)
    matrices = np.stack([right, up, back_], axis=1)
    points = np.einsum("nij,nkj->nki", matrices, _vectors(rays))
    depth = -points[..., 2:]
    with np.errstate(invalid="ignore"):
        turned = np.where(depth > _BEHIND, points[..., :2] / depth, np.nan)
    return turned, matrices


def back(joint_3d: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Points (n, J, 3) in the axes of the camera that aims at the root, in those of the camera itself."""
    return np.einsum("nij,nki->nkj", matrices, np.asarray(joint_3d, np.float64))


def _vectors(rays: np.ndarray) -> np.ndarray:
    return np.concatenate([rays, np.full((*rays.shape[:-1], 1), -1.0)], axis=-1)
