"""The way of people through space, steadied: how far away they are changes smoothly, along the same rays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SECONDS = 0.1
"""Standard deviation of the weights in time. On walks of the CMU data base, lifted from keypoints with 2
pixels of noise, it gave the least error: docs/cameras.md."""
_FPS = 30.0  # where a file does not say
_REACH = 3  # standard deviations
_FAR = 2.0  # typical deviations at which a frame counts a quarter


def steadied(
    depth: np.ndarray,
    frame: np.ndarray,
    person: np.ndarray,
    fps: float | None = None,
    seconds: float = SECONDS,
) -> np.ndarray:
    """Distances (n,) averaged over time, each person's with those of the frames before and after.

    `frame` (n,) are numbers at `fps` a second, in any order; NaN stays NaN and takes no part. Weights are
    normal in time, in the logarithm of the distance, and less for a frame that is far from its neighbours. A
    gap longer than three standard deviations separates. As people are moved along their rays only, every
    projection stays where it is.
    """
    sigma = max(seconds * (fps or _FPS), 1e-3)
    found = np.array(depth, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(found)
    good = np.flatnonzero(np.isfinite(logs))
    for rows in _runs(good, np.asarray(frame), np.asarray(person), _REACH * sigma):
        found[rows] = np.exp(_smooth(logs[rows], np.asarray(frame)[rows], sigma))
    return found


def _runs(good: np.ndarray, frame: np.ndarray, person: np.ndarray, gap: float) -> Iterator[np.ndarray]:
    """The rows of one person without a long gap, in the order of their frames."""
    order = good[np.lexsort((frame[good], person[good]))]
    cut = (np.diff(person[order]) != 0) | (np.diff(frame[order]) > gap)
    yield from (rows for rows in np.split(order, np.flatnonzero(cut) + 1) if len(rows) > 2)


def _smooth(values: np.ndarray, frame: np.ndarray, sigma: float) -> np.ndarray:
    """The line of weighted least squares through the neighbours of each frame, at that frame.

    A mean would lag at both ends of a run, where all neighbours are on one side.
    """
    at = frame - frame[0]
    reach = int(np.ceil(_REACH * sigma))
    step = np.arange(reach, -reach - 1, -1)  # convolution turns it round
    kernels = np.exp(-0.5 * (step / sigma) ** 2) * step ** np.arange(3)[:, None]
    weights = np.ones(len(values))
    for last in (False, True):
        mass, total = np.zeros(at[-1] + 1), np.zeros(at[-1] + 1)
        np.add.at(mass, at, weights)
        np.add.at(total, at, weights * values)
        # "full", cut, for a kernel may be longer than the run
        s0, s1, s2 = (np.convolve(mass, kernel)[reach : reach + len(mass)][at] for kernel in kernels)
        t0, t1 = (np.convolve(total, kernel)[reach : reach + len(mass)][at] for kernel in kernels[:2])
        spread = s0 * s2 - s1 * s1
        alone = spread <= 1e-9 * s0 * s0  # all of the weight on one frame
        line = np.where(alone, t0 / s0, (s2 * t0 - s1 * t1) / np.where(alone, 1, spread))
        if last:
            break
        off = np.abs(values - line)
        weights = 1 / (1 + (off / max(_FAR * float(np.median(off)), 1e-12)) ** 2) ** 2
    return np.asarray(line)
