"""Which layout points have: by the names that a file gives its joints, by their number, by what they
look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.parents import parents_of
from minilift.poses.layouts.rows import LAYOUTS

_SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
_WORDS = {
    "ank": "ankle", "sho": "shoulder", "elb": "elbow", "wri": "wrist", "kne": "knee", "headtop": "head_top",
    "top_head": "head_top", "top_of_head": "head_top", "bigtoe": "big_toe", "smalltoe": "small_toe",
    "midhip": "hip", "mid_hip": "hip", "hips": "hip", "pelvis": "hip", "root": "hip", "hip_center": "hip",
    "mid_hips": "hip", "upperneck": "upper_neck", "headbottom": "head_bottom", "forearm": "elbow",
    "shldr": "shoulder", "footindex": "foot_index", "toe": "big_toe", "little_toe": "small_toe",
}  # fmt: skip
_PARTS = {name.partition("_")[2] for layout in LAYOUTS.values() for name in layout.joints if "_" in name}
_ORDER = (
    "coco17", "openpose_coco18", "body25", "halpe26", "mediapipe33", "coco_wholebody133", "mpii16", "mpi15",
    "crowdpose14",
)  # fmt: skip
_NEEDED = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_ANIMAL = re.compile(r"tail|paw|hoof|snout|withers|wing|beak|throat|(front|back)_(leg|knee)")
_FEWEST = 8  # joints of a file whose names are of no known layout


class Match(NamedTuple):
    """A layout, and for each of its joints the place in the file; -1: the file lacks it."""

    layout: Layout
    columns: tuple[int, ...]


def plain(name: str) -> str:
    """A joint's name as the layouts write it: RShoulder, 'Right Shoulder', r.shoulder -> right_shoulder."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name[:80])
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]
    side = ""
    for at in (0, -1):
        if len(words) > 1 and words[at] in _SIDES:
            side = _SIDES[words.pop(at)]
            break
    part = "_".join(words)
    if not side and part[:1] in "lr" and _WORDS.get(part[1:], part[1:]) in _PARTS:
        side, part = _SIDES[part[0]], part[1:]
    elif not side:
        for word in ("left", "right"):
            if part.startswith(word) and len(part) > len(word):
                side, part = word, part.removeprefix(word)
    part = _WORDS.get(part, part)
    return f"{side}_{part}" if side else part


def by_names(names: Sequence[str]) -> Match | None:
    """The layout of joints of these names; one made of them, where they are a person's but of no known
    layout.

    None where too few of them are a person's joints.
    """
    found = [plain(name) for name in names]
    for wanted, given in ((_exact, found), (_loose, [_loose(name) for name in found])):
        same = [layout for layout in LAYOUTS.values() if _set(layout, wanted) == set(given)]
        in_order = [layout for layout in same if [wanted(_exact(joint)) for joint in layout.joints] == given]
        if in_order or same:
            layout = (in_order or same)[0]
            return Match(layout, tuple(given.index(wanted(_exact(joint))) for joint in layout.joints))
    numbered = _full_human(found)
    if numbered is not None:
        return numbered
    return _largest_within(found) or _own(found)


def _exact(joint: str) -> str:
    """A layout's own joint in the words of `plain`."""
    return plain(joint)


def _loose(joint: str) -> str:
    """Without what tools disagree on: the top of the head is called head by some."""
    return {"head_top": "head"}.get(joint, joint)


def _set(layout: Layout, wanted: object) -> set[str]:
    names = [_exact(joint) for joint in layout.joints]
    return set(names) if wanted is _exact else {_loose(name) for name in names}


def _full_human(found: Sequence[str]) -> Match | None:
    """DeepLabCut's full_human numbers sides in MPII's order: 1 is the right one."""
    layout = LAYOUTS["dlc_full_human14"]
    renamed = [
        f"{'right' if name[-1] == '1' else 'left'}_{name[:-1]}" if name[-1:] in ("1", "2") else name
        for name in found
    ]
    if set(renamed) != set(layout.joints):
        return None
    return Match(layout, tuple(renamed.index(joint) for joint in layout.joints))


def _largest_within(found: Sequence[str]) -> Match | None:
    """The largest known layout all of whose joints are there, among others."""
    within = [layout for layout in LAYOUTS.values() if _set(layout, _exact) <= set(found)]
    if not within:
        return None
    layout = max(within, key=len)
    return Match(layout, tuple(found.index(_exact(joint)) for joint in layout.joints))


def _own(found: Sequence[str]) -> Match | None:
    if any(_ANIMAL.search(name) for name in found):
        return None
    known = {_exact(joint) for layout in LAYOUTS.values() for joint in layout.joints}
    human = [name for name in dict.fromkeys(found) if name in known]
    if len(human) < _FEWEST or not set(_NEEDED) <= set(human):
        return None
    joints = tuple(human)
    layout = Layout("named", joints, parents_of(joints), {}, "joints by the names in the file")
    return Match(layout, tuple(found.index(name) for name in joints))


def by_count(joints: int) -> tuple[Layout, ...]:
    """The layouts with so many joints, the most frequent first."""
    found = [layout for layout in LAYOUTS.values() if len(layout) == joints and layout.name != "course15"]
    return tuple(sorted(found, key=lambda x: _ORDER.index(x.name) if x.name in _ORDER else len(_ORDER)))


def counts() -> str:
    """The numbers of joints that are known, for messages."""
    return ", ".join(map(str, sorted({len(layout) for layout in LAYOUTS.values()})))


# ---- what points look like -----------------------------------------------------------------------------
_CLEAR = 0.6  # of the next best: how much smaller a misfit must be to be the right one
_LARGE = 0.5  # a misfit that no person's points have; of a few rows, where a pose can do much, it is more
_LARGE_OF_FEW, _FEW = 1.0, 10
_MOST = 2000  # rows that are looked at

_UPPER = [(f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")]
_FORE = [(f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")]
_THIGH = [(f"{side}_hip", f"{side}_knee") for side in ("left", "right")]
_SHIN = [(f"{side}_knee", f"{side}_ankle") for side in ("left", "right")]
_ALIKE = [
    *(tuple(pair) for pair in (_UPPER, _FORE, _THIGH, _SHIN)),
    *zip(_THIGH, _SHIN, strict=True),
    *zip(_UPPER, _FORE, strict=True),
]
"""Pairs of bones that are about as long as each other: left and right, thigh and shin, upper arm and
forearm."""


def misfit(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> float:
    """How unlike a person these points (n, J, 2) are when they are taken for this layout; NaN: not to be
    told.

    The mean over eight pairs of bones of the median over rows of | log(a / b) |. Synthetic people from all
    sides have 0.18; joints of one layout taken for those of another have 0.4 to 1.3.
    """
    rows = np.unique(np.linspace(0, max(len(xy) - 1, 0), min(len(xy), _MOST)).astype(int))
    places = np.where(missing[rows][..., None], np.nan, xy[rows])
    found = []
    for pair in _ALIKE:
        if all(end in layout.joints for bone in pair for end in bone):
            first, second = (_length(layout, places, bone) for bone in pair)
            known = (first > 0) & (second > 0)
            if known.any():
                found.append(float(np.median(np.abs(np.log(first[known] / second[known])))))
    return float(np.mean(found)) if len(found) >= len(_ALIKE) // 2 else float("nan")


def _length(layout: Layout, places: np.ndarray, bone: tuple[str, str]) -> np.ndarray:
    a, b = (layout.joints.index(end) for end in bone)
    return np.nan_to_num(np.linalg.norm(places[:, a] - places[:, b], axis=1))


def decide(candidates: Sequence[Layout], xy: np.ndarray, missing: np.ndarray) -> Layout | None:
    """The one of the candidates that these points clearly fit best; None where no one does."""
    if len(candidates) == 1:
        return candidates[0]
    misfits = [misfit(layout, xy, missing) for layout in candidates]
    if not candidates or np.isnan(misfits).any():
        return None
    first, second = np.argsort(misfits, kind="stable")[:2]
    return candidates[first] if misfits[first] < _CLEAR * misfits[second] else None


def implausible(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> str:
    """Why these points cannot be of this layout, in a few words; empty where they may be."""
    found = misfit(layout, xy, missing)
    if found > (_LARGE if len(xy) >= _FEW else _LARGE_OF_FEW):
        times = np.exp(found)
        return f"as {layout.name}, bones that should be alike differ by a factor of {times:.1f}"
    return ""
