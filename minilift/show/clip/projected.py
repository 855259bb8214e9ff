"""Where lifted people fall in the picture again: the 3D answer through the camera that was assumed."""

from __future__ import annotations

import numpy as np

from minilift.poses.lens.camera import Camera
from minilift.poses.lifted import LiftedPeople


def projected(people: LiftedPeople) -> np.ndarray:
    """Joints and the mid-hip (n, 16, 2) in pixels, or rays, as `joint_2d`; NaN where there is no camera."""
    points = np.concatenate([people.joint_3d, people.root[:, None]], axis=1).astype(np.float64)
    if not people.camera.get("fx"):
        return np.full((*points.shape[:2], 2), np.nan)
    fx, fy, cx, cy = (float(people.camera[name]) for name in ("fx", "fy", "cx", "cy"))
    camera = Camera(fx, fy, cx, cy, distortion=tuple(people.camera.get("distortion") or (0.0,) * 5))
    turn, shift = people.to_camera[:, :3].astype(np.float64), people.to_camera[:, 3].astype(np.float64)
    return camera.pixels(points @ turn.T + shift)
