"""The time of frames that come one by one: when each was, and how many steps it is after those before."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.keypoints import Keypoints
from minilift.poses.tracks.one_euro import FORGET
from minilift.poses.tracks.smooth import USUAL_FPS

_STEPS = 16  # times from frame to frame, whose median is the usual one


class Clock:
    """`time` in seconds, and `tick`, which counts frames: more than one on where some were left out."""

    def __init__(self) -> None:
        self.time: float | None = None
        self.tick = 0.0
        self._steps: deque[float] = deque(maxlen=_STEPS)

    def advance(self, found: Keypoints) -> bool:
        """Go on to a frame. False: it is so far before the last one that a new clip begins.

        Raises ArgumentError for a time that is no number, or that is at or a little before the last one: a
        frame that comes late is left out.
        """
        now = time_of(found)
        if not math.isfinite(now):
            raise ArgumentError("time", now, "is no time; give seconds, ascending from frame to frame")
        last, self.time = self.time, now
        if last is None or now < last - FORGET:
            self._steps.clear()
            self.tick += 1
            return False
        step = now - last
        if step <= 0:
            self.time = last
            problem = f"is not after that of the frame before, {last:g} s; give frames in order, each once"
            raise ArgumentError("time", round(now, 6), problem)
        usual = float(np.median(self._steps)) if self._steps else step
        self._steps.append(step)
        self.tick += max(1.0, round(step / usual))
        return True


def time_of(found: Keypoints) -> float:
    """Seconds of the one frame: by its time stamp, else by its number."""
    if found.times is not None:
        return float(found.times[0])
    return float(found.frames[0]) / (found.fps or USUAL_FPS)
