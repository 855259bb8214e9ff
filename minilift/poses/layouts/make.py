"""The course's 15 joints, made of points of any layout; what a layout lacks is estimated from its neighbours.

For each there is a chain of recipes (estimates.py): the first whose joints the detector saw is taken, row by
row. docs/layouts.md says what every joint is made of in every layout.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.poses.joint_state import ESTIMATED, MISSING, SEEN
from minilift.poses.layouts.estimates import OF_THE_HEAD, Weights, recipes
from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.rows import COURSE15

ROOTS = ("root", "hip", "pelvis", "mid_hip")
"""What layouts call the middle of the hips."""
_HIPS = {"left_hip": 0.5, "right_hip": 0.5}

BY_WIDTH, BY_HEAD = 1.44, 2.43
"""Without hips: how far below the middle of the shoulders the mid-hip lies, in widths of the shoulders, and
in ways from there to the head. The people of estimates.py have 0.51 m, 0.355 m and 0.21 m. Seen from the side
shoulders have no width, and a bent head is near: the larger of the two is taken."""


class Made(NamedTuple):
    """The course's joints of n detections."""

    joint_2d: np.ndarray
    """(n, 15, 2) float64, NaN where a joint cannot be had."""
    root: np.ndarray
    """(n, 2) the mid-hip; NaN only where nothing says where it is."""
    state: np.ndarray
    """(n, 15) uint8: `minilift.poses.joint_state`."""
    confidence: np.ndarray
    """(n, 15) float32: the lowest score of the joints that it is made of; NaN without scores."""
    root_seen: np.ndarray
    """(n,) bool: whether the mid-hip was seen, rather than guessed from one hip or the upper body."""


class Recipe(NamedTuple):
    """A way to make a joint of a layout's own; `state` says what the result is called."""

    state: int
    weights: Weights


@np.errstate(over="ignore", invalid="ignore")  # of places as far away as numbers go
def make(layout: Layout, xy: np.ndarray, missing: np.ndarray, score: np.ndarray | None = None) -> Made:
    """The course's joints of points (n, J, 2) of a layout; `missing` (n, J) bool, `score` (n, J) or None.

    y points down in `xy`. Raises ValueError for another number of joints.
    """
    xy = np.asarray(xy, np.float64)
    if xy.ndim != 3 or xy.shape[1] != len(layout):
        raise ValueError(f"expected {len(layout)} joints ('{layout.name}'), got shape {xy.shape}")
    points = _Points(layout, xy, missing | ~np.isfinite(xy).all(axis=2), score)
    root = points.made("root")
    points.add("root", root)
    points.add("neck", points.made("neck"))
    columns = [points.made(joint) for joint in COURSE15.joints]
    joint_2d = np.stack([column.place for column in columns], axis=1)
    state = np.stack([column.state for column in columns], axis=1)
    confidence = np.stack([column.score for column in columns], axis=1).astype(np.float32)
    return Made(joint_2d, _guessed_root(root, points), state, confidence, root.state == SEEN)


def ways(layout: Layout, joint: str) -> list[Recipe]:
    """How a joint of the course's, or "root" or "neck", is made in a layout, best first."""
    found = []
    if joint in layout.made_of:
        parts = layout.made_of[joint]
        found.append(Recipe(SEEN if len(parts) == 1 else ESTIMATED, parts))
    elif joint in named_as_it_is(layout):
        found.append(Recipe(SEEN, {joint: 1.0}))
    if joint == "root":
        found += [Recipe(SEEN, {name: 1.0}) for name in ROOTS if name in layout.joints and name != joint]
        found.append(Recipe(SEEN, _HIPS))
    known = any(name.removeprefix("left_") in OF_THE_HEAD for name in layout.joints)
    there = {*named_as_it_is(layout), *layout.made_of, "root", "neck"}
    estimates = [Recipe(ESTIMATED, weights) for weights in recipes(joint, known) if set(weights) <= there]
    return found + (estimates if joint == "root" or not any(way.state == SEEN for way in found) else [])


def named_as_it_is(layout: Layout) -> list[str]:
    """The joints whose name says what they are: those that no other joint is made of."""
    elsewhere = {part for joint, parts in layout.made_of.items() if len(parts) == 1 for part in parts}
    return [name for name in layout.joints if name not in elsewhere]


class _Column(NamedTuple):
    """One joint of n detections: place (n, 2), NaN where there is none, state (n,), score (n,)."""

    place: np.ndarray
    state: np.ndarray
    score: np.ndarray


class _Points:
    """Points by name, and what can be made of them."""

    def __init__(self, layout: Layout, xy: np.ndarray, missing: np.ndarray, score: np.ndarray | None) -> None:
        self.layout, self.n = layout, len(xy)
        self._columns: dict[str, _Column] = {}
        self._own: dict[str, _Column] = {}
        self._given = (xy, missing, score)

    def part(self, name: str, own: bool) -> _Column:
        """A joint of the layout; `own`: by its own name, else one that the layout may say how to make."""
        if not own and name in self._columns:
            return self._columns[name]
        if not own and name in self.layout.made_of:
            self.add(name, self.mixed(self.layout.made_of[name], slice(None), own=True))
            return self._columns[name]
        if name not in self._own:
            self._own[name] = self._read(name)
        return self._own[name]

    def _read(self, name: str) -> _Column:
        xy, missing, score = self._given
        row = self.layout.joints.index(name)
        gone = missing[:, row]
        place = xy[:, row].copy()
        place[gone] = np.nan
        known = np.full(self.n, np.nan) if score is None else np.where(gone, np.nan, score[:, row])
        return _Column(place, np.where(gone, MISSING, SEEN).astype(np.uint8), known)

    def add(self, name: str, column: _Column) -> None:
        self._columns[name] = column

    def made(self, joint: str) -> _Column:
        """The joint by the first recipe whose parts are there, row by row."""
        if joint in self._columns:
            return self._columns[joint]
        found = _Column(
            np.full((self.n, 2), np.nan), np.full(self.n, MISSING, np.uint8), np.full(self.n, np.nan)
        )
        for number, way in enumerate(ways(self.layout, joint)):
            rows = np.flatnonzero(found.state == MISSING) if number else slice(None)
            if not isinstance(rows, slice) and not len(rows):
                break
            mixed = self.mixed(way.weights, rows, way.weights is self.layout.made_of.get(joint))
            found.place[rows], found.score[rows] = mixed.place, mixed.score
            found.state[rows] = np.where(mixed.state == SEEN, way.state, mixed.state).astype(np.uint8)
        return found

    def mixed(self, weights: Weights, rows: np.ndarray | slice, own: bool) -> _Column:
        """What these weights make in these rows: as doubtful as the most doubtful part."""
        parts = [self.part(name, own) for name in weights]
        first, *others = weights.values()
        place = parts[0].place[rows] * first
        state, score = parts[0].state[rows], parts[0].score[rows]
        for weight, part in zip(others, parts[1:], strict=True):
            place += weight * part.place[rows]
            state, score = np.maximum(state, part.state[rows]), np.minimum(score, part.score[rows])
        return _Column(place, state, score)


def _guessed_root(root: _Column, points: _Points) -> np.ndarray:
    """The mid-hip; where no recipe finds it, a hip alone, which is 0.09 m off, or straight below the
    shoulders."""
    place = root.place.copy()
    for name in _HIPS:
        if name in points.layout.joints:
            rows = np.flatnonzero(np.isnan(place).any(axis=1))
            place[rows] = points.part(name, own=True).place[rows]
    rows = np.flatnonzero(np.isnan(place).any(axis=1))
    if not len(rows):
        return place
    left, right, head = (
        points.made(name).place[rows] for name in ("left_shoulder", "right_shoulder", "head")
    )
    middle = (left + right) / 2
    width = np.linalg.norm(left - right, axis=1)
    height = np.nan_to_num(np.linalg.norm(head - middle, axis=1))
    place[rows] = middle
    place[rows, 1] += np.maximum(BY_WIDTH * width, BY_HEAD * height)
    return place
