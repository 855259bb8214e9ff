"""How far away a person is: one scale for all of a clip, from bones that do not change their length.

Every frame is lifted in a unit of its own, the distance to the mid-hip. With l_fb the length of bone b in the
unit of frame f, d_f that unit and L_b the bone's true length, d_f l_fb = L_b. Found by turns, until they
agree:

    d_f = mean over bones of L_b / l_fb          L_b = median over frames of d_f l_fb

Both are weighted by how well a bone's length is known. A lifter knows where a joint is across the ray from
the picture, and guesses where it is along it. With c the cosine between bone and ray, and errors s along it
and s sqrt(e) across it, the variance of l / L is s^2 (c^2 + e) / L^2: long bones that lie across the view
count. Bones that are far from the others of their frame count less, so that a limb that is lifted badly moves
little. One factor for all frames is free: the median of d is 1, or the person has a known height, or the
median distance is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from minilift.poses.few import distinct, median_of_known
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.path import steadied
from minilift.poses.lens.stature import stature, typical

_N = len(COURSE15)
_PARENTS = list(COURSE15.parents)
_ROUNDS = 10
_ACROSS = 0.1  # e: the error across the ray, squared, as a share of that along it
_NEAR = 0.3  # how far a bone's ratio may be from the median of its frame before it counts a quarter
_SHORTEST = 1e-4  # units; a shorter bone says nothing about scale
_FEWEST = 10  # frames that give a person bones of their own
_MOST_PEOPLE = 100  # those in the most frames; the others get everyone's bones


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
    course: Mapping[int, float] | None = None
    """The distance by frame, in any unit, where it is known how that changes; one frame: it does not."""

    @classmethod
    def fit(
        cls, own: np.ndarray, seen: np.ndarray, person: np.ndarray, *, stills: bool = False,
        height: float | None = None, distance: float | None = None,
    ) -> Scale:  # fmt: skip
        """From joints (n, 15, 3), each row in its own unit with the mid-hip at distance 1; seen (n, 15) bool.

        A sample of a clip is enough. People are (n,) numbers. Without a height, several are taken to be
        equally tall; with one, all of them have it. `distance` is the median distance of the first person in
        metres.
        """
        unit = "root-depth" if height is None and distance is None else "m"
        if stills:
            each = ("height", height) if height is not None else ("distance", distance or 1.0)
            return cls({}, np.full(_N, np.nan), unit, each, _told_of_stills(height, distance))
        bones = Bones.of(own, seen)
        usable = np.isfinite(bones.length).all(axis=1)
        bones, person = bones.take(usable), np.asarray(person)[usable]
        found = {one: _agreed(bones.take(rows)) for one, rows in _often(person)}
        if not found and len(person):  # many people in few frames each
            found = {int(person[0]): _agreed(bones)}
        found = {one: lengths for one, lengths in found.items() if np.isfinite(stature(lengths))}
        if not found:
            each = ("distance", distance or 1.0) if height is None else ("height", height)
            return cls({}, np.full(_N, np.nan), unit, each, _told_of_stills(height, distance))
        first = next(one for one in person.tolist() if one in found)
        wanted = height or float(stature(found[first])) * (distance or 1.0)
        scaled = {one: lengths * (wanted / stature(lengths)) for one, lengths in found.items()}
        everyone = median_of_known(np.array(list(scaled.values())), 0)
        agree = _spread(bones, person, scaled, everyone)
        return cls(
            scaled, everyone, unit, None, _told(len(distinct(person)), height, distance, wanted, agree)
        )

    def depths(self, own: np.ndarray, seen: np.ndarray, person: np.ndarray) -> np.ndarray:
        """The distance (n,) of the mid-hip in `unit`, for joints (n, 15, 3) in units of their own.

        NaN for a row that is not lifted. A row without a seen bone is judged by those that the lifter placed.
        """
        if self.each is not None and self.each[0] == "distance":
            return np.full(len(own), self.each[1])
        bones = Bones.of(own, seen)
        if self.each is not None:
            return np.asarray(self.each[1] / stature(bones.length))
        return depth_by(_each(person, self.lengths, self.others), bones)

    def over_time(
        self, own: np.ndarray, seen: np.ndarray, person: np.ndarray, frame: np.ndarray,
        fps: float | None = None,
    ) -> np.ndarray:  # fmt: skip
        """The same of a clip, whose people do not jump to and fro: steadied; or as the course says, times
        one factor a person, the median of what it takes."""
        depth = self.depths(own, seen, person)
        if self.each is not None:
            return depth
        if self.course is None:
            return steadied(depth, frame, person, fps)
        at = np.array(sorted(self.course))
        found = np.interp(frame, at, [self.course[one] for one in at.tolist()])
        order = np.argsort(person, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(person[order])) + 1):
            known = rows[np.isfinite(depth[rows])]
            if len(known):
                found[rows] *= np.median(depth[known] / found[known])
        return np.where(np.isfinite(depth), found, np.nan)

    def statures(self) -> dict[int, float]:
        """How tall every person comes out, in `unit`."""
        return {one: float(stature(lengths)) for one, lengths in self.lengths.items()}


@dataclass(frozen=True)
class Bones:
    """The bones of n rows, each row in a unit of its own."""

    length: np.ndarray
    """(n, 15)"""
    weight: np.ndarray
    """(n, 15) 1 / (c^2 + e); 0 where an end was not seen or the length says nothing. A row in which no bone
    counts has the weights of all its bones."""

    @classmethod
    def of(cls, own: np.ndarray, seen: np.ndarray) -> Bones:
        points = COURSE15.with_root(np.asarray(own, np.float64))
        bone = points[:, :-1] - points[:, _PARENTS]
        length = np.linalg.norm(bone, axis=2)
        fit = length > _SHORTEST
        along = np.einsum("nij,nij->ni", bone, points[:, :-1])
        along /= np.where(fit, length, 1) * np.maximum(np.linalg.norm(points[:, :-1], axis=2), _SHORTEST)
        weight = np.where(fit, 1 / (along**2 + _ACROSS), 0)
        both = seen & np.where(np.array(_PARENTS) < 0, True, seen[:, _PARENTS])
        counts = (both & fit).any(axis=1, keepdims=True)
        return cls(np.where(fit, length, _SHORTEST), np.where(both | ~counts, weight, 0)).whole(own)

    def whole(self, own: np.ndarray) -> Bones:
        """The same, NaN in the rows that are not lifted."""
        lifted = np.isfinite(own).all(axis=(1, 2))[:, None]
        return Bones(np.where(lifted, self.length, np.nan), np.where(lifted, self.weight, 0))

    def take(self, rows: np.ndarray) -> Bones:
        return Bones(self.length[rows], self.weight[rows])


def _often(person: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The people of at least _FEWEST rows, and their rows; the most frequent first."""
    order = np.argsort(person, kind="stable")
    people, counts = np.unique(person, return_counts=True)
    ends = np.cumsum(counts)
    for place in np.argsort(-counts, kind="stable")[:_MOST_PEOPLE]:
        if counts[place] >= _FEWEST or len(people) == 1:
            yield int(people[place]), order[ends[place] - counts[place] : ends[place]]


def _agreed(bones: Bones) -> np.ndarray:
    """Lengths (15,) of one person's bones, in units of the median distance.

    A bone that is never seen gets the length that it has in a person with the others, `typical`.
    """
    units = np.ones(len(bones.length))
    for _ in range(_ROUNDS):
        lengths = typical(_weighted_median(units[:, None] * bones.length, bones.weight))
        units = depth_by(lengths, bones)
        units = units / max(float(median_of_known(units, 0)), 1e-12)
    return typical(_weighted_median(units[:, None] * bones.length, bones.weight))


def depth_by(lengths: np.ndarray, bones: Bones) -> np.ndarray:
    """d (n,) from L (15,) or (n, 15), and the bones of n rows."""
    ratios = lengths / bones.length
    weights = bones.weight * lengths**2
    middle = _weighted_median(ratios.T, (bones.weight > 0).T)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = weights / (1 + ((ratios / middle[:, None] - 1) / _NEAR) ** 2) ** 2
        return np.asarray((weights * ratios).sum(axis=1) / weights.sum(axis=1))


def _each(person: np.ndarray, lengths: Mapping[int, np.ndarray], others: np.ndarray) -> np.ndarray:
    """Lengths (n, 15) of the person of every row."""
    people, place = np.unique(person, return_inverse=True)
    table = [lengths.get(one, others) for one in people.tolist()]
    return np.array(table).reshape(-1, _N)[place.reshape(-1)]


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of every column of (n, m): the value at which half of the weight is reached; NaN without any weight."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    order = np.argsort(values, axis=0)
    reached = np.cumsum(np.take_along_axis(weights.astype(np.float64), order, axis=0), axis=0)
    place = (reached < reached[-1] / 2).sum(axis=0)[None]
    middle = np.take_along_axis(values, np.take_along_axis(order, place, axis=0), axis=0)[0]
    return np.asarray(np.where(reached[-1] > 0, middle, np.nan))


def _spread(bones: Bones, person: np.ndarray, lengths: Mapping[int, np.ndarray], others: np.ndarray) -> float:
    """How well the bones agree: the median of |d l / L - 1| over the bones that count."""
    wanted = _each(person, lengths, others)
    off = np.abs(depth_by(wanted, bones)[:, None] * bones.length / wanted - 1)[bones.weight > 0]
    return float(median_of_known(off, 0)) if len(off) else 0.0


def _told(
    people: int, height: float | None, distance: float | None, tall: float, agree: float
) -> tuple[str, ...]:
    sure = f"; bone lengths agree to {agree:.1%} over the frames"
    if height is not None:
        return (f"scale: metres, {'every' if people > 1 else 'the'} person {height:g} m tall{sure}",)
    alike = ", people taken to be equally tall" if people > 1 else ""
    if distance is not None:
        return (
            f"scale: metres, the first person {distance:g} m away (median), {tall:.2f} m tall{alike}{sure}",
        )
    return (f"scale: 1 is the median distance of the first person{alike}; a height gives metres{sure}",)


def _told_of_stills(height: float | None, distance: float | None) -> tuple[str, ...]:
    if height is not None:
        return (f"scale: metres, every person {height:g} m tall",)
    if distance is not None:
        return (f"scale: metres, every person {distance:g} m away",)
    return ("scale: 1 is each person's own distance; a height gives metres",)
