"""The jitter of a clip taken out: of keypoints before they are lifted, and of depths afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from minilift.lift.body.steady import steady
from minilift.lift.clip.noise import jitter
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.prepare import Prepared
from minilift.poses.keypoints import Keypoints

MOST_PEOPLE = 500  # those in the most frames; the others stay as they are


def calm_rays(ready: Prepared, found: Keypoints, person: np.ndarray, options: LiftOptions) -> Prepared:
    """The same detections without what is jitter in their rays, and with the noise that is left.

    Pictures that have nothing to do with each other stay as they are, and so does all without a body: then
    every frame is lifted by itself.
    """
    if options.body == "none" or found.stills or found.rays:
        return ready
    rays, sigma = np.array(ready.rays, np.float64), np.array(ready.sigma, np.float64)
    for rows in _people(person):
        done = steady(rays[rows], sigma[rows], found.frame[rows], found.fps)
        rays[rows], sigma[rows] = done.values, done.sigma
    return replace(ready, rays=rays.astype(np.float32), sigma=sigma.astype(np.float32))


def calm_depths(own: np.ndarray, frame: np.ndarray, fps: float | None) -> np.ndarray:
    """One person's poses (n, 15, 3), whose joints move along their rays as smoothly as people do."""
    depth = own[..., 2:]
    sigma = jitter(np.repeat(depth, 2, axis=2), frame, np.zeros(len(own), np.int64), fps)
    return np.asarray(own * (steady(depth, np.nan_to_num(sigma), frame, fps).values / depth))


def _people(person: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of each person, those of most frames first."""
    order = np.argsort(person, kind="stable")
    _, starts, counts = np.unique(person[order], return_index=True, return_counts=True)
    for one in np.argsort(-counts, kind="stable")[:MOST_PEOPLE]:
        yield order[starts[one] : starts[one] + counts[one]]
