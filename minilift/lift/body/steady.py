"""Points and depths over time: how much of their movement is noise, and what is left without it.

The noise of detectors is half white and half fading within a second. White noise of variance r and random
acceleration of strength q (smoother.py) show in second differences over h frames, for noise that fades by a
factor f a frame with variance r as well:

    E (y_{i+h} - 2 y_i + y_{i-h})^2 = 2/3 q h^3 + 6 r + 2 r (3 - 4 f^h + f^2h)

Over one frame noise rules, over three movement does: q is what the second leaves, around each frame, so that
a kick is smoothed less than standing still. Smoothing leaves of the white half the share
(q / r)^(1/4) / (2 sqrt 2), the mean of 1 / (1 + r w^4 / q) over all frequencies w, and nearly all of the half
that lasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.files.mapped import chunks
from minilift.lift.body.smoother import smoothed
from minilift.ops.threads import team

_FPS = 30.0  # where a file does not say; that of the noise below
FADES = 0.9  # a frame, at 30 a second
_FAR = 3  # frames, h
_WINDOW = 0.5  # seconds: movement is taken to be as quick as around the frame
_SLOWEST = 0.01  # q is at least so many times r: a third of a second is averaged, never more
_OUTLIER = 4.0  # standard deviations at which a point counts half
_AT_ONCE = 8  # joints, and a thread, at most: fewer are slower each
_NUMBERS = 1 << 16  # of them all in all frames: of a long clip fewer are as quick, and take less memory
_PAUSE = 1.0  # seconds without a frame: before and after have nothing to do with each other
_MEDIAN = np.log(2.0)  # of the mean of two squares, normal, of variance 1
LASTS = 0.5
"""The share of the noise's variance that lasts."""


@dataclass(frozen=True)
class Steadied:
    """What is left."""

    values: np.ndarray
    """As they were given; NaN where they were."""
    sigma: np.ndarray
    """Their standard deviation now, the lasting noise included."""


def steady(values: np.ndarray, sigma: np.ndarray, frame: np.ndarray, fps: float | None = None) -> Steadied:
    """Values (n, J, k) of one person over time, each of k with noise sigma (n, J), without what is jitter.

    `frame` (n,) are whole numbers at `fps` a second, each once, in any order. Noise of 0 leaves values as
    they are, and so does a run of too few frames.
    """
    n, joints = values.shape[:2]
    order = np.argsort(frame, kind="stable")
    result, rest = np.array(values, np.float64), np.array(np.broadcast_to(sigma, (n, joints)), np.float64)
    fps = fps or _FPS
    at = np.asarray(frame, np.float64)[order]
    cut = np.flatnonzero(np.diff(at) > _PAUSE * fps) + 1
    runs, parts = np.split(order, cut), list(chunks(joints, min(_AT_ONCE, max(_NUMBERS // max(n, 1), 1))))

    def smooth(number: int) -> None:
        for rows in runs:
            if len(rows) > 2 * _FAR:
                _run(result, rest, rows, np.asarray(frame)[rows], fps, parts[number])

    team().run(smooth, len(parts))
    return Steadied(result, rest)


def _run(
    result: np.ndarray, rest: np.ndarray, rows: np.ndarray, frame: np.ndarray, fps: float, part: slice
) -> None:
    """Smooth the rows, of one run, of some joints, in place."""
    y, sigma = result[rows, part], rest[rows, part]
    n, k = len(y), y.shape[2]
    seen = np.isfinite(y).all(axis=2)
    white = (1 - LASTS) * np.where(seen, sigma, 0.0) ** 2
    noisy = np.flatnonzero((white > 0).any(axis=0))
    if not len(noisy):
        return
    joints = part.start + noisy
    y, sigma, seen, white = y[:, noisy], sigma[:, noisy], seen[:, noisy], white[:, noisy]
    step = np.diff(frame).astype(np.float64)
    usual = np.maximum(
        np.nanmedian(np.where(seen, white, np.nan), axis=0), 1e-16
    )  # every joint here has some
    fades = FADES ** (_FPS / fps)
    push = _push(np.where(seen[..., None], y, np.nan), usual, fades, fps)
    precision = np.where(seen, 1 / np.maximum(white, 1e-4 * usual), 0.0)
    wide = (n, len(noisy) * k)
    flat = np.where(seen[..., None], y, 0.0).reshape(wide)
    steps = 0.5 * (push[1:] + push[:-1])
    weight = np.ones_like(precision)
    for _ in range(2):  # the second time without outliers
        each = np.repeat(precision * weight, k, axis=1).reshape(wide)
        x = smoothed(flat, each, step, np.repeat(steps, k, axis=1)).reshape(y.shape)
        off = ((x - y) ** 2).sum(axis=2) / np.maximum(k * (white + LASTS * sigma**2), 1e-16)
        weight = np.where(seen, 1 / (1 + np.nan_to_num(off) / _OUTLIER**2), 0.0)
    share = np.minimum((push / np.maximum(white, 1e-16)) ** 0.25 / np.sqrt(8), 1.0)
    result[rows[:, None], joints] = np.where(seen[..., None], x, y)
    rest[rows[:, None], joints] = np.sqrt(LASTS * sigma**2 + share * white)


def _push(y: np.ndarray, usual: np.ndarray, fades: float, fps: float) -> np.ndarray:
    """q (n, J) of values (n, J, k), NaN where not seen, at every frame: from second differences around it."""
    h = _FAR
    bend = np.full(y.shape[:2], np.nan)
    bend[h:-h] = ((y[2 * h :] - 2 * y[h:-h] + y[: -2 * h]) ** 2).mean(axis=2)
    half = max(int(0.5 * _WINDOW * fps), h)
    bend = _calm(bend)
    known = np.isfinite(bend)
    total, count = _box(np.where(known, bend, 0.0), half), _box(known.astype(np.float64), half)
    mean = total / np.maximum(count, 1)
    noise = usual * (6 + 2 * (3 - 4 * fades**h + fades ** (2 * h)))
    return np.maximum((mean - noise) / (2 / 3 * h**3), _SLOWEST * usual)


def _calm(bend: np.ndarray) -> np.ndarray:
    """Squares (n, J), as the median of those of 2 h + 1 frames: one outlier is in three of them."""
    edge = np.full((_FAR, bend.shape[1]), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([edge, bend, edge]), 2 * _FAR + 1, axis=0
    )
    return np.asarray(np.partition(windows, _FAR, axis=-1)[..., _FAR] / _MEDIAN)  # NaN is sorted last


def _box(values: np.ndarray, half: int) -> np.ndarray:
    """Sums over `half` frames before and after, along the first axis."""
    reached = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    n = len(values)
    at = np.arange(n)
    return np.asarray(reached[np.minimum(at + half + 1, n)] - reached[np.maximum(at - half, 0)])
