"""How far off keypoints are, from their jitter and from the detector's scores.

Jitter. A movement is smooth, noise is not: of differences of order k over neighbouring frames, noise of
variance v leaves v times c_k = sum over i, j of a_i a_j r(i - j), with a the binomial coefficients and signs,
and r the noise's correlation: half of the variance is new in every frame, half fades by FADES a frame at 30 a
second. Movement only adds to it, and less with a higher order or more frames a second; so the least of
several orders is taken, the median over the frames of a joint. What exact points of people who move give,
STILL, is taken off.

Scores. A point that a detector is sure of is off by next to nothing more; with a score s it is off by
UNSURE (1 - s) of the person's extent in the picture, the diagonal of the box around the joints.

    sigma^2 = jitter^2 + (UNSURE (1 - s) extent)^2
"""

from __future__ import annotations

from math import comb

import numpy as np

from minilift.lift.body.steady import FADES, LASTS
from minilift.poses.tracks.step import step_of

ORDERS = (3, 4, 5)
UNSURE = 0.04
"""A score of 0.9 is 2.6 pixels of a person 650 pixels tall, one of 0.5 is 13: chosen, for no two detectors
mean the same by their scores."""
STILL = 4e-4
"""Image units, 0.4 pixels at f = 1000: what is left of smooth movements at 30 frames a second."""
FEWEST = 20
"""Differences of a joint; with fewer, those of all joints of the person together."""
MOST_PEOPLE = 500
GUESSED = 0.005
"""Image units: how far off at least a point is that was filled in."""


def jitter(points: np.ndarray, frame: np.ndarray, person: np.ndarray, fps: float | None = None) -> np.ndarray:
    """The standard deviation (n, J) of points (n, J, 2), NaN if not seen, of `person` (n,) in `frame` (n,).

    It is one number for each joint of a person; NaN where too few frames follow on one another to tell, and
    for all but the MOST_PEOPLE in the most frames.
    """
    order = np.lexsort((frame, person))
    rows, who = points[order], person[order]
    follows = (np.diff(frame[order]) == step_of(frame)) & (np.diff(who) == 0)
    fades = FADES ** (30.0 / (fps or 30.0))
    people, place, counts = np.unique(person, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    often = np.argsort(-counts, kind="stable")[:MOST_PEOPLE]
    found = np.full((len(people), points.shape[1]), np.inf)
    for k in ORDERS:
        if counts.max(initial=0) <= k:
            continue
        whole = np.logical_and.reduce([follows[i : len(follows) - k + 1 + i] for i in range(k)])
        off = np.abs(np.diff(rows, k, axis=0))
        off[~whole] = np.nan
        for number in often[counts[often] > k].tolist():
            some = off[ends[number] - counts[number] : ends[number] - k]
            found[number] = np.fmin(found[number], _median(some) / np.sqrt(_left(k, fades)))
    found = 1.4826 * found  # the median of |x| of a normal distribution, as its standard deviation
    found[~np.isfinite(found)] = np.nan
    return np.sqrt(np.maximum(found**2 - STILL**2, 0))[place.reshape(-1)]


def noise_levels(
    points: np.ndarray, confidence: np.ndarray, frame: np.ndarray, person: np.ndarray,
    fps: float | None = None, stills: bool = False,
) -> np.ndarray:  # fmt: skip
    """Standard deviations (n, J) of points (n, J, 2) in image units, with scores (n, J), NaN where none.

    Unrelated pictures (`stills`) have no jitter. Without scores and jitter points are taken for exact.
    """
    square = np.zeros(points.shape[:2])
    if not stills:
        square += np.nan_to_num(jitter(points, frame, person, fps)) ** 2
    seen = ~np.isnan(points).any(axis=2)
    low = np.where(seen[..., None], points, np.inf).min(axis=1, initial=np.inf)
    high = np.where(seen[..., None], points, -np.inf).max(axis=1, initial=-np.inf)
    extent = np.where(seen.any(axis=1), np.hypot(*np.where(np.isfinite(high - low), high - low, 0).T), 0)
    doubt = np.nan_to_num(1 - np.asarray(confidence, np.float64)).clip(0, 1)
    return np.asarray(np.sqrt(square + (UNSURE * doubt * extent[:, None]) ** 2))


def _median(off: np.ndarray) -> np.ndarray:
    """Over rows and axes of (n, J, 2): (J,), that of all joints for one hardly seen; inf without any."""
    known = np.isfinite(off).all(axis=2)
    if known.sum() < FEWEST:
        return np.full(off.shape[1], np.inf)
    flat = np.moveaxis(off, 1, 0).reshape(off.shape[1], -1)
    each = np.full(len(flat), np.median(off[known]))
    often = known.sum(axis=0) >= FEWEST
    each[often] = np.nanmedian(flat[often], axis=1)
    return each


def _left(k: int, fades: float) -> float:
    """What differences of order k leave of noise of variance 1."""
    signs = np.array([(-1) ** i * comb(k, i) for i in range(k + 1)], np.float64)
    apart = np.abs(np.subtract.outer(np.arange(k + 1), np.arange(k + 1)))
    related = LASTS * fades**apart + (1 - LASTS) * (apart == 0)
    return float(signs @ related @ signs)
