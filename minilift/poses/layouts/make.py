"""The course's 15 joints, made of points of any layout; what a layout lacks is estimated from its neighbours.

Every joint is a combination of others with weights that sum to 1, so it holds in the image as it does in
space (up to perspective within a person). For each there is a chain of such recipes: the first whose joints
the detector saw is taken.

The numbers are least-squares fits to 1,722 frames, 2 a second, of the 113 CMU clips that 22 people moved
(docs/layouts.md has the program): spine and neck from hips, shoulders and head. "The data used in this
project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from minilift.poses.joint_state import ESTIMATED, MISSING, SEEN
from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.rows import COURSE15

Weights = Mapping[str, float]

_HIPS = {"left_hip": 0.5, "right_hip": 0.5}
_SHOULDERS = {"left_shoulder": 0.5, "right_shoulder": 0.5}
_UP = 0.068
"""How far above the middle of the shoulders the neck is, as a share of the way there from the hips: 33
mm rms."""
_SPINE = 0.431
"""How far up from the mid-hip to the neck the spine is: 45 mm rms, most of it between skeletons."""
_HEAD = 0.309
"""How far above the neck the head is, as a share of the way from the hips to the neck: 55 mm rms."""


def _mix(*parts: tuple[float, Weights]) -> dict[str, float]:
    found: dict[str, float] = {}
    for share, weights in parts:
        for name, weight in weights.items():
            found[name] = found.get(name, 0.0) + share * weight
    return found


_NECK = _mix((1 + _UP, _SHOULDERS), (-_UP, _HIPS))
_NAMED = {"hip": "root", "pelvis": "root", "mid_hip": "root"}

# For a joint that a layout does not name: what else it may be made of, best first. "root" and "neck" stand
# for whatever makes them in the layout.
_CHAINS: dict[str, tuple[tuple[int, Weights], ...]] = {
    "root": ((SEEN, _HIPS),),
    "neck": ((SEEN, {"thorax": 1.0}), (ESTIMATED, _NECK), (ESTIMATED, _SHOULDERS)),
    "spine": ((ESTIMATED, {"root": 1 - _SPINE, "neck": _SPINE}),),
    "head": (
        (ESTIMATED, {"left_ear": 0.5, "right_ear": 0.5}),
        (ESTIMATED, {"left_ear": 1.0}),
        (ESTIMATED, {"right_ear": 1.0}),
        (ESTIMATED, {"left_eye": 0.5, "right_eye": 0.5}),
        (ESTIMATED, {"head_top": 0.5, "neck": 0.5}),
        (ESTIMATED, {"nose": 1.0}),
        (ESTIMATED, {"neck": 1 + _HEAD, "root": -_HEAD}),
    ),
}
_BY_WIDTH = 1.7
"""Without hips: the mid-hip lies so many shoulder widths below the middle of the shoulders. CMU: 0.488 m from
hips to neck, less the shoulders' 0.032 m, for 0.353 m between the shoulders make 1.3; but these are the
joints' centres, and people seen from the side have no width, so that the larger of two estimates is
taken."""
_BY_HEAD = 3.0  # and so many times the way from neck to head, 0.154 m


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
    """(n,) bool: whether the mid-hip was seen, rather than guessed from the upper body."""


def make(layout: Layout, xy: np.ndarray, missing: np.ndarray, score: np.ndarray | None = None) -> Made:
    """The course's joints of points (n, J, 2) of a layout; `missing` (n, J) bool, `score` (n, J) or None.

    Raises ValueError for another number of joints.
    """
    xy = np.asarray(xy, np.float64)
    if xy.ndim != 3 or xy.shape[1] != len(layout):
        raise ValueError(f"expected {len(layout)} joints ('{layout.name}'), got shape {xy.shape}")
    points = _Points(layout, xy, missing | np.isnan(xy).any(axis=2), score)
    root = points.made("root")
    points.add("root", root)
    points.add("neck", points.made("neck"))
    columns = [points.made(joint) for joint in COURSE15.joints]
    joint_2d = np.stack([column.place for column in columns], axis=1)
    state = np.stack([column.state for column in columns], axis=1)
    confidence = np.stack([column.score for column in columns], axis=1).astype(np.float32)
    seen = root.state != MISSING
    return Made(joint_2d, _guessed_root(root, points), state, confidence, seen)


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
        self._given = (xy, missing, score)

    def __getitem__(self, name: str) -> _Column | None:
        if name not in self._columns and name in self.layout.joints:
            xy, missing, score = self._given
            row = self.layout.joints.index(name)
            gone = missing[:, row]
            place = np.where(gone[:, None], np.nan, xy[:, row])
            known = np.full(self.n, np.nan) if score is None else np.where(gone, np.nan, score[:, row])
            self.add(name, _Column(place, np.where(gone, MISSING, SEEN).astype(np.uint8), known))
        return self._columns.get(name)

    def add(self, name: str, column: _Column) -> None:
        self._columns[name] = column

    def made(self, joint: str) -> _Column:
        """The joint by the first recipe whose parts are there, row by row."""
        place = np.full((self.n, 2), np.nan)
        state, score = np.full(self.n, MISSING, np.uint8), np.full(self.n, np.nan)
        for kind, weights in _recipes(self.layout, joint):
            parts = [self[name] for name in weights]
            if not all(parts):
                continue
            columns = [part for part in parts if part is not None]
            found = np.zeros((self.n, 2))
            for weight, part in zip(weights.values(), columns, strict=True):
                found += weight * part.place
            rows = (state == MISSING) & ~np.isnan(found).any(axis=1)
            place[rows], state[rows] = found[rows], kind
            score[rows] = np.min([part.score for part in columns], axis=0)[rows]
            if kind == SEEN and any((part.state == ESTIMATED).any() for part in columns):
                state[rows & np.any([part.state == ESTIMATED for part in columns], axis=0)] = ESTIMATED
        return _Column(place, state, score)


def _recipes(layout: Layout, joint: str) -> Iterator[tuple[int, Weights]]:
    """How a joint of the course's, or the root, may be made in a layout, best first."""
    if joint in layout.made_of:
        parts = layout.made_of[joint]
        yield SEEN if len(parts) == 1 or joint != "spine" else ESTIMATED, dict.fromkeys(parts, 1 / len(parts))
    elif joint in layout.joints:
        yield SEEN, {joint: 1.0}
    if joint == "root":
        yield from ((SEEN, {name: 1.0}) for name in _NAMED if name in layout.joints)
    yield from _CHAINS.get(joint, ())


def _guessed_root(root: _Column, points: _Points) -> np.ndarray:
    """The mid-hip; where no hip was seen, straight below the shoulders by the size of the upper body.

    A single hip stands for both: it is half the hips' width off, 0.09 m.
    """
    place = root.place.copy()
    for name in ("left_hip", "right_hip"):
        column = points[name]
        if column is not None:
            rows = np.isnan(place).any(axis=1)
            place[rows] = column.place[rows]
    left, right, head = points["left_shoulder"], points["right_shoulder"], points.made("head")
    if left is None or right is None:
        return place
    middle = (left.place + right.place) / 2
    width = np.linalg.norm(left.place - right.place, axis=1)
    height = np.nan_to_num(np.linalg.norm(head.place - middle, axis=1))
    below = np.maximum(_BY_WIDTH * width, _BY_HEAD * height)
    rows = np.isnan(place).any(axis=1)
    place[rows] = (middle + np.stack([np.zeros_like(below), below], axis=1))[rows]
    return place
