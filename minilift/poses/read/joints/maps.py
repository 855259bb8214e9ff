"""Maps of joints that a person wrote: which joint of a file is which of the course's, for any skeleton."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from minilift.files import PathLike, file_error, read_bytes
from minilift.poses.layouts import COURSE15
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.found import FoundJoints
from minilift.poses.read.joints.names import plain, some

_ELSE = ("root", "metres_per_file_unit")  # what a map may hold besides the joints


@dataclass(frozen=True)
class JointMap:
    """The names that a kind of file gives to the joints."""

    name: str
    joints: Mapping[str, str]
    """For joints of COURSE15, the file's names: for all, or for those that are not found by their names."""
    metres: float | None = None
    """Per unit of the file, if it is known."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """What of it a file does not have."""
        there = {plain(name) for name in names}
        return [name for name in self.joints.values() if plain(name) not in there]


def read_maps(path: PathLike) -> tuple[JointMap, ...]:
    """Maps from a JSON file: {"right_hip": "RightUpLeg", ...}, or several under "maps", each by its name.

    Joints that a map leaves out are found by their names, as without it.

    A "metres_per_file_unit" beside them, if there is one, holds for all. Raises InputError naming the file
    and what is wrong with it.
    """
    remedy = 'write {"right_hip": "RightUpLeg", ...}'
    try:
        content = json.loads(read_bytes(path, remedy, first=1 << 20).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        problem = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise file_error(path, f"not JSON ({problem}); {remedy}") from None
    if not isinstance(content, dict) or not isinstance(content.get("maps", {}), dict):
        raise file_error(path, f"no map of joints; {remedy}")
    metres = content.get("metres_per_file_unit")
    if metres is not None and (type(metres) not in (int, float) or not 0 < metres <= 1000):
        raise file_error(path, "metres_per_file_unit must be above 0, up to 1000; 0.01 for centimetres")
    maps = content.get("maps") or {os.path.basename(path): content}
    return tuple(_map(path, str(name), joints, metres) for name, joints in maps.items())


def _map(path: PathLike, name: str, joints: object, metres: float | None) -> JointMap:
    if not isinstance(joints, Mapping):
        raise file_error(
            path, f"'{name}' is no map of joints; name a joint of the clip for each of the course's"
        )
    for joint, own in joints.items():
        if joint not in COURSE15.joints and joint not in _ELSE:
            close = get_close_matches(joint, COURSE15.joints, n=1) or COURSE15.joints
            raise file_error(path, f"'{name}': {joint} is no joint of the course; {', '.join(close)}?")
        if joint in COURSE15.joints and (not isinstance(own, str) or not own):
            raise file_error(path, f"'{name}' names no joint for {joint}; name one, or leave it out")
    found = {joint: str(joints[joint]) for joint in COURSE15.joints if joint in joints}
    if not found:
        raise file_error(
            path, f"'{name}' names no joint of the course; they are {', '.join(COURSE15.joints)}"
        )
    named: dict[str, str] = {}
    for joint, own in found.items():
        if (other := named.setdefault(plain(own), joint)) != joint:
            raise file_error(
                path, f"'{name}' names {own} for {other} and {joint}; name another for one of them"
            )
    return JointMap(name, found, metres=metres)


def find_mapped(
    path: PathLike, names: Sequence[str], parents: Sequence[int], offsets: np.ndarray, bone_ends: bool,
    maps: Sequence[JointMap],
) -> FoundJoints:  # fmt: skip
    """The joints by the first map that the joints of the file `path` fit; those it leaves out as find_joints.

    Raises InputError where none fits, with the names of the joints, or where two joints have one name, and
    as find_joints.
    """
    fitting = next((known for known in maps if not known.missing(names)), None)
    if fitting is None:
        nearest = min(maps, key=lambda known: len(known.missing(names)))
        lacks = ", ".join(nearest.missing(names)[:3])
        problem = f"no map fits; {nearest.name} is nearest, but the clip lacks {lacks}"
        raise file_error(path, f"{problem}; correct the map; the clip's joints: {some(names)}")
    known = [plain(name) for name in names]
    for own in fitting.joints.values():
        if known.count(plain(own)) > 1:
            raise file_error(path, f"two joints are named {own}; rename one of them")
    rows = {joint: known.index(plain(own)) for joint, own in fitting.joints.items()}
    if len(rows) == len(COURSE15):  # whoever names all has the last word, whatever hangs from what
        return FoundJoints(fitting.name, tuple(((row, 1.0),) for row in rows.values()), metres=fitting.metres)
    found = find_joints(path, names, parents, offsets, bone_ends, rows)
    return replace(found, skeleton=f"{found.skeleton} with {fitting.name}", metres=fitting.metres)
