"""What hangs on what in a person, by the names of joints: the bones of every layout that names its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FINGER = re.compile(r"(thumb|forefinger|middle_finger|ring_finger|pinky_finger)([1-4])$")
# The first of these that a layout has; none: the joint hangs from the mid-hip, which may be no joint of it.
_MIDDLE = ("root", "hip", "pelvis", "mid_hip")
_CHEST = ("neck", "thorax", "head_bottom", "upper_neck", "chest", "spine3")
_PARENTS: dict[str, tuple[str, ...]] = {
    "hip": _MIDDLE,
    "knee": ("hip",),
    "ankle": ("knee",),
    "heel": ("ankle",),
    "foot": ("ankle",),
    "toe": ("foot", "ankle"),
    "toe_end": ("toe", "foot", "ankle"),
    "big_toe": ("ankle",),
    "small_toe": ("ankle",),
    "foot_index": ("ankle",),
    "clavicle": ("neck", "spine4", "spine3"),
    "collar": ("spine3",),
    "shoulder": ("clavicle", "collar", *_CHEST),
    "elbow": ("shoulder",),
    "wrist": ("elbow",),
    "hand": ("wrist",),
    "hand_root": ("wrist",),
    "pinky": ("wrist",),
    "index": ("wrist",),
    "thumb": ("wrist",),
    "thumb_end": ("thumb", "wrist"),
    "hand_end": ("hand", "wrist"),
    "fingers": ("wrist",),
    "fingers_end": ("fingers", "wrist"),
    "eye": ("nose",),
    "eye_inner": ("nose",),
    "eye_outer": ("eye", "nose"),
    "ear": ("eye", "nose"),
    "mouth": ("nose",),
}
_UNSIDED: dict[str, tuple[str, ...]] = {
    "spine": _MIDDLE,
    "spine1": _MIDDLE,
    "spine2": ("spine1", "spine", *_MIDDLE),
    "spine3": ("spine2", "spine1", *_MIDDLE),
    "spine4": ("spine3",),
    "chest": _MIDDLE,
    "thorax": ("spine", *_MIDDLE),
    "neck": ("spine4", "spine3", "spine", "chest", "thorax", *_MIDDLE),
    "upper_neck": ("thorax", *_MIDDLE),
    "head_bottom": _MIDDLE,
    "nose": ("neck", "head_bottom", "upper_neck"),
    "head": ("neck", "upper_neck"),
    "head_top": ("head", "neck", "upper_neck", "head_bottom"),
    "chin": _CHEST,
    "forehead": ("chin",),
}


def parents_of(joints: Sequence[str]) -> tuple[int, ...]:
    """For each joint the row of the one that it hangs from, -1 for the mid-hip or where nothing is known."""
    rows = {name: row for row, name in enumerate(joints)}
    return tuple(_parent(name, rows) for name in joints)


def _parent(name: str, rows: dict[str, int]) -> int:
    side, _, part = name.partition("_")
    if name.startswith("face_"):
        return rows.get("nose", -1)
    if side not in ("left", "right"):
        return next((rows[other] for other in _UNSIDED.get(name, ()) if other in rows and other != name), -1)
    finger = _FINGER.match(part)
    if finger:  # the first joint of a finger hangs from the hand, the others from the one before
        number = int(finger[2])
        return rows.get(f"{side}_hand_root" if number == 1 else f"{side}_{finger[1]}{number - 1}", -1)
    for other in _PARENTS.get(part, ()):
        for known in (f"{side}_{other}", other):
            if known in rows and known != name:
                return rows[known]
    return -1
