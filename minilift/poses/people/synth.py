"""Synthetic people: as many plausible poses as wanted, seeded, in the course's conventions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from minilift.errors import InputError
from minilift.poses.camera import project, to_camera
from minilift.poses.layouts import COURSE15
from minilift.poses.people.activities import ACTIVITIES, draw_angles, draw_free_angles
from minilift.poses.people.body import sample_bodies
from minilift.poses.people.contact import settle
from minilift.poses.people.shares import EVERYDAY, VARIED

CHUNK = 4096
"""People per chunk. A chunk has a generator of its own, so n people are the first n of any larger number."""

FREE = len(ACTIVITIES)
"""The activity of those who do nothing in particular."""


@dataclass(frozen=True)
class SyntheticPoses:
    """n people in the course's conventions, and what each is doing."""

    joint_3d: np.ndarray  # (n, 15, 3) float32
    joint_2d: np.ndarray  # (n, 15, 2) float32
    scale: np.ndarray  # (n,) float32, metres per unit: the camera's distance
    activity: np.ndarray  # (n,) int8, an index into ACTIVITIES, or FREE

    def __len__(self) -> int:
        return len(self.joint_3d)

    def activity_names(self) -> list[str]:
        """Return the name of each person's activity."""
        return [(*ACTIVITIES, "moving freely")[number] for number in self.activity]


def _people(
    seed: int, index: int, free: float, shares: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """The CHUNK people number `index`: joints (CHUNK, 15, 3) in metres from the mid-hip, what they do, and
    the generator that drew them, from which cameras come."""
    rng = np.random.default_rng([seed, index])
    bodies = sample_bodies(rng, CHUNK)
    angles, activity = draw_angles(rng, CHUNK, shares)
    other = np.random.default_rng([seed, index, 1])  # so that the rest stays who they are without the free
    freely = np.flatnonzero(other.random(CHUNK) < free)
    angles[:, freely] = draw_free_angles(other, len(freely))
    activity[freely] = FREE
    joints = np.ascontiguousarray(settle(bodies, angles).transpose(2, 0, 1))
    flip = rng.random(CHUNK) < 0.5
    joints[flip] = joints[flip][:, COURSE15.mirror] * (-1, 1, 1)
    return joints, activity, rng


def _chunk(
    seed: int, index: int, free: float, shares: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return joint_3d, distance and activity of the CHUNK people number `index`."""
    joints, activity, rng = _people(seed, index, free, shares)
    azimuth = rng.uniform(-np.pi, np.pi, CHUNK)
    elevation = np.radians(rng.uniform(-10, 25, CHUNK))
    distance = rng.uniform(2.5, 6, CHUNK)
    return to_camera(joints, azimuth, elevation, distance), distance, activity


def people(
    n: int, seed: int = 0, free: float = 0.0, shares: Mapping[str, float] = VARIED
) -> tuple[np.ndarray, np.ndarray]:
    """The people that `synthesize` shows to cameras: joints (n, 15, 3) float64 in metres from the mid-hip, Y
    up, and the activity (n,) of each."""
    parts = [_people(seed, first // CHUNK, free, shares)[:2] for first in range(0, n, CHUNK)]
    none = [(np.empty((0, len(COURSE15), 3)), np.empty(0, np.int8))]
    joints, activity = (np.concatenate(part)[:n] for part in zip(*(parts or none), strict=True))
    return joints, activity


def synthesize(
    n: int,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
    start: int = 0,
    free: float = 0.0,
    shares: Mapping[str, float] = EVERYDAY,
) -> SyntheticPoses:
    """Make n poses of people all round a camera, the same for the same seed.

    Sizes and joint limits come from body.py, what people do from keyposes.py, gestures.py and gait.py, with
    correlated noise on every angle; contact.py keeps limbs out of the body; half the people are mirrored.
    Cameras are uniform: all azimuths, elevation -10 to 25 degrees, distance 2.5 to 6 m. The first n of any
    larger number are the same poses; with `start`, a multiple of CHUNK, they are n of it from that one on.
    A share `free` of them does none of that: their joints take any angles within their limits. For a network
    they are the more useful, the more the poses to come differ from the activities.
    `progress` is called with the number made since its last call.

    Raises InputError for a negative n or seed, for a share that is none, and for activities that
    there are not.
    """
    if n < 0 or seed < 0:
        raise InputError(f"cannot make {n} poses with seed {seed}: both must be 0 or more")
    if not 0 <= free <= 1:
        raise InputError(f"a share of {free} people cannot move freely: choose one from 0 to 1")
    if start % CHUNK:
        raise ValueError(f"start must be a multiple of {CHUNK}, got {start}")
    joint_3d = np.empty((n, len(COURSE15), 3), dtype=np.float32)
    scale = np.empty(n, dtype=np.float32)
    activity = np.empty(n, dtype=np.int8)
    for first in range(0, n, CHUNK):
        rows = slice(first, min(first + CHUNK, n))
        joints, distance, doing = _chunk(seed, (start + first) // CHUNK, free, shares)
        count = rows.stop - first
        joint_3d[rows], scale[rows], activity[rows] = joints[:count], distance[:count], doing[:count]
        if progress is not None:
            progress(count)
    return SyntheticPoses(joint_3d, project(joint_3d), scale, activity)
