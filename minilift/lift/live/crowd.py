"""Who is who in frames that come one by one, and what is remembered of a bounded number of people."""

from __future__ import annotations

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.lift.live.someone import Someone
from minilift.poses.keypoints import Keypoints
from minilift.poses.lens.scale import Bones, depth_by
from minilift.poses.lens.stature import USUAL
from minilift.poses.tracks.apart import placed
from minilift.poses.tracks.duplicates import quality, twice
from minilift.poses.tracks.follow import MOST, Followed, known_sizes

REMEMBERED = 300.0
"""Ticks, as many frames, after which a person who was not seen is forgotten."""
MOST_KNOWN = 1000
"""People who are remembered; of more, who was not seen for longest is forgotten."""


class Crowd:
    """The people of a live picture: found again from frame to frame, and given the length of their bones.

    `tall` is the stature in the unit of the answer; None: it is `distance` times that of the first person
    seen from a distance of 1. `lengths` (15,), in the same unit, are everyone's bones, where they are known.
    """

    def __init__(self, tall: float | None, distance: float = 1.0, lengths: np.ndarray | None = None) -> None:
        self.tall, self._distance, self._given = tall, distance, lengths
        self._followed: Followed | None = None
        self._known: dict[tuple[bool, str | int], Someone] = {}  # in the order in which they were last seen
        self._count = 0

    def __len__(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """Forget everyone; the scale stays."""
        self._followed = None
        self._known.clear()

    def fit(self, found: Keypoints) -> Keypoints:
        """The detections that are people, each once. Raises ArgumentError for too many of them."""
        if len(found) > MOST:
            problem = f"and {MOST} can be followed from frame to frame; leave out the weak ones"
            raise ArgumentError("people", counted(len(found), "person"), problem)
        missing = found.missing | np.isnan(found.xy[..., 0])
        extra = missing.all(axis=1)
        if len(found) > 1:
            extra |= twice(found.xy, missing, found.frame, quality(found.weight, found.score, missing))
        return found.take(~extra) if extra.any() else found

    def recognised(self, found: Keypoints, tick: float) -> list[Someone]:
        """The people of a frame's detections, in their order: by their ids, else by where they are."""
        ids = np.full(len(found), -1) if found.track is None else found.track
        keys: list[tuple[bool, str | int]] = [
            (True, found.track_names[i]) if i >= 0 else (False, 0) for i in ids
        ]
        without = np.flatnonzero(ids < 0)
        if len(without):
            points = placed(found.xy[without], found.missing[without])
            if self._followed is None or self._followed.pose.shape[1] != points.shape[1]:
                self._followed = Followed(
                    points.shape[1], 0 if self._followed is None else self._followed.total
                )
            numbers = self._followed.match(points, known_sizes(points), tick)
            for row, number in zip(without.tolist(), numbers.tolist(), strict=True):
                keys[row] = (False, number)
        people = [self._someone(key, tick) for key in keys]
        self._let_go(tick)
        return people

    def _someone(self, key: tuple[bool, str | int], tick: float) -> Someone:
        found = self._known.pop(key, None)
        if found is None:
            lengths = USUAL * (self.tall or 1.0) if self._given is None else self._given
            name = str(key[1]) if key[0] else None
            found = Someone(self._count, name, tick, lengths, known=self._given is not None)
            self._count += 1
        found.tick = tick
        self._known[key] = found
        return found

    def _let_go(self, tick: float) -> None:
        for key, someone in list(self._known.items()):
            if tick - someone.tick <= REMEMBERED and len(self._known) <= MOST_KNOWN:
                return
            del self._known[key]

    def measure(self, people: list[Someone], own: np.ndarray, seen: np.ndarray) -> None:
        """Set the scale by the first person who is lifted, where nothing else has set it: joints (n, 15, 3)
        in units of their own distance, seen (n, 15)."""
        if self.tall is not None or not len(own):
            return
        depth = depth_by(USUAL if self._given is None else self._given, Bones.of(own, seen))
        good = np.flatnonzero(np.isfinite(depth))
        if not len(good):
            return
        self.tall = self._distance / float(depth[good[0]])
        if self._given is not None:
            self._given = self._given * self.tall
        for someone in self._known.values():
            someone.lengths = someone.lengths * self.tall
