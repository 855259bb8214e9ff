"""A body: how long a person's bones are, how well that is known, and how stiff they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.body.prior import Prior
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature

SCHEMA = {"schema": "minilift body", "version": 1}
UNITS = {"m": (0.005, 1.5), "relative": (0.003, 1.0)}
"""The units of lengths, and what no bone of a person is shorter and longer than."""
SPREADS = (1e-4, 2.0)
STIFFEST = (0.0, 1.0)
_TEXT, _NOTES = 300, 20

_STIFFNESS = {
    "hip": 0.03, "knee": 0.015, "ankle": 0.015, "spine": 0.06, "neck": 0.06, "head": 0.08, "shoulder": 0.08,
    "elbow": 0.015, "wrist": 0.015,
}  # fmt: skip
STIFFNESS = np.array([_STIFFNESS[joint.rpartition("_")[2]] for joint in COURSE15.joints])
"""(15,) by how much a bone's length changes as a person moves: those of spine, neck, head and shoulders pass
over several joints."""


@dataclass(frozen=True)
class Body:
    """The bones of COURSE15, each from its joint's parent to the joint; arrays are (15,) float64.

    lengths    in `unit`
    spread     the relative standard deviation of each length: how well it is known
    stiffness  that of the bone over the frames: how much it changes as the person moves
    unit       "m", or "relative": lengths divided by the stature that they make (`poses.lens.stature`)
    source     where it comes from, in some words
    notes      what else is to be known, a line each

    Raises ArgumentError for what is no body: NaN, bones that no person has, another unit.
    """

    lengths: np.ndarray
    spread: np.ndarray
    stiffness: np.ndarray
    unit: str = "m"
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ArgumentError("unit", str(self.unit)[:40], f"unknown; use one of {', '.join(UNITS)}")
        for name, (low, high) in (
            ("lengths", UNITS[self.unit]),
            ("spread", SPREADS),
            ("stiffness", STIFFEST),
        ):
            values = np.array(getattr(self, name), np.float64)
            if values.shape != (len(COURSE15),):
                raise ArgumentError(name, values.shape, f"must have {len(COURSE15)} numbers, one a bone")
            wrong = np.flatnonzero(~((values >= low) & (values <= high)))
            if len(wrong):
                bone, value = COURSE15.joints[wrong[0]], float(values[wrong[0]])
                unit = f" {self.unit}" if name == "lengths" and self.unit == "m" else ""
                raise ArgumentError(name, value, f"of {bone} must be from {low:g} to {high:g}{unit}")
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def of(cls, known: Prior, source: str = "", notes: tuple[str, ...] = ()) -> Body:
        """What a prior, or what was made of it, says: medians and spreads."""
        low, high = UNITS[known.unit]
        spread = known.spread.clip(*SPREADS)
        return cls(
            known.lengths.clip(low, high), spread, STIFFNESS, known.unit, source or known.source, notes
        )

    @property
    def height(self) -> float:
        """The stature that belongs to the bones, in `unit`."""
        return float(stature(self.lengths))

    @property
    def together(self) -> np.ndarray:
        """(15,) relative: how far a bone in one frame may be from its length here, all together."""
        return np.hypot(self.spread, self.stiffness)

    def in_metres(self, height: float | None = None) -> Body:
        """The same body in metres: `height` is its stature, and needed where lengths are relative.

        Raises ArgumentError without it.
        """
        if height is None and self.unit == "relative":
            raise ArgumentError("height", None, "lengths are relative, so a height in metres is needed")
        grown = 1.0 if height is None else height / self.height
        return Body(self.lengths * grown, self.spread, self.stiffness, "m", self.source, self.notes)

    def as_dict(self) -> dict[str, Any]:
        """All of it, fit for JSON: docs/your-keypoints.md has the schema."""
        names = ("length", "spread", "stiffness")
        rows = zip(self.lengths, self.spread, self.stiffness, strict=True)
        bones = {
            joint: {name: float(f"{value:.6g}") for name, value in zip(names, row, strict=True)}
            for joint, row in zip(COURSE15.joints, rows, strict=True)
        }
        about = {"unit": self.unit, "source": self.source, "notes": list(self.notes)}
        return {**SCHEMA, **about, "bones": bones}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Body:
        """What `as_dict` gave; `stiffness` may be left out. Raises ArgumentError for anything else."""
        if not isinstance(found, Mapping) or found.get("schema") != SCHEMA["schema"]:
            raise ArgumentError("schema", _shown(found), f"must be '{SCHEMA['schema']}'")
        if found.get("version") != SCHEMA["version"]:
            raise ArgumentError("version", str(found.get("version"))[:40], f"must be {SCHEMA['version']}")
        bones = found.get("bones")
        if not isinstance(bones, Mapping):
            raise ArgumentError("bones", type(bones).__name__, "must be an object with a row for every bone")
        for name in bones:
            if name not in COURSE15.joints:
                problem = f"no such bone; they go by the joint they end in: {', '.join(COURSE15.joints)}"
                raise ArgumentError("bones", str(name)[:40], problem)
        values = [
            [_value(bones, joint, key, usual) for joint, usual in zip(COURSE15.joints, usually, strict=True)]
            for key, usually in (("length", [None] * len(STIFFNESS)), ("spread", [None] * len(STIFFNESS)),
                                 ("stiffness", STIFFNESS.tolist()))
        ]  # fmt: skip
        notes = found.get("notes", [])
        notes = tuple(str(note)[:_TEXT] for note in notes[:_NOTES]) if isinstance(notes, list) else ()
        lengths, spread, stiffness = (np.array(row) for row in values)
        unit, source = str(found.get("unit", "m")), str(found.get("source", ""))[:_TEXT]
        return cls(lengths, spread, stiffness, unit, source, notes)


def _value(bones: Mapping[str, Any], joint: str, key: str, usual: float | None) -> float:
    row = bones.get(joint)
    if not isinstance(row, Mapping):
        raise ArgumentError(
            "bones", "" if row is None else str(row)[:40], f"{joint} is not given as an object"
        )
    value = row.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(key, str(value)[:40], f"of {joint} is no number")
    try:
        return float(value)
    except OverflowError:  # of a whole number with 400 digits
        raise ArgumentError(key, str(value)[:10], f"of {joint} is no number that a bone has") from None


def _shown(found: Any) -> str:
    return str(found.get("schema"))[:40] if isinstance(found, Mapping) else type(found).__name__
