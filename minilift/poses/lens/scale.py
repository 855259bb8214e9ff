"""How far away a person is: one scale for all of a clip, from bones that do not change their length.

Every frame is lifted in a unit of its own, the distance to the mid-hip. With l_fb the length of bone b in the
unit of frame f, d_f that unit and L_b the bone's true length, d_f l_fb = L_b. Found by turns, until they
agree:

    d_f = mean over bones of L_b / l_fb          L_b = median over frames of d_f l_fb

The mean leaves out bones that are far from the median, so that a limb that is lifted badly, or a frame that
is, moves little. One factor for all frames is free: the median of d is 1, or the person has a known height,
or the median distance is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minilift.poses.layouts import COURSE15

_N = len(COURSE15)
_ROUNDS = 8
_NEAR = 0.3  # of the median: how far a bone may be from it to count
_SHORTEST = 1e-4  # units; a shorter bone says nothing about scale
_PARTS = (0.245, 0.246, 0.133, 0.169, 0.0793)
"""Thigh, shin, hips to spine, spine to neck, neck to head as shares of stature: the mean proportions of
docs/augmentation.md. What is left to 1 is below the ankle and above the centre of the head."""

_LEGS = [[COURSE15.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("knee", "ankle")]
_TRUNK = [COURSE15.index(joint) for joint in ("spine", "neck", "head")]


@dataclass(frozen=True)
class Scale:
    """Bone lengths (15,) of every person, in `unit`. `unit` is root-depth or m."""

    lengths: Mapping[int, np.ndarray]
    others: np.ndarray
    """Those of a person who is not among them."""
    unit: str
    each: tuple[str, float] | None
    """For pictures that have nothing to do with each other: ("height", m), ("distance", m),
    ("distance", 1)."""
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, own: np.ndarray, seen: np.ndarray, person: np.ndarray, *, stills: bool = False,
        height: float | None = None, distance: float | None = None,
    ) -> Scale:  # fmt: skip
        """From joints (n, 15, 3), each row in its own unit with the mid-hip at distance 1; seen (n, 15) bool.

        People are (n,) numbers. Without a height, several are taken to be equally tall; with one, all of them
        have it. `distance` is the median distance of the first person in metres.
        """
        unit = "root-depth" if height is None and distance is None else "m"
        if stills:
            each = ("height", height) if height is not None else ("distance", distance or 1.0)
            return cls({}, np.full(_N, np.nan), unit, each, _told_of_stills(height, distance))
        bones = _bones(own, seen)
        found = {int(one): _agreed(bones[person == one]) for one in np.unique(person)}
        found = {one: lengths for one, lengths in found.items() if np.isfinite(_stature(lengths))}
        if not found:
            return cls({}, np.full(_N, np.nan), unit, ("distance", distance or 1.0), ())
        first = int(next(one for one in person if int(one) in found))
        wanted = height if height is not None else _stature(found[first]) * (distance or 1.0)
        scaled = {one: lengths * (wanted / _stature(lengths)) for one, lengths in found.items()}
        return cls(scaled, scaled[first], unit, None, _told(len(found), height, distance))

    def depths(self, own: np.ndarray, seen: np.ndarray, person: np.ndarray) -> np.ndarray:
        """The distance (n,) of the mid-hip in `unit`, for joints (n, 15, 3) in units of their own."""
        if self.each is not None:
            kind, size = self.each
            if kind == "distance":
                return np.full(len(own), size)
            return size / np.array([_stature(row) for row in _bones(own, seen)])
        lengths = (
            np.stack([self.lengths.get(one, self.others) for one in person.tolist()]) if len(own) else own
        )
        return _units(lengths.reshape(len(own), _N), _bones(own, seen))

    def statures(self) -> dict[int, float]:
        """How tall every person comes out, in `unit`."""
        return {one: _stature(lengths) for one, lengths in self.lengths.items()}


def _bones(own: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Lengths (n, 15) of the bones, NaN where an end was not seen or the length says nothing."""
    if not len(own):
        return np.zeros((0, _N))
    lengths = COURSE15.bone_lengths(own)
    parents = np.array(COURSE15.parents)
    known = seen & np.where(parents < 0, True, seen[:, parents])
    return np.where(known & (lengths > _SHORTEST), lengths, np.nan)


def _agreed(bones: np.ndarray) -> np.ndarray:
    """Lengths (15,) of one person's bones, in units of the median distance; NaN for a bone never seen."""
    units = np.ones(len(bones))
    for _ in range(_ROUNDS):
        lengths = _median(units[:, None] * bones, 0)
        units = _units(np.broadcast_to(lengths, bones.shape), bones)
        units = units / max(float(_median(units, 0)), 1e-12)
    return _median(units[:, None] * bones, 0)


def _units(lengths: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """d (n,) from L (n, 15) and l (n, 15); the median of all where a row shows no bone.

    The mean of L / l over the bones near the median, weighted by L^2: a joint is as far off on a short bone
    as on a long one, so that the ratio of a bone has a variance of 1 / L^2.
    """
    ratios = lengths / bones
    middle = _median(ratios, 1)
    near = np.abs(ratios - middle[:, None]) <= _NEAR * middle[:, None]
    weights = np.where(near, lengths**2, 0)
    total = weights.sum(axis=1)
    mean = np.where(near, weights * ratios, 0).sum(axis=1) / np.where(total > 0, total, 1)
    found = np.where(total > 0, mean, middle)
    usual = float(_median(found, 0)) if np.isfinite(found).any() else 1.0
    return np.where(np.isfinite(found), found, usual)


def _median(values: np.ndarray, axis: int) -> np.ndarray:
    """nanmedian, NaN without a warning where all are NaN."""
    empty = np.isnan(values).all(axis=axis, keepdims=True)
    return np.asarray(
        np.where(empty.squeeze(axis), np.nan, np.nanmedian(np.where(empty, 0.0, values), axis=axis))
    )


def _stature(lengths: np.ndarray) -> float:
    """Head to floor of a person with these bones; parts that were never seen are taken from the others."""
    parts = np.array([np.nanmean(lengths[pair]) if np.isfinite(lengths[pair]).any() else np.nan
                      for pair in _LEGS] + list(lengths[_TRUNK]))  # fmt: skip
    usual, known = np.array(_PARTS), np.isfinite(parts)
    return float(parts[known].sum() / usual[known].sum()) if known.any() else float("nan")


def _told(people: int, height: float | None, distance: float | None) -> tuple[str, ...]:
    if height is not None:
        return (f"scale: metres, {'every' if people > 1 else 'the'} person {height:g} m tall",)
    alike = ", people taken to be equally tall" if people > 1 else ""
    if distance is not None:
        return (f"scale: metres, the first person {distance:g} m away (median){alike}",)
    return (f"scale: 1 is the median distance of the first person{alike}; a height gives metres",)


def _told_of_stills(height: float | None, distance: float | None) -> tuple[str, ...]:
    if height is not None:
        return (f"scale: metres, every person {height:g} m tall",)
    if distance is not None:
        return (f"scale: metres, every person {distance:g} m away",)
    return ("scale: 1 is each person's own distance; a height gives metres",)
