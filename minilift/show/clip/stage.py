"""Lifted people on a stage: in axes that any picture can draw, with the floor, the camera and what it sees.

The axes of the stage are X right, Y up and Z towards the camera that filmed the people, in their own unit.
For axes "y-up" and "camera" that is how they are; of "z-up", Y is away from the camera and Z up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople

IMAGE_PLANE = 0.12  # of the way from the camera to the people: where its picture stands
WALKS, FEWEST, ROUNDS = 0.3, 50, 6  # heights that feet are spread by, and rows, for a floor that is not level
STEEPEST = 0.7  # of a floor: 35 degrees
HEIGHT = ("left_knee", "left_ankle", "spine", "neck", "head")  # whose bones are as long as a person is high

Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # stage <- z-up


def to_stage(points: np.ndarray, axes: str) -> np.ndarray:
    """Points (..., 3) of `LiftedPeople.axes` in those of the stage, float64."""
    turn = Z_UP if axes == "z-up" else np.eye(3)
    return np.asarray(points, np.float64) @ turn.T


def fit_to_draw(people: LiftedPeople, path: PathLike) -> LiftedPeople:
    """The people with NaN for all that has no place: people of whom a joint is not finite, keypoints.

    Raises InputError naming `path`, the picture to be, where no one is left.
    """
    whole = np.isfinite(people.joint_3d).all(axis=(1, 2)) & np.isfinite(people.root).all(axis=1)
    if not whole.any():
        raise file_error(path, "there is no one to show; give at least one person with joints")
    return replace(
        people,
        joint_3d=np.where(whole[:, None, None], people.joint_3d, np.nan),
        root=np.where(whole[:, None], people.root, np.nan),
        joint_2d=np.where(np.isfinite(people.joint_2d), people.joint_2d, np.nan),
        root_2d=np.where(np.isfinite(people.root_2d), people.root_2d, np.nan),
    )


class Floor(NamedTuple):
    """The plane y = height + x slope_x + z slope_z: level, unless the camera was not and the axes are its."""

    height: float
    slope_x: float = 0.0
    slope_z: float = 0.0

    def under(self, points: np.ndarray) -> np.ndarray:
        """The points (..., 3) of the floor below points (..., 3)."""
        x, _, z = np.moveaxis(points, -1, 0)
        return np.stack([x, self.height + x * self.slope_x + z * self.slope_z, z], axis=-1)

    @property
    def tilt(self) -> float:
        """From level, in degrees."""
        return float(np.degrees(np.arctan(np.hypot(self.slope_x, self.slope_z))))


@dataclass(frozen=True)
class Stage:
    """What stands on the stage: n rows of people, and what is there in all of their frames."""

    joints: np.ndarray
    """(n, 16, 3) float64: the joints of COURSE15, then the mid-hip."""
    floor: Floor | None
    """None for pictures that have nothing to do with each other: each has its own."""
    height: float
    """Of a person, the median: by it everything else is sized."""
    low: np.ndarray
    """(3,) and `high`: nearly all joints are between them, the widest jumps of a lifted path are not."""
    high: np.ndarray
    camera: np.ndarray
    """(5, 3): where the camera stands, then the corners of its picture before it, from the upper left on."""


def build(people: LiftedPeople) -> Stage:
    """Put people on a stage; they are fit to draw."""
    both = np.concatenate([people.joint_3d, people.root[:, None]], axis=1)
    joints = to_stage(both, people.axes)
    there = joints[np.isfinite(joints).all(axis=(1, 2))]
    length = dict(zip(COURSE15.joints, _bones(there).T, strict=True))
    height = float(np.median(sum(length[name] for name in HEIGHT)))
    low, high = np.percentile(there.reshape(-1, 3), (1, 99), axis=0)
    height = max(height, 1e-9)
    floor = None if people.stills else _floor(there, height)
    return Stage(joints, floor, height, low, high, _camera(people, there))


def _floor(joints: np.ndarray, height: float) -> Floor:
    """The plane that the lowest joints of people (n, 16, 3) stand on most of the time.

    Least squares, fitted again and again without those above it: a foot is in the air now and then. It is
    level in directions in which no one walks.
    """
    feet = np.take_along_axis(joints, joints[..., 1].argmin(axis=1)[:, None, None], axis=1)[:, 0]
    moves = [k for k in (0, 2) if feet[:, k].std() > WALKS * height]
    slopes, kept = {0: 0.0, 2: 0.0}, np.ones(len(feet), bool)
    if moves and len(feet) >= FEWEST:
        columns = np.column_stack([np.ones(len(feet)), feet[:, moves]])
        for _ in range(ROUNDS):
            fitted, *_ = np.linalg.lstsq(columns[kept], feet[kept, 1], rcond=None)
            off = feet[:, 1] - columns @ fitted
            kept = off <= np.median(off)
        found = dict(zip(moves, (float(value) for value in fitted[1:]), strict=True))
        if sum(value * value for value in found.values()) <= STEEPEST**2:
            slopes.update(found)
    flat = Floor(0.0, slopes[0], slopes[2])
    off = feet[:, 1] - flat.under(feet)[:, 1]
    return flat._replace(height=float(np.percentile(off, 10)))


def _bones(joints: np.ndarray) -> np.ndarray:
    """Lengths (n, 15) of the bones of joints (n, 16, 3), the root last."""
    return np.asarray(np.linalg.norm(joints[:, :-1] - joints[:, list(COURSE15.parents)], axis=2))


def _camera(people: LiftedPeople, joints: np.ndarray) -> np.ndarray:
    turn, shift = people.to_camera[:, :3].astype(np.float64), people.to_camera[:, 3].astype(np.float64)
    own = to_stage(-shift @ turn, people.axes)  # the inverse of a turn is its transpose
    depth = IMAGE_PLANE * float(np.median(np.linalg.norm(joints[:, -1] - own, axis=1)))
    half = 0.5 * np.ones(2)
    if people.size is not None and people.camera.get("fx"):
        half = 0.5 * np.array(people.size) / people.camera["fx"]
    corners = np.array([[-half[0], half[1]], half, [half[0], -half[1]], -half])
    points = np.concatenate([np.zeros((1, 3)), np.column_stack([corners, -np.ones(4)]) * depth])
    return to_stage((points - shift) @ turn, people.axes)
