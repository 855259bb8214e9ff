"""From keypoints in pixels to what a lifter takes: rays of the course's joints, the mid-hip straight
ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.poses.joint_state import MISSING
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts.make import make
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.turn import turn


@dataclass
class Prepared:
    """n detections, ready for a lifter."""

    rays: np.ndarray
    """(n, 15, 2) float32, turned so that the mid-hip is at (0, 0), y up; NaN where not seen."""
    turned: np.ndarray
    """(n, 3, 3): what they were turned by."""
    joint_2d: np.ndarray
    """(n, 15, 2) as given: pixels, NaN where not seen."""
    root_2d: np.ndarray
    confidence: np.ndarray
    state: np.ndarray
    empty: np.ndarray
    """(n,) bool: not one joint was seen, or no place for the hips could be found."""


def prepare(found: Keypoints, camera: Camera, confidence: float) -> Prepared:
    """Make the course's joints, drop those below the confidence, and turn the rays to the mid-hip."""
    missing = found.missing
    if found.score is not None:
        missing = missing | ~(found.score >= confidence)
    made = make(found.layout, found.xy, missing, found.score)
    rays = camera.rays(made.joint_2d)
    if found.rays:  # of the course: the mid-hip lies straight ahead already, and is not stored
        aimed, turned = rays, np.broadcast_to(np.eye(3), (len(rays), 3, 3))
        root_2d = np.zeros((len(rays), 2))
    else:
        root_2d = made.root
        aimed, turned = turn(rays, camera.rays(made.root[:, None])[:, 0])
    lost = np.isnan(aimed).any(axis=2)  # not seen, or outside of what the lens can show
    state = np.where(lost, np.uint8(MISSING), made.state)
    empty = lost.all(axis=1) | np.isnan(root_2d).any(axis=1)
    return Prepared(
        aimed.astype(np.float32), turned, np.where(lost[:, :, None], np.nan, made.joint_2d), root_2d,
        made.confidence, state, empty,
    )  # fmt: skip
