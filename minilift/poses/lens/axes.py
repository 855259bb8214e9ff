"""The axes of the answer, by name. docs/cameras.md has a picture of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.lens.ground import ANKLES, HEAD, find_ground

NAMES = ("camera", "y-up", "z-up")
_SOLE = 0.045  # of the length from ankles to head: how far below the ankle the floor is, 0.04 of the stature


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

        Rows are in the order of their frames; seen (n, 15) bool. Of y-up and z-up the origin lies on the
        floor, below where the first person is first seen; the floor is where the lower ankles mostly are,
        less the height of an ankle. `level` takes as up what the people and their feet show, not the
        picture's. Raises ArgumentError for another name.
        """
        if name not in NAMES:
            raise ArgumentError("axes", name, f"unknown; use one of {', '.join(NAMES)}")
        if name == "camera":
            return cls()
        up = np.array([0.0, 1.0, 0.0])
        notes: tuple[str, ...] = ()
        if level:
            ground = find_ground(joint_3d, seen)
            up, notes = up if ground.up is None else ground.up, (ground.told,)
        rotation = _rotation(name, up)
        stands = np.isfinite(root).all(axis=1) & np.isfinite(joint_3d).all(axis=(1, 2))
        if not stands.any():
            return cls(name, rotation, np.zeros(3), notes)
        row = NAMES.index(name)  # that of the up axis: 1 of y-up, 2 of z-up
        first = rotation @ root[np.flatnonzero(stands)[0]]
        first[row] = _floor(joint_3d[stands], seen[stands], up)
        return cls(name, rotation, -first, notes)

    def turn(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the camera's axes in these."""
        return np.asarray(points) @ self.rotation.T + self.origin

    @property
    def to_camera(self) -> np.ndarray:
        """(3, 4), [R | t] from these axes to the camera's."""
        return np.concatenate([self.rotation.T, -(self.rotation.T @ self.origin)[:, None]], axis=1)


def _rotation(name: str, up: np.ndarray) -> np.ndarray:
    """Rows are the axes, in the camera's. Level with the ground, the camera looks along -Z of y-up, Y of
    z-up."""
    right = np.cross(up, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    nearer = np.cross(right, up)
    return np.stack([right, up, nearer] if name == "y-up" else [right, -nearer, up])


def _floor(joint_3d: np.ndarray, seen: np.ndarray, up: np.ndarray) -> float:
    """How high the floor is along `up`, under people (n, 15, 3)."""
    ankles = joint_3d[:, ANKLES] @ up
    both = seen[:, ANKLES].all(axis=1)
    lower = ankles.min(axis=1)
    body = np.linalg.norm(joint_3d[:, HEAD] - joint_3d[:, ANKLES].mean(axis=1), axis=1)
    return float(np.median(lower[both] if both.any() else lower) - _SOLE * np.median(body))
