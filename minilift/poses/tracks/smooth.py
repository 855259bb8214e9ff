"""Lifted people smoothed over time: the pose about the mid-hip, and the mid-hip's path, each alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.poses.tracks.one_euro import OneEuro
from minilift.poses.tracks.savgol import savgol
from minilift.poses.tracks.step import step_of

CAUSAL = "one-euro"
WAYS = (CAUSAL, "savgol")
"""one-euro knows only the past, as a live picture does; savgol looks both ways, and is closer."""
USUAL_FPS = 30.0
WINDOW = 0.3
"""Seconds of savgol's window: 9 frames of 30 a second."""
ORDER = 2
PAUSE = 5
"""Steps from one frame to the next, from which on a movement is not smoothed across."""


class Smoother:
    """Smooths parts of a clip that come one after the other; only "one-euro" can, it looks at the past."""

    def __init__(self, fps: float) -> None:
        self.fps, self._pose, self._path = fps, OneEuro(), OneEuro()

    def __call__(self, people: LiftedPeople) -> LiftedPeople:
        joints, root, torso = _parts(people)
        time = people.frame / self.fps
        joints = self._pose(joints, time, people.person, torso)
        root = self._path(root, time, people.person, torso)
        return _whole(people, joints, root)


def smooth(people: LiftedPeople, how: str, fps: float | None = None) -> LiftedPeople:
    """Lifted people with less jitter: `how` is one of WAYS.

    `fps` are frames a second of the frame numbers, so that of every tenth frame they are those of the film;
    None: those of `people`, else USUAL_FPS. Movements are not smoothed over pauses. Unrelated pictures stay
    as they are. Raises ArgumentError for another way.
    """
    if how not in WAYS:
        raise ArgumentError("smooth", how, f"unknown; use one of {', '.join(WAYS)}")
    if people.stills or not len(people):
        return people
    fps = fps or people.fps or USUAL_FPS
    if how == CAUSAL:
        return Smoother(fps)(people)
    step = step_of(people.frame)
    window = max(2 * round(WINDOW * fps / step / 2 - 0.5) + 1, ORDER + 3)
    joints, root, _ = _parts(people)
    points = np.concatenate([joints, root], axis=1)
    for rows in _runs(people, PAUSE * step):
        points[rows] = savgol(points[rows], people.frame[rows].astype(np.float64), window, ORDER)
    return _whole(people, points[:, :-1], points[:, -1:])


def _parts(people: LiftedPeople) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints (n, 15, 3) from the root, the root (n, 1, 3), and the length of the torso (n,)."""
    root = people.root[:, None].astype(np.float64)
    joints = people.joint_3d - root
    torso = np.linalg.norm(joints[:, COURSE15.index("neck")], axis=1)
    return joints, root, np.maximum(torso, 1e-9)


def _whole(people: LiftedPeople, joints: np.ndarray, root: np.ndarray) -> LiftedPeople:
    return replace(people, joint_3d=(joints + root).astype(np.float32), root=root[:, 0].astype(np.float32))


def _runs(people: LiftedPeople, pause: float) -> Iterator[np.ndarray]:
    """Rows of one person after the other, in order of time, each without a pause and without NaN."""
    order = np.lexsort((people.frame, people.person))
    order = order[
        ~np.isnan(people.joint_3d[order]).any(axis=(1, 2)) & ~np.isnan(people.root[order]).any(axis=1)
    ]
    cuts = (np.diff(people.person[order]) != 0) | (np.diff(people.frame[order]) > pause)
    yield from np.split(order, np.flatnonzero(cuts) + 1)
