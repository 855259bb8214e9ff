"""A layout of one's own: a JSON file that names joints, or says which known one a file's name stands for.

    {"name": "mocap suit", "joints": ["left_hip", "right_hip", ...], "parents": {"left_knee": "left_hip"},
     "made_of": {"neck": ["left_shoulder", "right_shoulder"]}, "map": {"LHip": "left_hip"}}

`joints` is what is needed. `map` gives names of a file that has its own; docs/layouts.md has more.
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, read_bytes
from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.make import _CHAINS
from minilift.poses.layouts.parents import parents_of
from minilift.poses.layouts.rows import COURSE15, LAYOUTS

_MOST = 1000  # joints
_LIMBS = [joint for joint in COURSE15.joints if joint not in _CHAINS]


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
        raise file_error(path, f"is no JSON ({error}); write it as docs/layouts.md says") from None
    if not isinstance(found, dict) or not isinstance(found.get("joints"), list):
        raise file_error(path, "has no list 'joints'; write it as docs/layouts.md says")
    joints = tuple(_name(path, joint) for joint in found["joints"])
    if not 3 <= len(joints) <= _MOST or len(set(joints)) < len(joints):
        raise file_error(path, f"'joints' needs 3 to {_MOST} names, each once; it has {len(joints)}")
    made_of = {
        _name(path, joint): tuple(_known(path, part, joints) for part in _listed(path, joint, parts))
        for joint, parts in _dict(path, found, "made_of").items()
    }
    for joint in _LIMBS:
        if joint not in joints and joint not in made_of:
            raise file_error(path, f"has no {joint}; name it in 'joints', or what it is made of in 'made_of'")
    parents = list(parents_of(joints))
    for joint, parent in _dict(path, found, "parents").items():
        parents[joints.index(_known(path, joint, joints))] = joints.index(_known(path, parent, joints))
    _check_tree(path, joints, parents)
    name = found.get("name", "own")
    return Layout(_name(path, name), joints, tuple(parents), made_of, "a layout of your own")


def _dict(path: PathLike, found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key, {})
    if not isinstance(value, dict):
        raise file_error(path, f"'{key}' is no object; write it as docs/layouts.md says")
    return value


def _listed(path: PathLike, joint: str, parts: Any) -> list[Any]:
    if not isinstance(parts, list) or not parts:
        raise file_error(path, f"'made_of' of {joint} is no list of joints; give one")
    return parts


def _name(path: PathLike, name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= 60 or not name.isprintable():
        raise file_error(path, f"has a name that is none: {str(name)[:40]!r}; use letters, digits and _")
    return name


def _known(path: PathLike, name: Any, joints: tuple[str, ...]) -> str:
    if name not in joints:
        raise file_error(path, f"has no joint {str(name)[:40]!r}; it has {', '.join(joints)}")
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
