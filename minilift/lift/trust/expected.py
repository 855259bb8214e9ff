"""The error to expect of every joint: a small network, and what its answers were worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from minilift.lift.trust.familiarity import Measured
from minilift.poses.layouts import COURSE15

FEATURES = 2 * len(COURSE15) + len(COURSE15) + 2 + len(COURSE15)  # points, depths, distances, bones
FARTHEST = 8.0  # standard deviations: features beyond it are taken as this, and `furthest` does the rest
LEVEL = 0.9  # of the errors, how many lie within the interval
FEWEST = 100  # poses from which a bin is calibrated


@dataclass(frozen=True)
class ExpectedError:
    """s_j(x) = factor_bj min(exp(network_j(features)), largest_j) max(1, distance / furthest), in units.

    A pose belongs to a bin b by its distance (`Familiarity`). Bin by bin and joint by joint, `factor` makes
    the mean of s that of the errors of poses held out from the network, and [low_bj s_j, high_bj s_j] holds
    LEVEL of them. The network was taught on distances up to `furthest`; beyond, s grows with the distance. It
    answers no more than the `largest` error that it was taught: nobody knows what its exponential does there.
    """

    mean: Annotated[np.ndarray, "features"]  # of the features: the network sees them with deviation 1
    std: Annotated[np.ndarray, "features"]
    weight_1: Annotated[np.ndarray, "hidden", "features"]
    bias_1: Annotated[np.ndarray, "hidden"]
    weight_2: Annotated[np.ndarray, "joints", "hidden"]
    bias_2: Annotated[np.ndarray, "joints"]
    largest: Annotated[np.ndarray, "joints"]
    furthest: Annotated[np.ndarray, 1]
    edges: Annotated[np.ndarray, "bins"]  # bin b begins above edges[b], in rising order
    factor: Annotated[np.ndarray, "bins", "joints"]
    low: Annotated[np.ndarray, "bins", "joints"]
    high: Annotated[np.ndarray, "bins", "joints"]

    def __call__(
        self, features: np.ndarray, distance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """s, and the ends of its interval, each (n, 15), for `features` (n, FEATURES), `distance` (n,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            raw = self.raw(features, distance)
            bins = self.bin(distance)
            expected = self.factor[bins] * raw
            return expected, self.low[bins] * expected, self.high[bins] * expected

    def raw(self, features: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """s before the factor (n, 15)."""
        x = standardised(features, self.mean, self.std)
        hidden = np.maximum(x @ self.weight_1.T + self.bias_1, 0)
        logarithm = (hidden @ self.weight_2.T + self.bias_2).astype(np.float64)
        return np.minimum(np.exp(logarithm), self.largest) * np.maximum(distance / self.furthest, 1)[:, None]

    @property
    def sound(self) -> bool:
        """Whether it can be used: spreads and the furthest distance are more than 0."""
        return bool((self.std > 0).all() and (self.furthest > 0).all())

    def bin(self, distance: np.ndarray) -> np.ndarray:
        """The bin of each distance (n,)."""
        return np.maximum(np.searchsorted(self.edges, distance, side="left") - 1, 0)


def features(image: np.ndarray, joint_3d: np.ndarray, measured: Measured) -> np.ndarray:
    """What the network sees of poses (n, 15, 2), lifted to (n, 15, 3): float32 (n, FEATURES).

    Points, depths, logarithms of both distances, and asinh of the uncorrelated bones, which is a logarithm
    for large numbers and keeps the sign.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        logs = np.log(np.maximum(measured.parts, 1e-3))
        columns = image.reshape(len(image), -1), joint_3d[..., 2], logs, np.arcsinh(measured.bones)
        return np.concatenate(columns, axis=1).astype(np.float32)


def standardised(features: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    return ((features - mean) / std).clip(-FARTHEST, FARTHEST).astype(np.float32)


def interval(ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between which numbers, column by column, LEVEL of what comes next will lie, given `ratios` (n, k).

    NaN in a column counts as none.

    The k-th smallest with k = floor(tail (n + 1)) and ceil((1 - tail) (n + 1)), where tail = (1 - LEVEL)/2:
    split conformal prediction (Lei et al., JASA 113(523), 2018, theorem 2), a tail at a time.
    """
    ordered, tail = np.sort(ratios, axis=0), (1 - LEVEL) / 2  # NaN comes last
    ends = []
    for column, n in enumerate(np.isfinite(ratios).sum(axis=0).tolist()):
        low, high = math.floor(tail * (n + 1) + 1e-9), math.ceil((1 - tail) * (n + 1) - 1e-9)
        ends.append((ordered[max(low, 1) - 1, column], ordered[min(high, n) - 1, column]))
    return np.array([low for low, _ in ends]), np.array([high for _, high in ends])
