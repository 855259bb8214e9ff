"""How far an input is from the training data, and the rank of its expected error among ordinary ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

import numpy as np

from minilift.poses.few import evenly
from minilift.poses.layouts import COURSE15
from minilift.poses.nearest import NearestRows

REFERENCE = 4096  # training poses that are kept to compare with; in the file a quarter of a MB
IMAGE_NOISE = 1e-3  # of image coordinates, 4 mm at 4 m: differences below it say little
BONE_NOISE = 3e-3  # of logarithms of bone lengths: a millimetre of a thigh
MOST_RANKS = 4096
RATE = 0.01  # of ordinary poses, how many are called unlike
SHORTEST = 1e-6  # a bone of length 0 has a logarithm, too


class Measured(NamedTuple):
    """What is known of n poses."""

    distance: np.ndarray  # (n,) float64: both parts together; 1 is usual, infinite for a pose with NaN
    parts: np.ndarray  # (n, 2): in the image, in bone lengths
    bones: np.ndarray  # (n, 15): the bones in units of their spread, uncorrelated


@dataclass(frozen=True)
class Familiarity:
    """Ordinary poses, in two views: 2D points, and the bones of the bodies that the lifter makes of them.

    image    the Euclidean distance of the whitened 2D points from the nearest of some thousand training poses
    bones    the Mahalanobis distance of the logarithms of the predicted bones' lengths from their mean:
             where a lifter is lost, the bodies that it makes come out of proportion

    distance = sqrt(((image / typical_image)^2 + (bones / typical_bones)^2) / 2), where `typical` are the
    medians of held-out poses. Whitening takes x to (x - mean) W with W W^T = (C + s^2 I)^-1, C being the
    covariance of training poses and s the noise below which differences say nothing.

    Sources: nearest neighbours Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML
    2022; Mahalanobis distance Lee et al., "A simple unified framework for detecting out-of-distribution
    samples", NeurIPS 2018, here of the bodies that come out, not of hidden units.
    """

    image_mean: Annotated[np.ndarray, "image"]
    image_whiten: Annotated[np.ndarray, "image", "image"]
    reference: Annotated[np.ndarray, "reference", "image"]  # whitened already
    bone_mean: Annotated[np.ndarray, "joints"]
    bone_whiten: Annotated[np.ndarray, "joints", "joints"]
    typical: Annotated[np.ndarray, 2]

    @classmethod
    def fit(cls, image: np.ndarray, joint_3d: np.ndarray) -> Familiarity:
        """From training poses (n, 15, 2) and what the lifter predicts for them (n, 15, 3), in any order.

        `scaled` comes after it.
        """
        flat = image.reshape(len(image), -1).astype(np.float64)
        mean, whiten = _whitening(flat, IMAGE_NOISE)
        chosen = evenly(len(flat), REFERENCE)
        # float16 as the file has it: the same distances before and after
        reference = ((flat[chosen] - mean) @ whiten).astype(np.float16)
        bones = _log_bones(joint_3d)
        return cls(mean, whiten, reference, *_whitening(bones, BONE_NOISE), np.ones(2))

    def scaled(self, parts: np.ndarray) -> Familiarity:
        """The same with the medians of `Measured.parts` (n, 2) of held-out poses."""
        return replace(self, typical=np.maximum(np.median(parts, axis=0), 1e-6))

    def measure(self, image: np.ndarray, joint_3d: np.ndarray) -> Measured:
        """Of poses (n, 15, 2) as the lifter lifts them, (n, 15, 3)."""
        with np.errstate(over="ignore", invalid="ignore"):
            white = (image.reshape(len(image), -1) - self.image_mean) @ self.image_whiten
            reference = self.reference.astype(np.float32)
            nearest = NearestRows(reference).nearest(white)
            gap = np.sqrt(((white - reference[nearest]) ** 2).sum(axis=1))
            bones = (_log_bones(joint_3d) - self.bone_mean) @ self.bone_whiten
            parts = np.stack([gap, np.sqrt((bones**2).sum(axis=1))], axis=1)
            return Measured(_together(parts, self.typical), parts, bones)


@dataclass(frozen=True)
class Ranks:
    """Usual poses: people held out, seen in all the ways in which the lifter lifts them about equally well.

    The percentile is that of the error to expect (`ExpectedError.score`); what is farther from the training
    data than almost all of them is unlike whatever is expected, for there the network's word is worth little.
    """

    scores: Annotated[np.ndarray, "usual"]  # in rising order
    distances: Annotated[np.ndarray, "usual"]  # in rising order

    @classmethod
    def of(cls, scores: np.ndarray, distances: np.ndarray) -> Ranks:
        """Of n usual poses in any order; of more than MOST_RANKS as many, evenly spaced in their order."""
        chosen = np.linspace(0, len(scores) - 1, min(len(scores), MOST_RANKS)).round().astype(int)
        return cls(*(np.sort(values)[chosen].astype(np.float32) for values in (scores, distances)))

    def unlike(self, score: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """(n,) bool: beyond either limit, which half of RATE of usual poses are."""
        return (score > limit(self.scores)) | (distance > limit(self.distances))

    def percentile(self, score: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Of usual poses, how many per cent have a lower score: 100 (1 - p); all for poses that are too far.

        p = (1 + the number of held-out poses that are as high, or higher) / (their number + 1), which is at
        most t for a share t of ordinary poses, whatever the score is (conformal p-value; Vovk, Gammerman &
        Shafer, "Algorithmic Learning in a Random World", 2005, section 2.2).
        """
        lower = np.searchsorted(self.scores, score, side="left")
        n = len(self.scores)
        return 100 * np.where(distance > limit(self.distances), n, lower) / (n + 1)


def limit(usual: np.ndarray) -> float:
    """Half of RATE of the usual poses, or fewer, lie beyond it."""
    number = math.ceil((1 - RATE / 2) * (len(usual) + 1))
    return float(usual[number - 1]) if number <= len(usual) else math.inf


def _whitening(rows: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The mean (k,) of rows (n, k), and W (k, k)."""
    covariance = np.cov(rows.T, ddof=0) + noise**2 * np.eye(rows.shape[1])
    variances, axes = np.linalg.eigh(covariance)
    return rows.mean(axis=0), axes / np.sqrt(variances)


def _log_bones(joint_3d: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(COURSE15.bone_lengths(joint_3d), SHORTEST))


def _together(parts: np.ndarray, typical: np.ndarray) -> np.ndarray:
    distance = np.sqrt(((parts / typical) ** 2).mean(axis=1))
    return np.where(np.isnan(distance), np.inf, distance)
