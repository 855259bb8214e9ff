"""Clips asked of a lifter as `minilift predict` asks: keypoints in pixels in, people in space out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.strangers.noise import FOCAL
from bench.strangers.takes import FPS
from bench.strangers.views import ROOT, Seen
from minilift import Lifter
from minilift.lift.clip.lift import lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15, Layout

APART = 1000
SIZE = (4000, 4000)
"""Pixels of the picture: nobody is cut off."""
LAYOUT = Layout("course15 and mid-hip", (*COURSE15.joints, "mid_hip"), (*COURSE15.parents, -1))
"""The mid-hip is given as it is, and is exact, as in the course's files; noise is on the 15 joints."""


@dataclass(frozen=True)
class Answer:
    """Of one clip."""

    own: np.ndarray
    """(n, 15, 3) in the camera's axes and units of each frame's own distance, the mid-hip at (0, 0, -1)."""
    metres: np.ndarray | None
    """(n, 15, 3) from the mid-hip, where the answer is in metres."""
    expected: np.ndarray | None
    """(n, 15) the errors to expect, in each frame's own unit, where the weights have trust."""
    interval: np.ndarray | None
    """(n, 15, 2): 90% of the errors lie between these."""


def keypoints(image: np.ndarray, root: np.ndarray, frame: np.ndarray) -> Keypoints:
    """One person in a clip: image (n, 15, 2) of focal length 1, NaN if not seen, and the mid-hip (n, 2)."""
    n = len(image)
    points = np.concatenate([image, root[:, None]], axis=1).astype(np.float64)
    xy = points * (FOCAL, -FOCAL) + np.array(SIZE) / 2
    return Keypoints(
        xy=xy, score=None, missing=np.asarray(np.isnan(xy).any(axis=2)), frame=frame.astype(np.int64),
        person=np.zeros(n, np.int64), track=None, track_names=(), layout=LAYOUT, format="made",
        frames=frame.astype(np.int64), size=SIZE, fps=FPS,
    )  # fmt: skip


def ask(lifter: Lifter, image: np.ndarray, seen: Seen, options: LiftOptions, stills: bool = False) -> Answer:
    """The person of one clip, its image (n, 15, 2) perhaps with noise, as `minilift predict` lifts them.

    `stills`: the frames are pictures of one person that have nothing to do with each other; they get numbers
    so far apart that nothing is made of time.
    """
    frame = np.arange(len(image)) * APART if stills else seen.frame
    found = lift_keypoints(keypoints(image, seen.root, frame), lifter, options)
    joints, root = found.joint_3d.astype(np.float64), found.root.astype(np.float64)
    depth = np.linalg.norm(root, axis=1)
    offset = joints - root[:, None]
    expected, interval = found.expected_error, found.interval
    return Answer(
        offset / depth[:, None, None] + ROOT,
        offset if found.unit == "m" else None,
        None if expected is None else expected / depth[:, None],
        None if interval is None else interval / depth[:, None, None],
    )
