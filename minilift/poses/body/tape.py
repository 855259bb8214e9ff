"""A tape measure: lengths between points that a hand can feel, made bones.

Every measure is a sum of bones times a factor, from an average adult: the tape ends on the skin, the bone in
a joint (landmarks.py). The logarithm of a sum is not linear; it is taken so about what is known, twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.body.landmarks import ELBOW, HIP, HIPS, SHOULDER
from minilift.poses.body.prior import Prior, observe, sources
from minilift.poses.layouts import COURSE15

SHORTEST, LONGEST = 0.05, 1.5  # metres, of a tape
UNLIKELY = 6.0  # standard deviations from what people have: a slip, or inches
_ROUNDS = 2


@dataclass(frozen=True)
class Measure:
    """What is measured: from where to where, and which joints' bones it holds, end to end."""

    start: str
    end: str
    joints: tuple[str, ...]
    factor: float
    """The bones together are the tape's length times this."""
    spread: float
    """Relative standard deviation: of reading the tape, and of the factor from person to person."""
    paired: bool = True
    """Whether there is one on the left and one on the right."""


MEASURES = {
    "thigh": Measure(
        "top of the bony bump at the side of the hip (greater trochanter)",
        "outer side of the knee, where the thigh bone is widest",
        ("knee",), 1 + HIP / 0.394, 0.025,
    ),
    "shin": Measure(
        "outer side of the knee, where the thigh bone is widest", "tip of the outer ankle bone",
        ("ankle",), 1.0, 0.015,
    ),
    "upper_arm": Measure(
        "bony edge above the shoulder (acromion), arm hanging",
        "dimple at the outer side of the elbow (radiale)",
        ("elbow",), 1 - (SHOULDER + ELBOW) / 0.323, 0.025,
    ),
    "forearm": Measure(
        "dimple at the outer side of the elbow (radiale)",
        "bump of the wrist on the thumb's side (stylion)",
        ("wrist",), 1 + ELBOW / 0.255, 0.02,
    ),
    "shoulders": Measure(
        "bony edge above one shoulder", "the other, straight across",
        ("shoulder",), 0.4486, 0.08, paired=False
    ),
    "hips": Measure(
        "outer edge of the hip bone's crest, widest place", "the other, straight across",
        ("hip",), 0.5 * HIPS, 0.12, paired=False,
    ),
    "trunk": Measure(
        "bump at the base of the neck (seventh vertebra), standing",
        "level of the top of the bump at the side of the hip, straight down",
        ("spine", "neck"), 0.956, 0.03, paired=False,
    ),
}  # fmt: skip
"""Names of measures; left_ or right_ before those of limbs says one side, else both are alike."""


def names() -> tuple[str, ...]:
    """All that may be measured."""
    sides = (f"{side}_{name}" for name, row in MEASURES.items() if row.paired for side in ("left", "right"))
    return (*MEASURES, *sides)


def with_tape(known: Prior, measured: Mapping[str, float]) -> Prior:
    """The prior, in metres, and a tape's lengths in metres by their names.

    Raises ArgumentError for a name that is none, and for lengths that no person has.
    """
    found = known
    for _ in range(_ROUNDS):
        rows, values, noise = [], [], []
        for name, length in measured.items():
            measure, joints = _looked_up(name, length)
            parts = np.exp(found.mean[joints])
            share = np.zeros(len(found.mean))
            share[joints] = parts / parts.sum()
            alike = len(joints) / len(measure.joints)  # 2 where left and right share the tape's length
            value = np.log(measure.factor * length * alike)
            rows.append(share)
            values.append(value - np.log(parts.sum()) + share @ found.mean)
            noise.append(measure.spread**2)
            _check(name, length, float(values[-1] - share @ known.mean), share, known)
        found = observe(known, np.array(rows).reshape(-1, len(known.mean)), np.array(values), np.diag(noise))
    told = ", ".join(f"{name} {length:g} m" for name, length in measured.items())
    return Prior(found.mean, found.covariance, found.unit, sources(known.source, f"tape measure ({told})"))


def _looked_up(name: str, length: float) -> tuple[Measure, list[int]]:
    side, _, rest = name.partition("_")
    one_sided = side in ("left", "right") and rest in MEASURES and MEASURES[rest].paired
    if name not in MEASURES and not one_sided:
        raise ArgumentError("measure", name[:40], f"unknown; use {', '.join(MEASURES)}")
    if not SHORTEST <= length <= LONGEST:
        problem = f"of {name} must be from {SHORTEST:g} to {LONGEST:g} metres"
        raise ArgumentError("measure", length, problem)
    measure = MEASURES[rest if one_sided else name]
    ends = tuple(f"{side}_{joint}" for joint in measure.joints) if one_sided else measure.joints
    rows = [row for row, joint in enumerate(COURSE15.joints) if joint in ends]
    if not rows:
        rows = [row for row, joint in enumerate(COURSE15.joints) if joint.rpartition("_")[2] in ends]
    return measure, rows


def _check(name: str, length: float, off: float, share: np.ndarray, known: Prior) -> None:
    usual = float(np.sqrt(share @ known.covariance @ share))
    if abs(off) > UNLIKELY * np.hypot(usual, 0.02):
        problem = (
            f"{name} would be {np.exp(off):.2g} times what such people have; is it in metres, and between"
        )
        raise ArgumentError("measure", length, f"{problem} the points of docs/body.md?")
