"""Poses with joints that were not seen: how unusual they are, and the errors to expect of all joints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from minilift.lift.trust.expected import FEATURES, ExpectedError, features
from minilift.lift.trust.familiarity import RATE, Familiarity, Measured
from minilift.poses.layouts import COURSE15

PARTIAL_FEATURES = FEATURES + len(COURSE15)  # and which joints were seen
LEVELS = (13, 10, 1)  # joints seen: 13 or 14; 10 to 12; fewer


@dataclass(frozen=True)
class Ranks:
    """The distances of held-out poses with joints hidden, by how many were seen (LEVELS), in rising order."""

    usual: Annotated[np.ndarray, len(LEVELS), "held out"]


@dataclass(frozen=True)
class Partial:
    """As `Familiarity` and `ExpectedError`, a joint that was not seen being where the network put it.

    So its image point is the network's own word, and says little: what is measured is whether those that were
    seen, and the whole body that comes out, are ordinary. The percentile is the rank among held-out poses of
    which about as many joints were seen. `errors` answers with 30 numbers: for each joint if it was seen, and
    if it was not, each calibrated by itself.
    """

    ranks: Ranks
    errors: ExpectedError

    def judge(
        self, familiarity: Familiarity, image: np.ndarray, joint_3d: np.ndarray, seen: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """The fields of `Trust` of points (n, 15, 2), predictions (n, 15, 3) and what was seen (n, 15)."""
        columns, measured = looked_at(familiarity, image, joint_3d, seen)
        distance, level = measured.distance, levels(seen)
        percentile, limit = np.empty(len(image)), np.empty(len(image))
        for i, usual in enumerate(self.ranks.usual):
            percentile[level == i] = (
                100 * np.searchsorted(usual, distance[level == i], side="left") / (len(usual) + 1)
            )
            number = math.ceil((1 - RATE) * (len(usual) + 1))
            limit[level == i] = usual[number - 1] if number <= len(usual) else math.inf
        answers = (both.reshape(len(image), 2, -1) for both in self.errors(columns, distance))
        each = (np.where(seen, both[:, 0], both[:, 1]) for both in answers)
        return (distance > limit, percentile, distance, *each)

    @property
    def sound(self) -> bool:
        return self.errors.sound and bool((np.diff(self.ranks.usual, axis=1) >= 0).all())


def looked_at(
    familiarity: Familiarity, image: np.ndarray, joint_3d: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, Measured]:
    """Features (n, PARTIAL_FEATURES), and what is known of the poses, of points (n, 15, 2) with NaN."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        placed = joint_3d[..., :2] / -joint_3d[..., 2:]
    points = np.where(seen[..., None], image, placed)
    measured = familiarity.measure(points, joint_3d)
    return np.concatenate([features(points, joint_3d, measured), seen], axis=1, dtype=np.float32), measured


def levels(seen: np.ndarray) -> np.ndarray:
    """Which of LEVELS poses belong to (n,), by the joints that were seen (n, 15)."""
    return np.argmax(seen.sum(axis=1)[:, None] >= np.array(LEVELS), axis=1)
