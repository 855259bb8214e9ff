"""Frames of motion capture in which a knee is on the wrong side of the line from hip to ankle.

A solver that turns a bent leg about that line by mistake leaves hip and ankle where they are. The knee jumps
there within one frame, and back some frames later; or it comes slowly and ends up bending forward.
"""

from itertools import pairwise

import numpy as np

from minilift.poses.layouts import COURSE15

JUMP = 12.0
"""Metres per second that no knee moves at, seen from the hips: 6 to 7 in backflips and kicks, 18 to 47 in
flips."""

APART = 0.5  # seconds: jumps that follow within it are there and back
BENT = 15.0  # degrees, from which on it can be seen which way a knee bends
FORWARD = -0.3
"""The cosine between the axis that a knee bends about and the way across the hips, to the left. It is above
-0.3 in all that is no flip: a thigh does not turn by more than 107 degrees about itself."""


def knee_flips(joints: np.ndarray, fps: float) -> np.ndarray:
    """Which frames (F,) of joints (F, 15, 3), in metres from the mid-hip, have a flipped knee.

    They are those between jumps (JUMP) that follow within APART, the two at a jump alone, and those in which
    the bend of a knee is forward (FORWARD).
    """
    across = joints[:, COURSE15.index("left_hip")] - joints[:, COURSE15.index("right_hip")]
    found = np.zeros(len(joints), bool)
    for side in ("right", "left"):
        hip, knee, ankle = (joints[:, COURSE15.index(f"{side}_{name}")] for name in ("hip", "knee", "ankle"))
        found |= _forward(knee - hip, ankle - knee, across) | _jumped(knee, fps)
    return found


def _forward(thigh: np.ndarray, shin: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Whether a knee bends forward (F,), of vectors (F, 3). Thigh x shin points left where it bends back."""
    axis = np.cross(thigh, shin)
    size = np.linalg.norm(axis, axis=1)
    bend = np.degrees(np.arctan2(size, (thigh * shin).sum(axis=1)))
    cosine = (axis * across).sum(axis=1) / np.maximum(size * np.linalg.norm(across, axis=1), 1e-12)
    return np.asarray((bend > BENT) & (cosine < FORWARD))


def _jumped(knee: np.ndarray, fps: float) -> np.ndarray:
    """The frames (F,) at and between jumps of a knee (F, 3)."""
    out = np.zeros(len(knee), bool)
    jumps = 1 + np.flatnonzero(np.linalg.norm(np.diff(knee, axis=0), axis=1) * fps > JUMP)
    for jump in jumps:
        out[jump - 1 : jump + 1] = True
    for before, after in pairwise(jumps):
        if after - before <= APART * fps:
            out[before:after] = True
    return out
