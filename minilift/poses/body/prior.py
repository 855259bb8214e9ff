"""What is known of a person's bones before one is seen: from nothing, a height, a sex, or measurements.

The logarithms of stature H and of the bones' lengths L are taken to be normal, which makes factors of
proportion normal, and conditioning linear. docs/body.md derives all of it. What is added to the spread of
ANSUR II's adults (adults.py):

* for others than adults: a stature of which nothing is known has STATURE; and for each unit of log H beyond
  what adults have, BEYOND, bones may be so much longer or shorter, for children are no small adults;
* what a skeleton calls a joint: DEFINITIONS, for hips, spine, neck, head, shoulders and wrists are put
  elsewhere by every data set (docs/augmentation.md has their ranges);
* left and right: SIDES.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.body.adults import SEXES, adults
from minilift.poses.body.landmarks import KIND_OF, KINDS
from minilift.poses.layouts import COURSE15

BONES = len(COURSE15)
SHORTEST, TALLEST = 0.3, 3.0  # metres: a height outside is a mistake
STATURE = 0.15  # of its logarithm: 1.25 to 2.28 m hold 95 of 100 people
BEYOND, CHILDREN = 0.12, 0.2  # adults' log H lies within 0.12 of their mean, 2.2 standard deviations
SIDES = 0.01  # of log(left / right)
HEIGHT = 0.005  # of a height as people tell it: 9 mm
NOTHING = "no measurement"

_DEFINITIONS: tuple[dict[str, float], ...] = (
    {"hip": 0.16, "knee": 0.015, "spine": -0.02},
    {"knee": 0.02, "ankle": -0.02},
    {"spine": 0.14, "neck": -0.11},
    {"neck": 0.08, "head": -0.10},
    {"head": 0.40},
    {"shoulder": 0.18, "elbow": 0.05},
    {"elbow": 0.02, "wrist": -0.025},
    {"wrist": 0.09},
)
"""A row for each thing that skeletons disagree on, and what it does to the logarithms of bones: how wide and
high the hips are, and where knee, spine, neck, head, shoulders, elbow and wrist lie."""


@dataclass(frozen=True)
class Prior:
    """Logarithms of the lengths of COURSE15's bones: a normal distribution."""

    mean: np.ndarray
    """(15,) of log(length in `unit`)."""
    covariance: np.ndarray
    """(15, 15)"""
    unit: str = "m"
    """m, or relative: lengths divided by the stature."""
    source: str = ""

    @property
    def lengths(self) -> np.ndarray:
        """(15,) the medians, in `unit`."""
        return np.exp(self.mean)

    @property
    def spread(self) -> np.ndarray:
        """(15,) relative standard deviations."""
        return np.sqrt(np.diag(self.covariance))


def prior(
    height: float | None = None, sex: str | None = None, *, unit: str = "m", definitions: bool = True
) -> Prior:
    """What bones are like, given nothing, a height in metres (floor to crown), a sex ("female", "male") or
    both.

    `definitions`: allow for joints that are put elsewhere than at their centres, as skeletons do. Without it
    a height leaves 4 to 5% of a thigh, shin, upper arm or forearm. Raises ArgumentError for values that
    cannot be.
    """
    if height is not None and not SHORTEST <= height <= TALLEST:
        raise ArgumentError("height", height, f"must be from {SHORTEST:g} to {TALLEST:g} metres")
    if sex is not None and sex not in SEXES:
        raise ArgumentError("sex", sex, f"unknown; use one of {', '.join(SEXES)}")
    if unit not in ("m", "relative"):
        raise ArgumentError("unit", unit, "unknown; use m or relative")
    mean, covariance = adults(sex)
    slope = covariance[0, 1:] / covariance[0, 0]
    left = covariance[1:, 1:] - np.outer(slope, slope) * covariance[0, 0]
    tall, spread = (mean[0], np.sqrt(covariance[0, 0])) if height is None else (np.log(height), HEIGHT)
    if height is None and sex is None:
        spread = STATURE
    grown = tall - mean[0]
    beyond = max(abs(grown) - BEYOND, spread - BEYOND / 2, 0.0)
    left = left + (CHILDREN * beyond) ** 2 * np.eye(len(KINDS))
    kinds = mean[1:] + slope * grown
    against = slope - (unit == "relative")  # of log L - log H
    kinds = kinds - tall * (unit == "relative")
    left = left + np.outer(against, against) * spread**2
    if definitions:
        rows = np.array([[row.get(kind, 0.0) for kind in KINDS] for row in _DEFINITIONS])
        left = left + rows.T @ rows
    return Prior(kinds[KIND_OF], _both_sides(left), unit, _told(height, sex))


def combine(known: Prior, log_lengths: np.ndarray, spread: np.ndarray, source: str = "") -> Prior:
    """The prior and independent measurements of some bones, weighed by their information.

    log_lengths (15,) in the prior's unit, NaN where there is none; spread (15,) standard deviations, or
    (15, 15) their covariance. With P the covariance of the prior and R that of the measurements y,

        mean + P (P + R)^-1 (y - mean),    P - P (P + R)^-1 P

    on the measured bones, which moves the others as they go along with them.
    """
    rows = np.flatnonzero(np.isfinite(log_lengths))
    noise = np.diag(spread[rows] ** 2) if spread.ndim == 1 else spread[np.ix_(rows, rows)]
    pick = np.eye(len(log_lengths))[rows]
    return observe(known, pick, np.asarray(log_lengths)[rows], noise, source)


def observe(known: Prior, rows: np.ndarray, values: np.ndarray, noise: np.ndarray, source: str = "") -> Prior:
    """The same of sums: values (k,) = rows (k, 15) log lengths + errors of covariance `noise` (k, k)."""
    if not len(values):
        return known
    across = known.covariance @ rows.T
    gain = np.linalg.solve(rows @ across + noise, across.T).T
    mean = known.mean + gain @ (values - rows @ known.mean)
    covariance = known.covariance - gain @ across.T
    told = sources(known.source, source)
    return replace(known, mean=mean, covariance=0.5 * (covariance + covariance.T), source=told)


def sources(*parts: str) -> str:
    """What is known, told together."""
    return ", ".join(part for part in parts if part not in ("", NOTHING)) or NOTHING


def usual_shares() -> np.ndarray:
    """(15,) the bones of an average adult as shares of the stature."""
    return prior(unit="relative").lengths


def _both_sides(kinds: np.ndarray) -> np.ndarray:
    """The covariance (15, 15) of all bones, of that of KINDS: left and right differ by SIDES."""
    whole = kinds[np.ix_(KIND_OF, KIND_OF)]
    return np.asarray(whole + 0.5 * SIDES**2 * np.eye(len(KIND_OF)))


def _told(height: float | None, sex: str | None) -> str:
    parts = [f"a height of {height:g} m"] if height is not None else []
    parts += [f"sex {sex}"] if sex is not None else []
    return " and ".join(parts) or NOTHING
