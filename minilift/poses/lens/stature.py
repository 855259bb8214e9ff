"""How tall people are, by their bones.

From ankle to neck a standing person measures 0.800 of the stature, with a standard deviation of 0.75 percent:
6,068 people of ANSUR II, whose bones are those of `poses.body` (the neck halfway between acromion and C7, the
ankle at the outer malleolus). Drillis and Contini (in Winter, Biomechanics and Motor Control of Human
Movement, figure 4.1) have 0.801. Legs alone vary by 3.4 percent: long legs go with a short trunk. The head
does not count: detectors put it anywhere from the base of the skull to the top.
"""

from __future__ import annotations

import numpy as np

from minilift.poses.body.prior import usual_shares
from minilift.poses.layouts import COURSE15

USUAL = usual_shares()
"""(15,) bones of a person of stature 1, of usual proportions."""
_COLUMNS = tuple(
    [COURSE15.index(name) for name in names]
    for names in (("left_knee", "right_knee"), ("left_ankle", "right_ankle"), ("spine",), ("neck",))
)


def stature(lengths: np.ndarray) -> np.ndarray:
    """Floor to crown (...) of people with bones (..., 15), in their unit.

    Left and right are averaged; a part that is not known (NaN) has its usual share of the others. NaN where
    no bone from ankle to neck is known.
    """
    total, usual = np.zeros(lengths.shape[:-1]), np.zeros(lengths.shape[:-1])
    for columns in _COLUMNS:
        part = lengths[..., columns]
        known = np.isfinite(part)
        count = known.sum(axis=-1)
        total += np.where(known, part, 0).sum(axis=-1) / np.maximum(count, 1)
        usual += np.where(count > 0, USUAL[columns[0]], 0)
    return np.where(usual > 0, total, np.nan) / np.where(usual > 0, usual, 1)


def typical(lengths: np.ndarray) -> np.ndarray:
    """Bones (15,) with those that are NaN filled in: as on the other side, or the usual share of the
    others."""
    filled = np.where(np.isfinite(lengths), lengths, lengths[list(COURSE15.mirror)])
    known = np.isfinite(filled)
    if not known.any():
        return filled
    return np.asarray(np.where(known, filled, USUAL * (filled[known].sum() / USUAL[known].sum())))
