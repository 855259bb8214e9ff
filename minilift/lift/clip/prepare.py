"""From keypoints in pixels to what a lifter takes: rays of the course's joints, the mid-hip straight
ahead, and how far off they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from minilift.files.mapped import chunks
from minilift.lift.clip.noise import GUESSED, noise_levels
from minilift.lift.clip.options import LiftOptions
from minilift.poses.joint_state import FILLED, MISSING
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts.make import make
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.turn import turn
from minilift.poses.tracks.gaps import fill

BLOCK = 1 << 14  # detections at a time


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
    sigma: np.ndarray
    """(n, 15) float32 image units: the standard deviation of the rays."""
    empty: np.ndarray
    """(n,) bool: not one joint was seen, or no place for the hips could be found."""

    def take(self, rows: np.ndarray | slice) -> Prepared:
        """Some of them."""
        parts: dict[str, Any] = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return Prepared(**parts)


def prepare(found: Keypoints, person: np.ndarray, camera: Camera, options: LiftOptions) -> Prepared:
    """Make the course's joints, drop those below the confidence, fill gaps, turn the rays to the mid-hip.

    `person` (n,) says who is who over the frames.
    """
    parts = [_joints(found.take(rows), options.confidence) for rows in chunks(len(found), BLOCK)]
    points, state, confidence = (np.concatenate(column) for column in zip(*parts, strict=True))
    filled = np.zeros(state.shape, bool)
    if options.fill and not found.stills and not found.rays:
        points, filled = _filled(points, found.frame, person, options.fill)
    joint_2d, root_2d = points[:, :-1], points[:, -1]
    with np.errstate(over="ignore", invalid="ignore"):
        rays = camera.rays(joint_2d)
    sigma = _sigma(rays, np.where(filled, np.nan, confidence), found, person, camera, options)
    sigma = np.where(filled, np.maximum(2 * sigma, GUESSED), sigma)
    if found.rays:  # of the course: the mid-hip lies straight ahead already, and is not stored
        aimed, turned = rays, np.broadcast_to(np.eye(3), (len(rays), 3, 3))
        root_2d = np.zeros((len(rays), 2))
    else:
        aimed, turned = turn(rays, camera.rays(root_2d[:, None])[:, 0])
    lost = np.isnan(aimed).any(axis=2)  # not seen, or outside of what the lens can show
    state = np.where(lost, np.uint8(MISSING), np.where(filled, np.uint8(FILLED), state))
    empty = lost.all(axis=1) | np.isnan(root_2d).any(axis=1)
    given = np.where((lost | filled)[:, :, None], np.nan, joint_2d)
    return Prepared(
        aimed.astype(np.float32), turned, given, root_2d, confidence, state, sigma.astype(np.float32), empty
    )


def _joints(found: Keypoints, confidence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The course's joints and the mid-hip (n, 16, 2), and the joints' states and scores (n, 15)."""
    missing = found.missing
    if found.score is not None:
        missing = missing | ~(found.score >= confidence)
    made = make(found.layout, found.xy, missing, found.score)
    return np.concatenate([made.joint_2d, made.root[:, None]], axis=1), made.state, made.confidence


def _filled(
    points: np.ndarray, frame: np.ndarray, person: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 16, 2) with short gaps of single joints filled, and which (n, 15).

    A person without any joint is left to be placed in space, after the lifting.
    """
    gone = np.isnan(points).any(axis=2)
    there = np.flatnonzero(~gone[:, :-1].all(axis=1))
    points, filled = points.copy(), np.zeros(gone.shape, bool)
    points[there], filled[there] = fill(points[there], gone[there], frame[there], person[there], most)
    return points, filled[:, :-1]


def _sigma(
    rays: np.ndarray, confidence: np.ndarray, found: Keypoints, person: np.ndarray, camera: Camera,
    options: LiftOptions,
) -> np.ndarray:  # fmt: skip
    """(n, 15) image units: what the user says, or what jitter and scores do."""
    if options.noise is not None:
        focal = 1.0 if found.rays else float(np.sqrt(camera.fx * camera.fy))
        return np.full(rays.shape[:2], options.noise / focal)
    return noise_levels(rays, confidence, found.frame, person, found.fps, found.stills)
