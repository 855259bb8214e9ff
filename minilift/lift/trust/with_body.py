"""The error to expect of poses that were made to fit a person's body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.trust.expected import EXACT, FEWEST, JOINTS, LEVEL, LEVELS, exactness, intervals
from minilift.lift.trust.tails import tail_that_holds


class Fitted(NamedTuple):
    """n poses, made of rays, a network's depths and a body's bones."""

    expected: np.ndarray
    """(n, 15): the error that was expected of the network, in any unit."""
    share: np.ndarray
    """(n, 15): the posterior spread with the body, divided by that without it. NaN where none was used."""
    exact: np.ndarray
    """(n,): how exact the points are, `exactness`."""

    def take(self, rows: np.ndarray) -> Fitted:
        return Fitted(*(column[rows] for column in self))

    @classmethod
    def of(
        cls, expected: np.ndarray, share: np.ndarray, seen: np.ndarray, sigma: np.ndarray, size: np.ndarray
    ) -> Fitted:
        """From expected errors (n, 15) and shares of poses with points `seen` (n, 15) of standard deviations
        sigma (n, 15), and mean bones `size` (n,), all in the same unit."""
        return cls(expected, share, exactness(seen, sigma, size))


@dataclass(frozen=True)
class BodyErrors:
    """s = factor_lj share_j e_j, where e_j is the error expected of the network.

    `share` is what least squares say of what a body takes away from the uncertainty, if the network's errors
    have nothing to do with one another. They have; so `factor` makes the mean of s that of the errors of
    people left out, joint by joint and for each level l of how exact the points are (`EXACT`), and
    [low_lj s, high_lj s] holds 90%, or another of LEVELS, of the errors.
    """

    factor: Annotated[np.ndarray, len(EXACT), JOINTS]
    ends: Annotated[np.ndarray, len(EXACT), 2 * len(LEVELS), JOINTS]

    def __call__(self, fitted: Fitted, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Expected error, low and high (n, 15), in the unit of the network's; NaN where no body was used."""
        at, first = _level(fitted.exact), 2 * LEVELS.index(level)
        error = self.factor[at] * fitted.share * fitted.expected
        return error, self.ends[at, first] * error, self.ends[at, first + 1] * error

    @property
    def sound(self) -> bool:
        """Whether it can be used: factors are more than 0, and no interval is upside down."""
        low, high = self.ends[:, ::2], self.ends[:, 1::2]
        return bool((self.factor > 0).all() and (low >= 0).all() and (low <= high).all())


def calibrated_with_body(fitted: Fitted, errors: np.ndarray, people: np.ndarray) -> BodyErrors:
    """From true errors (n, 15) of poses of `people` (n,), none of whom the network was trained on.

    Intervals are as wide as it takes for those found on the others to hold on a person who is left out.
    Points less exact than any here have the numbers of the least exact ones. Raises ArgumentError for fewer
    than FEWEST poses.
    """
    known = np.isfinite(fitted.share * errors * fitted.expected).all(axis=1)
    fitted, errors, people = fitted.take(known), errors[known], people[known]
    if len(errors) < FEWEST:
        raise ArgumentError("clips", len(errors), f"poses with a body are too few; {FEWEST} are needed")

    def of(rows: np.ndarray, tail: float) -> BodyErrors:
        return _tables(fitted.take(rows), errors[rows], tail)

    def holds(found: BodyErrors, rows: np.ndarray) -> float:
        _, low, high = found(fitted.take(rows))
        return float(((low <= errors[rows]) & (errors[rows] <= high)).mean())

    return of(np.ones(len(errors), bool), tail_that_holds(of, holds, people))


def _tables(fitted: Fitted, errors: np.ndarray, tail: float) -> BodyErrors:
    level, raw = _level(fitted.exact), fitted.share * fitted.expected
    found = {i: level == i for i in range(len(EXACT)) if (level == i).sum() >= FEWEST}
    found = found or {0: np.ones(len(level), bool)}
    factor, ends = {}, {}
    for i, rows in found.items():
        factor[i] = np.maximum(errors[rows].mean(axis=0), 1e-12) / raw[rows].mean(axis=0)
        ends[i] = intervals(errors[rows] / (factor[i] * raw[rows]), LEVELS, tail)
    chosen = [max((i for i in found if i <= at), default=min(found)) for at in range(len(EXACT))]
    return BodyErrors(np.stack([factor[i] for i in chosen]), np.stack([ends[i] for i in chosen]))


def _level(exact: np.ndarray) -> np.ndarray:
    """Which of EXACT each pose belongs to (n,)."""
    return np.argmax(exact[:, None] >= EXACT, axis=1)
