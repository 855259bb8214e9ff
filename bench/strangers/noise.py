"""What detectors get wrong, made: noise of which part lasts, and joints that are not seen."""

from __future__ import annotations

import numpy as np

FADES = 0.9
"""What is left of the lasting half after a frame, at 30 frames a second."""
FOCAL = 1000.0
"""Pixels: the focal length at which sigma is meant."""


def noise(clip: np.ndarray, joints: int, sigma_px: float, seed: int) -> np.ndarray:
    """(n, joints, 2) in image units, for poses in the order of clips (n,) and time.

    Each coordinate is sqrt(1/2) a_t + sqrt(1/2) w_t, times sigma: w is white, and a first-order process
    a_t = 0.9 a_{t-1} + sqrt(1 - 0.9^2) e_t that starts in its own distribution. Both have variance 1, so
    half of the variance fades over about a second and half is new in every frame. No noise crosses clips.
    """
    rng = np.random.default_rng([seed, 97])
    drawn = rng.standard_normal((2, len(clip), joints, 2))
    lasting, white = drawn
    fresh = np.concatenate([[True], clip[1:] != clip[:-1]]) if len(clip) else np.zeros(0, bool)
    starts = np.flatnonzero(fresh)
    lengths = np.diff(np.append(starts, len(clip)))
    for step in range(1, int(lengths.max(initial=0))):  # all clips at once
        rows = starts[lengths > step] + step
        lasting[rows] = FADES * lasting[rows - 1] + np.sqrt(1 - FADES**2) * lasting[rows]
    return np.asarray(sigma_px / FOCAL * np.sqrt(0.5) * (lasting + white))


def hidden(n: int, joints: int, count: int, seed: int) -> np.ndarray:
    """(n, joints) bool: for each pose `count` joints that are not seen, any of them alike."""
    order = np.random.default_rng([seed, 98]).random((n, joints)).argsort(axis=1)
    return order < count
