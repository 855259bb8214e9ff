"""The error to expect of every joint: a small network, and what its answers were worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from minilift.lift.trust.familiarity import Familiarity, Measured
from minilift.poses.layouts import COURSE15

JOINTS = len(COURSE15)
FEATURES = 2 * JOINTS + JOINTS + 1 + 2 + JOINTS + JOINTS  # points, depths, size, distances, bones, told
HALF = 0.1  # mean bones: a point that is off by so much is worth half
FARTHEST = 8.0  # standard deviations: features beyond it are taken as this, and `furthest` does the rest
LEVEL = 0.9  # of the errors, how many lie within the interval
LEVELS = (0.5, 0.6, 0.7, 0.8, LEVEL, 0.95, 0.99)  # all that an interval may be asked for
EXACT = np.array([0.97, 0.6, 0.0])  # 1 for exact points: where levels begin that are calibrated by themselves
SMALLEST = 1e-6  # units: a mean bone of length 0 has a logarithm, too
FEWEST = 100  # poses from which a bin is calibrated


class Expectation(NamedTuple):
    """Of n poses."""

    error: np.ndarray  # (n, 15), units
    score: np.ndarray  # (n,): the mean over joints that were seen, as a share of the mean bone
    bin: np.ndarray  # (n,) whole numbers


@dataclass(frozen=True)
class ExpectedError:
    """s_j(x) = factor_bj min(exp(network_j(features)), largest_j) max(1, distance / furthest), in units.

    The score of a pose is the mean of s over the joints that were seen, divided by the mean predicted bone: a
    person far away has small errors in units, and is small. A pose belongs to a bin b by how exact its points
    are (EXACT) and by its score before the factor. Bin by bin and joint by joint, `factor` makes the mean of
    s that of the errors of people held out from the network, and [low_bj s_j, high_bj s_j] holds a level of
    them. The network was taught on distances (`Familiarity`) up to `furthest`; beyond, s grows with the
    distance. It answers no more than the `largest` error that it was taught: there is no telling what its
    exponential does there.

    With 30 outputs there is one of each joint if it was seen and, behind them, one if it was not.
    """

    mean: Annotated[np.ndarray, "features"]  # of the features: the network sees them with deviation 1
    std: Annotated[np.ndarray, "features"]
    weight_1: Annotated[np.ndarray, "hidden", "features"]
    bias_1: Annotated[np.ndarray, "hidden"]
    weight_2: Annotated[np.ndarray, "outputs", "hidden"]
    bias_2: Annotated[np.ndarray, "outputs"]
    largest: Annotated[np.ndarray, "outputs"]
    furthest: Annotated[np.ndarray, 1]
    edges: Annotated[np.ndarray, len(EXACT), "steps"]  # of scores, where the bins of a level begin, rising
    factor: Annotated[np.ndarray, "bins", "outputs"]
    ends: Annotated[np.ndarray, "bins", 2 * len(LEVELS), "outputs"]  # low, high of each of LEVELS

    def __call__(self, seen_as: Seen) -> Expectation:
        with np.errstate(over="ignore", invalid="ignore"):
            return self.judged(seen_as, self.raw(seen_as.features, seen_as.distance))

    def judged(self, seen_as: Seen, raw: np.ndarray) -> Expectation:
        """Where a network's word is `raw` (n, outputs)."""
        own = seen_as.own(raw)
        bins = self.bin(seen_as.score(own), seen_as.level)
        error = self._of(self.factor, bins, seen_as.seen) * own
        return Expectation(error, seen_as.score(error), bins)

    def interval(
        self, found: Expectation, seen: np.ndarray, level: float = LEVEL
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between which errors (n, 15), (n, 15) `level`, one of LEVELS, of the true ones lie."""
        first = 2 * LEVELS.index(level)
        low, high = (self._of(self.ends[:, first + i], found.bin, seen) for i in (0, 1))
        with np.errstate(invalid="ignore"):
            return low * found.error, high * found.error

    def raw(self, features: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """s before the factor (n, outputs)."""
        x = standardised(features, self.mean, self.std)
        hidden = np.maximum(x @ self.weight_1.T + self.bias_1, 0)
        logarithm = (hidden @ self.weight_2.T + self.bias_2).astype(np.float64)
        return np.minimum(np.exp(logarithm), self.largest) * np.maximum(distance / self.furthest, 1)[:, None]

    def _of(self, table: np.ndarray, bins: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """The numbers (n, 15) of a table (bins, outputs)."""
        column = np.arange(JOINTS) + np.where(seen, 0, table.shape[1] - JOINTS)
        return table[bins[:, None], column]

    @property
    def sound(self) -> bool:
        """Whether it can be used: spreads and the furthest distance are more than 0, edges rise, and there
        are outputs for joints that were seen, or for both kinds."""
        known = len(self.bias_2) in (JOINTS, 2 * JOINTS)
        rising = self.edges.size == len(self.factor) and bool((np.diff(self.edges) >= 0).all())
        return known and rising and bool((self.std > 0).all() and (self.furthest > 0).all())

    def bin(self, score: np.ndarray, level: np.ndarray) -> np.ndarray:
        """The bin of each score (n,), seen at a level (n,)."""
        above = (score[:, None] > self.edges[level]).sum(axis=1)
        return level * self.edges.shape[1] + np.maximum(above - 1, 0)


class Seen(NamedTuple):
    """n poses as `ExpectedError` needs them."""

    features: np.ndarray  # (n, FEATURES) float32
    distance: np.ndarray  # (n,)
    seen: np.ndarray  # (n, 15) bool
    size: np.ndarray  # (n,) the mean predicted bone, units

    @classmethod
    def of(
        cls, familiarity: Familiarity, image: np.ndarray, joint_3d: np.ndarray, sigma: np.ndarray | None
    ) -> Seen:
        """Points (n, 15, 2) with NaN where not seen, as they were lifted to (n, 15, 3); sigma (n, 15)."""
        seen = ~np.isnan(image).any(axis=2)
        with np.errstate(all="ignore"):
            points = placed(image, joint_3d)
            measured = familiarity.measure(points, joint_3d)
            size = COURSE15.bone_lengths(joint_3d).mean(axis=1)
            told = _told(seen, sigma, size)
        return cls(features(points, joint_3d, size, measured, told), measured.distance, seen, size)

    @property
    def level(self) -> np.ndarray:
        """Which of EXACT each pose belongs to (n,), by the mean of what was told of its joints."""
        exact = self.features[:, -JOINTS:].sum(axis=1) / np.maximum(self.seen.sum(axis=1), 1)
        return np.argmax(exact[:, None] >= EXACT, axis=1)

    def own(self, outputs: np.ndarray) -> np.ndarray:
        """Of outputs (n, 15) or (n, 30), those of the joints as they were, seen or not (n, 15)."""
        return np.where(self.seen, outputs[:, :JOINTS], outputs[:, -JOINTS:])

    def score(self, error: np.ndarray) -> np.ndarray:
        """(n,) of errors (n, 15): infinite where there is no telling."""
        with np.errstate(all="ignore"):
            found = (error * self.seen).sum(axis=1) / self.seen.sum(axis=1) / self.size
        return np.where(np.isnan(found), np.inf, found)


def exactness(seen: np.ndarray, sigma: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n,) 1 for exact points, down to 0: the mean of what is told of the joints that were `seen` (n, 15)."""
    with np.errstate(all="ignore"):
        return np.asarray(_told(seen, sigma, size).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))


def _told(seen: np.ndarray, sigma: np.ndarray | None, size: np.ndarray) -> np.ndarray:
    """(n, 15) of points with standard deviations sigma (n, 15), of people with mean bones `size` (n,)."""
    exact = HALF * size[:, None]
    return np.where(seen, 1.0 if sigma is None else exact / (exact + sigma), 0)


def placed(image: np.ndarray, joint_3d: np.ndarray) -> np.ndarray:
    """Points (n, 15, 2), those of joints that were not seen where the network puts them."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.where(np.isnan(image).any(axis=2)[..., None], joint_3d[..., :2] / -joint_3d[..., 2:], image)


def features(
    image: np.ndarray, joint_3d: np.ndarray, size: np.ndarray, measured: Measured, told: np.ndarray
) -> np.ndarray:
    """What the network sees of poses (n, 15, 2), lifted to (n, 15, 3): float32 (n, FEATURES).

    Points and depths from the root as shares of the mean bone `size` (n,), its logarithm, those of both
    distances, asinh of the uncorrelated bones, which is a logarithm for large numbers and keeps the sign, and
    what was told of each joint: 0 if it was not seen, 1 if it was seen exactly, and between for the standard
    deviation that the lifter was given.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        whole = np.maximum(size, SMALLEST)[:, None]
        shape = image.reshape(len(image), -1) / whole, (joint_3d[..., 2] + 1) / whole
        logs = np.log(whole), np.log(np.maximum(measured.parts, 1e-3))
        columns = *shape, *logs, np.arcsinh(measured.bones), told
        return np.concatenate(columns, axis=1).astype(np.float32)


def standardised(features: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    return ((features - mean) / std).clip(-FARTHEST, FARTHEST).astype(np.float32)


def intervals(ratios: np.ndarray, levels: Sequence[float], tail: float = 1.0) -> np.ndarray:
    """Low and high (2 len(levels), k) between which `levels` of what comes next will lie, column by column,
    given `ratios` (n, k). NaN in a column counts as none.

    The m-th smallest with m = floor(t (n + 1)) and ceil((1 - t) (n + 1)), where t = tail (1 - level)/2: split
    conformal prediction (Lei et al., JASA 113(523), 2018, theorem 2), a tail at a time. A `tail` of less than
    1 makes them wider than that (`tail_that_holds`).
    """
    ordered, count = np.sort(ratios, axis=0), np.isfinite(ratios).sum(axis=0)  # NaN comes last
    column, ends = np.arange(ratios.shape[1]), []
    for level in levels:
        out = tail * (1 - level) / 2 * (count + 1)
        low = np.maximum(np.floor(out + 1e-9).astype(int), 1)
        high = np.minimum(np.ceil(count + 1 - out - 1e-9).astype(int), count)
        ends += [ordered[low - 1, column], ordered[high - 1, column]]
    return np.stack(ends)
