"""What is remembered of one person in a live picture: a few kilobytes, whatever the time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from minilift.lift.clip.noise import jitter
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.scale import Bones, depth_by
from minilift.poses.lens.stature import stature
from minilift.poses.tracks.one_euro import OneEuro

USUAL_COUNTS = 30.0
"""How much the usual proportions count beside a frame's bones, which have weights of 1 to 10: some frames."""
_MOST_COUNTS = 3000.0  # of a bone: from then on, after half a minute or so, the oldest fade
_FAR = 0.3  # of a bone's length: one so far off counts a quarter
_WINDOW = 40  # frames whose jitter is looked at,
_EVERY = 8  # every so many frames


@dataclass
class Someone:
    """One person: `number`, what the detector calls them, and when they were last seen, in ticks."""

    number: int
    name: str | None
    tick: float
    lengths: np.ndarray
    """(15,) of the bones, in the unit of the answer."""
    known: bool = False
    """They are those of a body that was given: they stay."""
    _mass: np.ndarray = field(default_factory=lambda: np.full(len(COURSE15), USUAL_COUNTS))
    _recent: deque[tuple[int, np.ndarray]] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _jitter: np.ndarray = field(default_factory=lambda: np.zeros(len(COURSE15)))
    _since: int = 0
    _pose: OneEuro = field(default_factory=OneEuro)
    _path: OneEuro = field(default_factory=OneEuro)
    _depth: OneEuro = field(default_factory=OneEuro)

    def noise(self, rays: np.ndarray) -> np.ndarray:
        """(15,) image units: how much the rays (15, 2) of this and the frames before jitter; 0 at first."""
        self._recent.append((round(self.tick), rays))
        self._since += 1
        if self._since >= _EVERY and len(self._recent) > _EVERY:
            self._since = 0
            frame = np.array([tick for tick, _ in self._recent])
            points = np.stack([ray for _, ray in self._recent])
            self._jitter = np.nan_to_num(jitter(points, frame, np.zeros(len(frame), np.int64))[-1])
        return self._jitter

    def depth(self, own: np.ndarray, seen: np.ndarray) -> float:
        """How far away the mid-hip is, by the bones of joints (15, 3) in units of that; NaN: not lifted.

        Then these bones are learned. Their stature stays: that is the scale.
        """
        bones = Bones.of(own[None], seen[None])
        found = float(depth_by(self.lengths, bones)[0])
        if self.known or not np.isfinite(found):
            return found
        length, weight = found * bones.length[0], bones.weight[0]
        weight = weight / (1 + ((length / self.lengths - 1) / _FAR) ** 2) ** 2
        tall = stature(self.lengths)
        lengths = (self._mass * self.lengths + weight * length) / (self._mass + weight)
        self._mass = np.minimum(self._mass + weight, _MOST_COUNTS)
        self.lengths = lengths * (tall / stature(lengths))
        return found

    def smoothed(self, joint_3d: np.ndarray, root: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Joints (15, 3) and the mid-hip (3,) in the camera's axes: the pose about the mid-hip, where that is
        in the picture, and how far away, each calmer than it was."""
        now, who, one = np.array([time]), np.zeros(1, np.int64), np.ones(1)
        away = -root[2]
        around = joint_3d - root
        torso = np.maximum(np.linalg.norm(around[None, COURSE15.index("neck")], axis=1), 1e-9)
        around = self._pose(around[None], now, who, torso)[0]
        place = self._path((root[:2] / away)[None, None], now, who, torso / away)[0, 0]
        away = np.exp(self._depth(np.log(np.full((1, 1, 1), away)), now, who, one)[0, 0, 0])
        root = np.array([*place, -1.0]) * away
        return around + root, root
