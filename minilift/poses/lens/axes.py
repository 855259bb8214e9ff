"""The axes of the answer, by name, and the ground that feet show. docs/cameras.md has a picture of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minilift.poses.layouts import COURSE15

_FROM_CAMERA = {
    "camera": np.eye(3),
    "y-up": np.eye(3),
    "z-up": np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]),
}
"""Rows: X, Y and Z of the axes in those of a level camera (X right, Y up, Z towards the camera)."""

_ANKLES = [COURSE15.index("left_ankle"), COURSE15.index("right_ankle")]
_HEAD = COURSE15.index("head")
_FEWEST = 20  # rows with feet, for a ground
_MOST = 45.0  # degrees; a camera that is tilted more than that is not guessed
_SOLE = 0.045  # of the length from ankles to head: how far below the ankle the floor is


@dataclass(frozen=True)
class Axes:
    """`turn(points) = rotation (points) + origin`, from the camera's axes into those of the answer."""

    name: str = "camera"
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    origin: np.ndarray = field(default_factory=lambda: np.zeros(3))
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, name: str, joint_3d: np.ndarray, root: np.ndarray, seen: np.ndarray, *, level: bool = False
    ) -> Axes:
        """The axes of that name for people (n, 15, 3) with mid-hips (n, 3) in the camera's axes.

        Of y-up and z-up the origin lies on the floor, below where the first person is first seen; the floor
        is where the feet are lowest. `level` turns the up axis to where people's heads are from their feet.
        """
        if name == "camera":
            return cls()
        upright, told = _upright(joint_3d, seen) if level else (np.eye(3), ())
        rotation = _FROM_CAMERA[name] @ upright
        stands = np.isfinite(root).all(axis=1)
        if not stands.any():
            return cls(name, rotation, np.zeros(3), told)
        turned = joint_3d[stands] @ rotation.T
        up = 1 if name == "y-up" else 2
        heights = turned[:, _ANKLES, up][seen[stands][:, _ANKLES]]
        body = np.nanmedian(np.linalg.norm(turned[:, _HEAD] - turned[:, _ANKLES].mean(axis=1), axis=1))
        floor = np.nanpercentile(heights if len(heights) else turned[:, _ANKLES, up], 5) - _SOLE * body
        first = rotation @ root[np.flatnonzero(stands)[0]]
        first[up] = floor
        return cls(name, rotation, -first, told)

    def turn(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the camera's axes in these."""
        return np.asarray(points) @ self.rotation.T + self.origin

    @property
    def to_camera(self) -> np.ndarray:
        """(3, 4), [R | t] from these axes to the camera's."""
        return np.concatenate([self.rotation.T, -(self.rotation.T @ self.origin)[:, None]], axis=1)


def _upright(joint_3d: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The rotation that turns people's up, on average, to Y; none where they do not show one.

    The mean of the unit vectors from between the feet to the head, robustly: those that are farther from it
    than the median deviation times three are left out. People who stand and walk lean to all sides alike.
    """
    body = seen[:, [*_ANKLES, _HEAD]].all(axis=1) & np.isfinite(joint_3d).all(axis=(1, 2))
    if body.sum() < _FEWEST:
        return np.eye(3), (f"not levelled: feet and head are seen in {int(body.sum())} rows, not {_FEWEST}",)
    up = joint_3d[body][:, _HEAD] - joint_3d[body][:, _ANKLES].mean(axis=1)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    mean = np.median(up, axis=0)
    for _ in range(5):
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        off = np.arccos(np.clip(up @ mean, -1, 1))
        mean = up[off <= max(3 * float(np.median(off)), 1e-6)].mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    angle = float(np.degrees(np.arccos(np.clip(mean[1], -1, 1))))
    if angle > _MOST:
        return np.eye(3), (f"not levelled: people's up is {angle:.0f} degrees from the picture's",)
    return _between(mean, np.array([0.0, 1.0, 0.0])), (
        f"levelled: the camera was tilted {angle:.1f} degrees",
    )


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation (Rodrigues) that turns the unit vector a to b, less than half a turn away."""
    axis = np.cross(a, b)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + k + k @ k / (1 + float(a @ b)))
