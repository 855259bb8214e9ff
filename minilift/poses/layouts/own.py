"""A layout of one's own: a JSON file that names joints, or says which known one a file's name stands for.

    {"name": "suit", "joints": ["left_hip", "right_hip", ...], "parents": {"left_knee": "left_hip"},
     "made_of": {"neck": ["left_shoulder", "right_shoulder"], "head": {"crown": 0.6, "chest": 0.4}},
     "map": {"LHip": "left_hip"}}

`joints` or `map` is needed. docs/layouts.md explains them.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, read_bytes
from minilift.poses.layouts.estimates import FITTED
from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.parents import parents_of
from minilift.poses.layouts.rows import COURSE15, LAYOUTS

_MOST = 1000  # joints, and what no weight is more than
_LIMBS = [joint for joint in COURSE15.joints if joint not in FITTED]
_KEYS = ("name", "joints", "parents", "made_of", "map")
_DOCS = "write it as docs/layouts.md says"


def layout_named(name: str) -> Layout:
    """The layout of that name, or the one in a .json file. Raises ArgumentError for a name that is none."""
    if name.lower().endswith(".json"):
        return load_layout(name)
    known = name.lower().replace("-", "_")
    if known not in LAYOUTS:
        near = difflib.get_close_matches(known, LAYOUTS, 1)
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(LAYOUTS)}, or a .json file"
        raise ArgumentError("layout", name, f"unknown; {meant}")
    return LAYOUTS[known]


def load_layout(path: PathLike) -> Layout:
    """Read a layout of one's own. Raises InputError naming the file and what is wrong in it."""
    try:
        found = json.loads(read_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise file_error(path, f"is no JSON ({error}); {_DOCS}") from None
    if not isinstance(found, dict) or not ("joints" in found or "map" in found):
        raise file_error(path, f"has no list 'joints', and no 'map'; {_DOCS}")
    for key in found:
        if key not in _KEYS:
            raise file_error(path, f"has '{str(key)[:40]}', which says nothing; use {', '.join(_KEYS)}")
    if len(_dict(path, found, "map")) > _MOST:
        raise file_error(path, f"'map' has more than {_MOST} names; leave out what is no joint")
    called = {_name(path, own): _name(path, joint) for own, joint in _dict(path, found, "map").items()}
    joints = _joints(path, found, called)
    for own, joint in called.items():
        _known(path, joint, joints)
        if list(called.values()).count(joint) > 1:
            raise file_error(path, f"'map' has two names for {joint}; keep one (is it {own}?)")
    made_of = {
        _name(path, joint): _weights(path, joint, parts, joints)
        for joint, parts in _dict(path, found, "made_of").items()
    }
    for joint in _LIMBS:
        if joint not in joints and joint not in made_of:
            raise file_error(path, f"has no {joint}; name it in 'joints', or what it is made of in 'made_of'")
    parents = list(parents_of(joints))
    for joint, parent in _dict(path, found, "parents").items():
        parents[joints.index(_known(path, joint, joints))] = joints.index(_known(path, parent, joints))
    _check_tree(path, joints, parents)
    name = _name(path, found.get("name", "own"))
    return Layout(name, joints, tuple(parents), made_of, called, "a layout of your own")


def _joints(path: PathLike, found: dict[str, Any], called: Mapping[str, str]) -> tuple[str, ...]:
    """What `joints` lists; without it, those of `map`, in its order."""
    listed = found.get("joints", list(called.values()))
    if not isinstance(listed, list):
        raise file_error(path, f"has no list 'joints'; {_DOCS}")
    joints = tuple(_name(path, joint) for joint in listed)
    if not 3 <= len(joints) <= _MOST or len(set(joints)) < len(joints):
        raise file_error(path, f"'joints' needs 3 to {_MOST} names, each once; it has {len(joints)}")
    return joints


def _dict(path: PathLike, found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key, {})
    if not isinstance(value, dict):
        raise file_error(path, f"'{key}' is no object; {_DOCS}")
    return value


def _weights(path: PathLike, joint: str, parts: Any, joints: tuple[str, ...]) -> dict[str, float]:
    """Of a list, the mean; of an object, its weights, which have to sum to 1."""
    if isinstance(parts, list) and parts:
        return {_known(path, part, joints): 1 / len(parts) for part in parts}
    if not isinstance(parts, dict) or not parts:
        raise file_error(path, f"'made_of' of {joint} is no list of joints; give one, or joints and weights")
    for weight in parts.values():
        if type(weight) not in (int, float) or not abs(weight) <= _MOST:
            raise file_error(path, f"'made_of' of {joint} has the weight {str(weight)[:40]!r}; give a number")
    weights = {_known(path, part, joints): float(weight) for part, weight in parts.items()}
    if abs(sum(weights.values()) - 1) > 1e-3:
        total = f"{sum(weights.values()):g}"
        raise file_error(path, f"the weights in 'made_of' of {joint} sum to {total}; make it 1")
    return weights


def _name(path: PathLike, name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= 60 or not name.isprintable():
        raise file_error(path, f"has a name that is none: {str(name)[:40]!r}; use letters, digits and _")
    return name


def _known(path: PathLike, name: Any, joints: tuple[str, ...]) -> str:
    if name not in joints:
        raise file_error(path, f"has no joint {str(name)[:40]!r}; it has {', '.join(joints[:40])}")
    return str(name)


def _check_tree(path: PathLike, joints: tuple[str, ...], parents: list[int]) -> None:
    for row in range(len(joints)):
        at, steps = row, 0
        while at >= 0:
            at, steps = parents[at], steps + 1
            if steps > len(joints):
                raise file_error(
                    path, f"'parents' of {joints[row]} lead back to it; let them end at the hips"
                )
