"""How a lifter is asked, and how its answers are measured."""

from __future__ import annotations

import numpy as np

from bench.strangers.noise import FOCAL, hidden, noise
from bench.strangers.views import Seen
from minilift import Lifter
from minilift.errors import InputError
from minilift.poses.layouts import COURSE15
from minilift.poses.metrics import joint_errors, pa_mpjpe

JOINTS = len(COURSE15)


def noisy(seen: Seen, sigma_px: float, seed: int = 0) -> np.ndarray:
    """(n, 15, 2) float32: the image with noise of the standard deviation sigma_px at f = 1000."""
    if not sigma_px:
        return seen.image
    return (seen.image + noise(seen.clip, JOINTS, sigma_px, seed)).astype(np.float32)


def without(image: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """The image with NaN for `count` joints of every pose."""
    gone = hidden(len(image), JOINTS, count, seed)
    return np.where(gone[:, :, None], np.float32(np.nan), image)


def told(lifter: Lifter, sigma_px: float) -> float | None:
    """What the lifter is told of the noise: its level, where its weights take that."""
    return sigma_px / FOCAL if lifter.takes_noise else None


def one_frame(lifter: Lifter, image: np.ndarray, sigma_px: float = 0.0, *, flip: bool = False) -> np.ndarray:
    """Predictions (n, 15, 3), each in its own unit; `flip` averages with those of the mirrored poses.

    Raises InputError for NaN that the weights cannot take.
    """
    if np.isnan(image).any() and not lifter.takes_missing:
        raise InputError(f"{lifter.weights}: takes no missing joints (its head is {lifter.model.head!r})")
    return lifter.predict(image, sigma=told(lifter, sigma_px), flip=flip)


def errors_mm(predicted: np.ndarray, seen: Seen) -> np.ndarray:
    """(n, 15) mm, in the frame's true unit."""
    return joint_errors(predicted, seen.truth) * (1000 * seen.scale)[:, None]


def aligned_mm(predicted: np.ndarray, seen: Seen) -> np.ndarray:
    """(n,) mm after rotation, scale and shift."""
    return np.asarray(pa_mpjpe(predicted, seen.truth, avg=False)) * 1000 * seen.scale


def velocity_mm(predicted: np.ndarray, seen: Seen, fps: float) -> float:
    """Mean error of velocity, mm/s, over neighbouring frames of a clip, in the frame's true unit."""
    offset = (predicted.astype(np.float64) - seen.truth) * (1000 * seen.scale)[:, None, None]
    same = (seen.clip[1:] == seen.clip[:-1]) & (np.diff(seen.frame) == 1)
    if not same.any():
        raise ValueError("a velocity needs two neighbouring frames of one clip; these poses have none")
    return float(np.linalg.norm(np.diff(offset, axis=0)[same], axis=2).mean() * fps)
