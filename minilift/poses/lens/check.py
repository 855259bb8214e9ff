"""The answer seen through the camera again: how far it lies from the keypoints that were given."""

from __future__ import annotations

import numpy as np

from minilift.poses.lens.camera import Camera


def reprojection(camera: Camera, joint_3d: np.ndarray, joint_2d: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Mean distance (n,) in pixels between given joints (n, 15, 2) and projected ones, over those seen.

    `joint_3d` (n, 15, 3) is in the camera's axes. NaN for a row without a seen joint.
    """
    off = np.linalg.norm(camera.pixels(joint_3d) - joint_2d, axis=2)
    counted = seen & np.isfinite(off)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, off, 0).sum(axis=1) / counted.sum(axis=1))
