"""The answer seen through the camera again: how far it lies from the keypoints that were given."""

from __future__ import annotations

import numpy as np

from minilift.poses.lens.camera import Camera


def distances(camera: Camera, joint_3d: np.ndarray, joint_2d: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Pixels (n, 15) between given joints (n, 15, 2) and projected ones; NaN for those that were not seen.

    `joint_3d` (n, 15, 3) is in the camera's axes, of any unit.
    """
    off = np.linalg.norm(camera.pixels(joint_3d) - joint_2d, axis=2)
    return np.asarray(np.where(seen, off, np.nan))


def reprojection(camera: Camera, joint_3d: np.ndarray, joint_2d: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean of `distances` of every row, (n,); NaN for a row without a seen joint."""
    off = distances(camera, joint_3d, joint_2d, seen)
    counted = np.isfinite(off)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, off, 0).sum(axis=1) / counted.sum(axis=1))
