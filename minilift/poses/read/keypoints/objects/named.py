"""Joints by their names, as people save them: {"nose": [x, y, score]} or [{"name": "nose", "x": x, ...}].

A person is such an object or list, by itself or under "keypoints", "joints" or the like. A file has one
person, a list of frames, or an object of frames by number or picture; a frame has one person or a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minilift.poses.layouts.names import by_names
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.points import NAMES, Pose, add_all, is_point, numbers_of, pose_of
from minilift.poses.read.keypoints.objects.tfjs import with_unit
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, frame_in_name, whole

_LOOKED_AT = 100
_FEWEST = 3
_UNDER = ("keypoints", "joints", "landmarks", "pose", "points", "keypoints_2d", "joints_2d")
_PEOPLE = ("people", "persons", "poses", "detections", "instances")
_FRAME = ("frame", "frame_id", "frame_number", "frame_idx", "frame_index", "image_id", "image")
_TRACK = ("track_id", "person_id", "id", "track", "idx")


def is_named(document: Document) -> bool:
    for number, (_, people) in enumerate(_frames(document.json)):
        if people or number >= _LOOKED_AT:
            return bool(people)
    return False


def read_named(document: Document, asked: Asked) -> Raw:
    rows, poses = Rows(document.path), []
    for number, people in _frames(document.json):
        rows.frames.append(number)
        poses += [_pose(number, person, about) for person, about in people]
    return with_unit(rows.raw(names=add_all(document.path, rows, poses)))


_People = list[tuple[Any, dict[str, Any]]]


def _frames(content: Any) -> Iterator[tuple[int, _People]]:
    """Every frame's number and people, each the joints and the object that they are in."""
    if _is_person(content) or (isinstance(content, dict) and _under(content) is not None):
        yield 0, _people(content)
    elif isinstance(content, dict) and isinstance(content.get("frames"), (list, dict)):
        yield from _frames(content["frames"])
    elif isinstance(content, dict):
        numbers = [frame_in_name(name) for name in content]
        counted = None not in numbers and len(set(numbers)) == len(numbers)
        for place, (number, frame) in enumerate(zip(numbers, content.values(), strict=True)):
            yield number if counted and number is not None else place, _people(frame)
    elif isinstance(content, list):
        for place, frame in enumerate(content):
            given = next((frame[key] for key in _FRAME if key in frame), None) if _is_about(frame) else None
            number = frame_in_name(given) if isinstance(given, str) else None
            yield whole(given, place) if number is None else number, _people(frame)


def _is_about(frame: Any) -> bool:
    return isinstance(frame, dict) and not _is_person(frame)


def _people(frame: Any) -> _People:
    if _is_person(frame):
        return [(frame, {})]
    if isinstance(frame, dict):
        inside = _under(frame)
        if inside is not None:
            return [(inside, frame)]
        frame = next((frame[key] for key in _PEOPLE if isinstance(frame.get(key), list)), None)
    found = frame if isinstance(frame, list) else []
    return [pair for one in found if isinstance(one, (dict, list)) for pair in _person(one)]


def _person(one: Any) -> _People:
    if _is_person(one):
        return [(one, {})]
    inside = _under(one) if isinstance(one, dict) else None
    return [] if inside is None else [(inside, one)]


def _under(found: dict[str, Any]) -> Any:
    return next((found[key] for key in _UNDER if key in found and _is_person(found[key])), None)


def _is_person(found: Any) -> bool:
    """Whether these are joints of a person by name; without a known name, objects with x and y are."""
    if isinstance(found, list):
        points = len(found) >= _FEWEST and all(is_point(joint) for joint in found)
        return points and all(any(isinstance(joint.get(key), str) for key in NAMES) for joint in found)
    if not isinstance(found, dict) or len(found) < _FEWEST:
        return False
    joints = [joint for joint in found.values() if joint is not None]
    if joints and all(is_point(joint) for joint in joints):
        return True
    return all(_is_row(joint) for joint in joints) and by_names(list(found)) is not None


def _is_row(joint: Any) -> bool:
    return isinstance(joint, list) and len(joint) in (2, 3)


def _pose(number: int, person: Any, about: dict[str, Any]) -> Pose:
    track = next((about[key] for key in _TRACK if key in about), None)
    if isinstance(person, list):
        return pose_of(number, person, track, about.get("score"))
    joints = [(*joint, None)[:3] if _is_row(joint) else numbers_of(joint) for joint in person.values()]
    return Pose(number, tuple(person), joints, track, about.get("score"))
