"""A second camera for people whose joints are known."""

from dataclasses import dataclass

import numpy as np

from minilift.errors import InputError
from minilift.poses.camera import project
from minilift.poses.checks import rows


@dataclass(frozen=True)
class SecondView:
    """What another camera sees of n people, as `TwoViews` has it: image (n, 15, 2), R, t; float32."""

    joint_2d: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray


APART = (40.0, 140.0)
"""Degrees of azimuth between the two cameras, to either side: their rays are never nearly parallel."""


def draw_apart(rng: np.random.Generator, n: int) -> np.ndarray:
    """By how much the second camera's azimuth is larger (n,), in radians: APART, to either side."""
    side = np.where(rng.random(n) < 0.5, -1, 1)
    return np.asarray(side * np.radians(rng.uniform(*APART, n)))


def second_view(
    joint_3d: np.ndarray, apart: np.ndarray, elevation: np.ndarray, other: np.ndarray, distance: np.ndarray
) -> SecondView:
    """What a camera sees that has gone round each person's vertical.

    `joint_3d` (n, 15, 3) as the first camera sees it, at `elevation` (radians (n,)). The second one has an
    azimuth larger by `apart`, elevation `other` and stands at `distance`, in units of the first one's:

        R = Rx(other) Ry(-apart) Rx(-elevation),   t = (0, 0, -distance) - R (0, 0, -1)

    with the angles of `minilift.poses.camera.to_camera`. Raises InputError where a joint is not in front of
    it.
    """
    about = _rx(other) @ _ry(-apart) @ _rx(-elevation)
    rotation = about.astype(np.float32).astype(
        np.float64
    )  # as it will be read: the images are of that camera
    translation = rotation[:, :, 2].copy()  # - R (0, 0, -1)
    translation[:, 2] -= distance
    translation = translation.astype(np.float32)
    seen = joint_3d.astype(np.float64) @ rotation.transpose(0, 2, 1) + translation[:, None]
    behind = (seen[..., 2] >= 0).any(axis=1)
    if behind.any():
        raise InputError(f"a second camera has joints behind it in {rows(behind)}; leave those people out")
    return SecondView(project(seen).astype(np.float32), rotation.astype(np.float32), translation)


def _rx(angle: np.ndarray) -> np.ndarray:
    matrix = np.tile(np.eye(3), (len(angle), 1, 1))
    matrix[:, 1, 1] = matrix[:, 2, 2] = np.cos(angle)
    matrix[:, 2, 1] = np.sin(angle)
    matrix[:, 1, 2] = -matrix[:, 2, 1]
    return matrix


def _ry(angle: np.ndarray) -> np.ndarray:
    matrix = np.tile(np.eye(3), (len(angle), 1, 1))
    matrix[:, 0, 0] = matrix[:, 2, 2] = np.cos(angle)
    matrix[:, 0, 2] = np.sin(angle)
    matrix[:, 2, 0] = -matrix[:, 0, 2]
    return matrix
