"""Movements seen by cameras: for one frame, each with a camera of its own; for clips, one for each view."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.strangers.takes import Take
from minilift.poses.camera import project, to_camera
from minilift.poses.clips.frames import moved
from minilift.poses.layouts import ROOT as _ROOT

LEAST_MOVE = 0.03
"""Metres: frames of the one-frame sets differ by so much on average, as those of the mocap set do."""

_NEAREST = 1.2  # metres from the camera to the mid-hip, along the optical axis
ROOT = np.array(_ROOT)


@dataclass(frozen=True)
class Cameras:
    """Where cameras stand; azimuth is uniform all round, and they aim at the mid-hip without roll."""

    elevation: tuple[float, float] = (-10.0, 25.0)
    """degrees"""
    distance: tuple[float, float] = (2.5, 6.0)
    """metres"""
    seed: int = 0


@dataclass(frozen=True)
class Seen:
    """n poses in the course's form, and what is known of each."""

    image: np.ndarray
    """(n, 15, 2) float32"""
    truth: np.ndarray
    """(n, 15, 3) float32, the unit of each is its distance"""
    scale: np.ndarray
    """(n,) metres per unit"""
    clip: np.ndarray
    """(n,) the number of the take and view"""
    frame: np.ndarray
    """(n,) the number of the frame in its clip"""
    label: np.ndarray
    """(n,) str: subject, activity"""
    elevation: np.ndarray
    """(n,) degrees"""
    root: np.ndarray
    """(n, 2) the image of the mid-hip: (0, 0) but where the camera stands still"""

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: np.ndarray) -> Seen:
        return Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def by_frame(takes: Sequence[Take], cameras: Cameras, views: int) -> Seen:
    """Every frame that differs from the one before, through `views` cameras of its own."""
    parts: list[Seen] = []
    for take in takes:
        rows = moved(take.joints, LEAST_MOVE)
        for view in range(views):
            drawn = _rng(cameras, take, view).random((len(take.joints), 3))
            parts.append(_seen(take, rows, drawn[rows], cameras, len(parts)))
    return joined(parts)


def by_clip(takes: Sequence[Take], cameras: Cameras, views: int) -> Seen:
    """All frames, through one camera for each view of a take: it goes along with the person, at one distance
    and from one direction."""
    parts: list[Seen] = []
    for take in takes:
        rows = np.arange(len(take.joints))
        for view in range(views):
            drawn = np.tile(_rng(cameras, take, view).random(3), (len(rows), 1))
            parts.append(_seen(take, rows, drawn, cameras, len(parts)))
    return joined(parts)


def by_still_camera(takes: Sequence[Take], cameras: Cameras, views: int) -> Seen:
    """All frames, through cameras that stand still and aim at the middle of the person's way.

    `truth` has the camera's axes, and each frame the unit of its own distance, with the mid-hip moved to
    (0, 0, -1); `image` and `root` are what the camera sees. A view in which the person comes nearer than
    _NEAREST is left out.
    """
    parts: list[Seen] = []
    for take in takes:
        away = (take.root - take.root.mean(axis=0))[:, None]
        rows = np.arange(len(away))
        for view in range(views):
            drawn = np.tile(_rng(cameras, take, view).random(3), (len(rows), 1))
            aimed = _seen(take, rows, drawn, cameras, len(parts))
            azimuth = np.pi * (2 * drawn[:, 0] - 1)
            place = to_camera(away, azimuth, np.radians(aimed.elevation), aimed.scale)[:, 0]
            place *= aimed.scale[:, None]  # the mid-hip, metres
            if place[:, 2].max() > -_NEAREST:
                continue
            offset, distance = (
                (aimed.truth - ROOT) * aimed.scale[:, None, None],
                np.linalg.norm(place, axis=1),
            )
            image = project((place[:, None] + offset).astype(np.float32))
            truth = (offset / distance[:, None, None] + ROOT).astype(np.float32)
            parts.append(replace(aimed, image=image, truth=truth, scale=distance, root=project(place)))
    return joined(parts)


def joined(parts: Sequence[Seen]) -> Seen:
    """Several as one; clips keep apart."""
    return Seen(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Seen.__dataclass_fields__)
    )


def _rng(cameras: Cameras, take: Take, view: int) -> np.random.Generator:
    """Cameras depend on the name of the take, so that leaving a take out changes no other's."""
    return np.random.default_rng([cameras.seed, zlib.crc32(take.name.encode()), view])


def _seen(take: Take, rows: np.ndarray, drawn: np.ndarray, cameras: Cameras, clip: int) -> Seen:
    (low, high), (near, far) = np.radians(cameras.elevation), cameras.distance
    azimuth, elevation = np.pi * (2 * drawn[:, 0] - 1), low + (high - low) * drawn[:, 1]
    distance = near + (far - near) * drawn[:, 2]
    truth = to_camera(take.joints[rows], azimuth, elevation, distance).astype(np.float32)
    label = np.full(len(rows), f"{take.subject}, {take.activity}", object)
    clips, middle = np.full(len(rows), clip), np.zeros((len(rows), 2))
    return Seen(project(truth), truth, distance, clips, rows, label, np.degrees(elevation), middle)
