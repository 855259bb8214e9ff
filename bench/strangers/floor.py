"""Floor work and handstands from key poses that are written here by hand, and are in no training.

They are as measurements of how a lifter copes with people who lie, crawl and stand on their heads; a real
person's movement they are not. Joint angles go from key to key, at 30 frames a second.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bench.strangers.takes import FPS, Take
from minilift.poses.people.body import ANGLES, Bodies, clip_to_limits, joint_positions
from minilift.poses.people.keyposes import limb_rows

# A line is a key pose: pelvis (pitch, roll, turn), spine and head (flex, side, twist), right and left leg
# (flex, abduct, rotate, knee), right and left arm (flex, abduct, rotate, elbow), degrees; signs as in
# minilift.poses.people.body.ANGLES. "= NAME" begins a movement, which goes through its keys and back to the
# first one.
_MOVEMENTS = """
= push-ups
  76  0   0   2  0   0 -12  0   0    0  4   0   6    0  4   0   6   88  8 -10   4   88  8 -10   4
  84  0   0   0  0   0 -20  0   0    0  4   0   4    0  4   0   4   30 42 -20 104   30 42 -20 104
= sit-ups
 -88  0   0   2  0   0  10  0   0   48  6   4  92   48  6   4  92    8 12 -10  14    8 12 -10  14
 -36  0   0  54  0   0  22  0   0  100  8   4  94  100  8   4  94   84 10 -10  10   84 10 -10  10
= cobra and dog
 122  0   0  10  0   0   4  0   0   96  8   4  10   96  8   4  10  168 12   0   8  168 12   0   8
  78  0   0   0  0   0  -8  0   0   -2  5   0   6   -2  5   0   6   84  8   0   6   84  8   0   6
  66  0   0 -24  0   0 -34  0   0  -22  6   0   8  -22  6   0   8   52 12 -10  34   52 12 -10  34
= bridge
 -92  0   0   0  0   0   0  0   0   52 10   4 104   52 10   4 104   10 20   0  12   10 20   0  12
-112  0   0 -22  0   0 -36  0   0  -18 12   6  84  -18 12   6  84  176 16   0  24  176 16   0  24
= crab walk
 -62  0   0  10  0   6  12  0   0   78 10   0  84   46 12   0  96  -48 16   0   6  -32 20   0  18
 -62  0   0  10  0  -6  12  0   0   46 12   0  96   78 10   0  84  -32 20   0  18  -48 16   0   6
= crawling
  84  4   4   6  4   6 -24  0   4  104  4   0  92   62  6   0  80   62  4   0  12  104  8   0  10
  84 -4  -4   6 -4  -6 -24  0  -4   62  6   0  80  104  4   0  92  104  8   0  10   62  4   0  12
= side plank
   4 74   0   0  8   0   0  8   0    2  4   0   4    2  0   0   4    0 88   0   6    0 92   0   6
  10 84   8   8 22  14   8 12  16   14 26   6  10   30  6   4  24   20 70   0  30   60 84 -20  40
= handstand
 178  0   0  -4  0   0 -24  0   0    4  6   0   4    4  6   0   4  176 10   0   4  176 10   0   4
 176  0  10  -8  0   4 -28  0   0   58 10   0   6  -26  8   0  10  174 14   0   8  172 14   0   6
 150  0   0  10  0   0 -10  0   0  110  8   0  24  112  8   0  28  160 14   0   8  160 14   0   8
= shoulder stand
-168  0   0  48  0   0  40  0   0   -6  4   0   4   -6  4   0   4  -34 18 -20  84  -34 18 -20  84
-150  0   0  58  0   0  42  0   0   96  6   0   6   20  8   0  30  -34 18 -20  84  -34 18 -20  84
= leg raises
 -90  0   0   0  0   0   4  0   0   88  4   0   6    4  6   0   4    4 30 -10  10    4 30 -10  10
 -90  0   0   4  0   0  12  0   0    6  6   0   4   84  4   0  10    4 84  10   8    4 84  10   8
= swimming
  90  0   6 -14  0   0 -34  0  20    4  4   4  12  -16  6   4   6  170 14   0   8   18 16 -30  40
  90  0  -6 -14  0   0 -34  0 -20  -16  6   4   6    4  4   4  12   18 16 -30  40  170 14   0   8
= straddle
  -6  0   0  10  0   0   8  0   0   86 40  14   6   86 40  14   6   44 20   0  20   44 20   0  20
  22 14  18  44 18  20  10  0  10  112 40  14   8  108 42  14   6   96 10   0  14  128 20   0  16
= cross-legged to kneeling
 -10  0   0  24  0   0   8  0   0   84 40  42 128   84 40  42 128   40 16 -30  64   40 16 -30  64
   6 10   0  20 10  20   6  0   0   96 24  10 140   60 30  24 128   20 60   0  10   64 10 -10  50
   0  0   0   4  0   0   4  0   0   88  8   4  96    0  6   4  94   30 10 -20  80   20 10 -20  60
= rolling over
 -90  0   0   4  0   0  10  0   0    6  6   0   8    6  6   0   8  160 10   0  14  160 10   0  14
 -90  0  90  12  0  10  10  0  10   40  2   0  54   14  6   0  20  120 10   0  40  160 10   0  14
 -90  0 180  -4  0   0 -10  0  30    0  6   0   6    0  6   0   6  164 14   0  14  164 14   0  14
 -90  0 270   8  0 -10   6  0   0   14  6   0  20   40  2   0  54  160 10   0  14  120 10   0  40
= forward rolls
   0  0   0  30  0   0  20  0   0  108 10   6 132  108 10   6 132   70 10   0  20   70 10   0  20
  90  0   0  56  0   0  38  0   0  100 10   6 104  100 10   6 104  120 14   0  50  120 14   0  50
 180  0   0  66  0   0  42  0   0  112  8   6 110  112  8   6 110   84 20   0  84   84 20   0  84
 270  0   0  62  0   0  40  0   0  118  8   6 134  118  8   6 134   70 16 -20  96   70 16 -20  96
"""
_SECONDS = 1.2  # from key to key
_ROUNDS = 2
_TURNS = (0, 1, 2)  # rows of the pelvis, which may turn further than half a circle


def movements() -> list[Take]:
    """The takes, of a body of average lengths; `retargeted` puts them onto others."""
    return [
        Take(name, "made", f"floor: {name}", _positions(_angles(keys)), np.zeros((len(_angles(keys)), 3)))
        for name, keys in _keys().items()
    ]


def _keys() -> dict[str, np.ndarray]:
    """Key poses (K, angles) by the name of the movement."""
    found = {}
    for block in _MOVEMENTS.split("=")[1:]:
        name, *lines = block.strip().splitlines()
        rows = [[float(word) for word in line.split()] for line in lines]
        found[name.strip()] = np.array([row[:9] + limb_rows(row[9:17]) + limb_rows(row[17:]) for row in rows])
    return found


def _angles(keys: np.ndarray) -> np.ndarray:
    """(F, angles): from key to key along half a cosine, and from the last one to the first."""
    closing = keys[:1].copy()
    full = keys[-1, _TURNS] - keys[0, _TURNS]
    closing[0, _TURNS] += 360 * (np.abs(full) > 180) * np.sign(full)  # a roll goes on, not back
    path = np.concatenate([keys, closing])
    steps = round(_SECONDS * FPS)
    share = (1 - np.cos(np.pi * np.arange(steps) / steps))[:, None] / 2
    once = np.concatenate([(1 - share) * a + share * b for a, b in pairwise(path)])
    return np.tile(once, (_ROUNDS, 1))


def _positions(angles: np.ndarray) -> np.ndarray:
    """(F, 15, 3) metres from the mid-hip."""
    assert angles.shape[1] == len(ANGLES)
    one = {
        "stature": 1.7, "thigh": 0.41, "shin": 0.41, "hip": 0.09, "trunk": 0.53, "head": 0.2,
        "shoulder": 0.165, "shoulder_drop": 0.04, "upper_arm": 0.3, "forearm": 0.25,
    }  # fmt: skip
    body = Bodies(**{name: np.full(len(angles), length) for name, length in one.items()})
    turns = list(_TURNS)
    limited = angles.T.copy()
    free = limited[turns].copy()
    clip_to_limits(limited)
    limited[turns] = free
    return np.ascontiguousarray(joint_positions(body, limited).transpose(2, 0, 1))
