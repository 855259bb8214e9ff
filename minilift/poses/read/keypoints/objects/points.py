"""Joints that are objects, such as {x, y, score, name}: their numbers and names, fast where all are alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from minilift.files import PathLike, file_error
from minilift.poses.read.keypoints.rows import Rows

SCORES = ("visibility", "score", "inFrameLikelihood", "likelihood", "confidence", "presence")
NAMES = ("name", "part", "type", "landmarkType", "label")
PLACES = ("position", "position3D")
_MOST = 1000  # names of joints


class Pose(NamedTuple):
    """A person in a frame: names of the joints, or their places in a known order, and x, y, score of each."""

    frame: int
    names: tuple[Any, ...]
    joints: list[Any]
    track: Any = None
    weight: Any = None


def is_point(found: Any) -> bool:
    """Whether it is an object with a place: its own x and y, or those of its position."""
    if not isinstance(found, dict):
        return False
    places = (found, *(found.get(key) for key in PLACES))
    return any(isinstance(place, dict) and "x" in place and "y" in place for place in places)


def pose_of(frame: int, joints: Sequence[Any], track: Any = None, weight: Any = None) -> Pose:
    """The person whose joints these objects are; what is no object is a joint that was not found."""
    first = next((joint for joint in joints if isinstance(joint, dict)), {})
    score = next((key for key in SCORES if key in first), "score")
    name = next((key for key in NAMES if key in first), None)
    try:
        numbers = list(map(itemgetter("x", "y", score), joints))
    except (KeyError, TypeError):
        numbers = [numbers_of(joint, score) for joint in joints]
    names: tuple[Any, ...] = ()
    if name is not None:
        names = tuple([joint.get(name) if isinstance(joint, dict) else None for joint in joints])
    return Pose(frame, names, numbers, track, weight)


def numbers_of(joint: Any, score: str = "score") -> tuple[Any, Any, Any]:
    """x, y and score of one object."""
    if not isinstance(joint, dict):
        return None, None, None
    place: Any = next((joint[key] for key in PLACES if isinstance(joint.get(key), dict)), joint)
    found = next((joint[key] for key in (score, *SCORES) if key in joint), None)
    return place.get("x"), place.get("y"), found


def add_all(path: PathLike, rows: Rows, poses: Iterable[Pose]) -> tuple[str, ...] | None:
    """Add the people to `rows`, their joints in one order; return the joints' names, if they have some.

    Raises InputError, naming the file, for names that are none, and for more than a thousand of them.
    """
    poses = list(poses)
    for pose in poses:
        if not all(isinstance(name, (str, int)) for name in pose.names):
            problem = f"a person of frame {pose.frame} has joints without a name among others"
            raise file_error(path, f"{problem}; write the file again")
    orders = {pose.names for pose in poses}
    names = next(iter(orders), ())
    if len(orders) > 1 and () in orders:
        raise file_error(path, "has people with names of joints and without; write one kind of them")
    if len(orders) > 1:
        names = tuple(dict.fromkeys(name for pose in poses for name in pose.names))
        if len(names) > _MOST:
            raise file_error(path, f"more than {_MOST} names of joints; write the file again")
    numbered = bool(names) and all(type(name) is int for name in names)
    if numbered:
        names = tuple(sorted(names))
    for pose in poses:
        joints = pose.joints if pose.names == names else _ordered(pose, names)
        rows.add(pose.frame, joints, 3, track=pose.track, weight=pose.weight)
    return None if numbered or not names else tuple(map(str, names))


def _ordered(pose: Pose, names: tuple[Any, ...]) -> list[Any]:
    found: Mapping[Any, Any] = dict(zip(pose.names, pose.joints, strict=True))
    return [found.get(name, (None, None, None)) for name in names]
