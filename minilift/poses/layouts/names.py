"""Which layout a file has by the names that it gives its joints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

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
_ALSO = {
    "h36m17": (
        "root right_hip right_knee right_foot left_hip left_knee left_foot spine thorax neck_base head "
        "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",  # MMPose's h36m.py
        "hip right_hip right_knee right_foot left_hip left_knee left_foot spine thorax neck_nose head "
        "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",  # 3d-pose-baseline
    ),
    "mpii16": (
        "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax neck head_top "
        "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
    ),
}  # fmt: skip
"""Other names of all joints of a layout, in its order."""
_ANIMAL = re.compile(r"tail|paw|hoof|snout|withers|wing|beak|throat|(front|back)_(leg|knee)")
_NEEDED = (("left_hip right_hip", "hip"), ("left_shoulder right_shoulder", "neck"))
_HAND = 21  # joints of a hand
_FEWEST, _LIMBS = 8, 4  # joints of a file whose names are of no known layout, and how many of limbs


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
    """The layout of joints of these names, in any order; one made of them ("named"), where they are a
    person's but of no known layout.

    None where too few of them are a person's joints, or some are an animal's.
    """
    found = [plain(name) for name in names]
    if any(_ANIMAL.search(name) for name in found):
        return None
    same = [known for known in _known() if len(known[1]) == len(found) and set(known[1]) == set(found)]
    in_order = [known for known in same if list(known[1]) == found]
    for layout, joints in in_order or same:
        return Match(layout, tuple(found.index(joint) for joint in joints))
    return _full_human(found) or _largest_within(found) or _own(found)


def columns_of(layout: Layout, names: Sequence[str]) -> tuple[int, ...]:
    """For each joint of a layout its place among a file's names, -1 where none of them means it.

    A name means what the layout says that it is `called`, else what it says itself.
    """
    called = {own.strip().lower(): joint for own, joint in layout.called.items()}
    meant = [called.get(name.strip().lower(), plain(name)) for name in names]
    wanted = [(joint, plain(joint)) for joint in layout.joints]
    return tuple(next((at for at, name in enumerate(meant) if name in both), -1) for both in wanted)


def _known() -> Iterator[tuple[Layout, tuple[str, ...]]]:
    """All layouts with the names of their joints, and with other names that they go by: those that say where
    the top of the head is, before those that call it the head."""
    for layout in LAYOUTS.values():
        yield layout, _plain(layout.joints)
    for name, others in _ALSO.items():
        yield from ((LAYOUTS[name], _plain(joints.split())) for joints in others)
    for name in ("halpe136", "coco_wholebody133"):
        yield LAYOUTS[name], _numbered_hands(LAYOUTS[name])
    for layout in LAYOUTS.values():
        joints = _plain(layout.joints)
        if "head_top" in joints and "head" not in joints:
            yield layout, tuple("head" if joint == "head_top" else joint for joint in joints)


def _numbered_hands(layout: Layout) -> tuple[str, ...]:
    """The names of a layout with left_hand_0 to left_hand_20 for the joints of the hand."""
    names = list(layout.joints)
    for side in ("left", "right"):
        first = names.index(f"{side}_hand_root")
        names[first : first + _HAND] = [f"{side}_hand_{i}" for i in range(_HAND)]
    return tuple(names)


def _plain(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(plain(name) for name in names)


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
    within = [layout for layout in LAYOUTS.values() if set(_plain(layout.joints)) <= set(found)]
    if not within:
        return None
    layout = max(within, key=len)
    return Match(layout, tuple(found.index(joint) for joint in _plain(layout.joints)))


def _own(found: Sequence[str]) -> Match | None:
    """A layout of the joints that are a person's, where hips, shoulders and enough of the limbs are there."""
    known = {plain(joint): joint for layout in reversed(LAYOUTS.values()) for joint in layout.joints}
    human = [name for name in dict.fromkeys(found) if name in known]
    limbs = [name for name in human if name.partition("_")[2] in ("elbow", "wrist", "knee", "ankle")]
    if len(human) < _FEWEST or len(limbs) < _LIMBS or not all(_any(human, parts) for parts in _NEEDED):
        return None
    joints = tuple(known[name] for name in human)
    layout = Layout("named", joints, parents_of(joints), about="joints by the names in the file")
    return Match(layout, tuple(found.index(name) for name in human))


def _any(human: Sequence[str], parts: Sequence[str]) -> bool:
    return any(set(part.split()) <= set(human) for part in parts)
