"""Maps of joints that a person wrote: which joint of a file is which of the course's, for any skeleton."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minilift.files import PathLike, file_error, read_bytes
from minilift.poses.layouts import COURSE15
from minilift.poses.read.joints.found import FoundJoints
from minilift.poses.read.joints.names import plain, some


@dataclass(frozen=True)
class JointMap:
    """The names that a kind of file gives to the joints."""

    name: str
    joints: tuple[str, ...]
    """For each joint of COURSE15, in that order."""
    metres: float | None = None
    """Per unit of the file, if it is known."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """What of it a file does not have."""
        there = {plain(name) for name in names}
        return [joint for joint in self.joints if plain(joint) not in there]


def read_maps(path: PathLike) -> tuple[JointMap, ...]:
    """Maps from a JSON file: {"right_hip": "RightUpLeg", ...}, or several under "maps", each by its name.

    A "metres_per_file_unit" beside them, if there is one, holds for all. Raises InputError naming the file
    and what is wrong with it.
    """
    remedy = f'write {{"right_hip": "RightUpLeg", ...}} with all {len(COURSE15)} joints'
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
    found = [joints.get(joint) for joint in COURSE15.joints]
    wrong = [j for j, own in zip(COURSE15.joints, found, strict=True) if not isinstance(own, str) or not own]
    if wrong:
        raise file_error(path, f"'{name}' names no joint for {', '.join(wrong)}; name one for each")
    named: dict[str, str] = {}
    for joint, own in zip(COURSE15.joints, map(str, found), strict=True):
        if (other := named.setdefault(plain(own), joint)) != joint:
            raise file_error(
                path, f"'{name}' names {own} for {other} and {joint}; name another for one of them"
            )
    return JointMap(name, tuple(map(str, found)), metres=metres)


def find_mapped(path: PathLike, names: Sequence[str], maps: Sequence[JointMap]) -> FoundJoints:
    """The joints by the first map that the joints of the file `path` fit.

    Raises InputError where none fits, with the names of the joints, or where two joints have one name.
    """
    fitting = next((known for known in maps if not known.missing(names)), None)
    if fitting is None:
        nearest = min(maps, key=lambda known: len(known.missing(names)))
        lacks = ", ".join(nearest.missing(names)[:3])
        problem = f"no map fits; {nearest.name} is nearest, but the clip lacks {lacks}"
        raise file_error(path, f"{problem}; correct the map; the clip's joints: {some(names)}")
    known = [plain(name) for name in names]
    for joint in fitting.joints:
        if known.count(plain(joint)) > 1:
            raise file_error(path, f"two joints are named {joint}; rename one of them")
    rows = (known.index(plain(joint)) for joint in fitting.joints)
    return FoundJoints(fitting.name, tuple(((row, 1.0),) for row in rows), metres=fitting.metres)
