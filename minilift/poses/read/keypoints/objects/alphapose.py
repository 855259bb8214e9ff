"""AlphaPose's JSON: one file a clip, in the forms that its option format and its trackers write.

Source: write_json in alphapose/utils/pPose_nms.py and PoseFlow/tracker-general.py of
github.com/MVIG-SJTU/AlphaPose. It has no missing joints: what is hidden has a low score, and scores may be
above 1. idx is a number of its trackers, or a list with one; without a tracker it is 0 for everyone, or not
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minilift.files import file_error
from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.openpose import is_frame
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, frame_in_name, is_list_of, near

_LOOKED_AT = 100


def is_results(document: Document) -> bool:
    """A list of people, each with the name of its picture."""
    found = document.json
    return is_list_of(found, dict) and "keypoints" in found[0] and isinstance(found[0].get("image_id"), str)


def read_results(document: Document, asked: Asked) -> Raw:
    rows, frame = Rows(document.path), _frames(document)
    for person in _dicts(document, document.json):
        rows.add(
            frame(person.get("image_id")), person.get("keypoints"), 3,
            track=person.get("idx", person.get("track_id")), weight=person.get("score"),
        )  # fmt: skip
    found = rows.raw()
    found.stills = not near(rows.frame)
    return found


def _values(found: Any) -> list[Any]:
    return list(found.values())[:_LOOKED_AT] if isinstance(found, dict) else []


def is_open(document: Document) -> bool:
    """Names of pictures, each with what OpenPose would have written."""
    values = _values(document.json)
    return bool(values) and all(isinstance(v, dict) and isinstance(v.get("people"), list) for v in values)


def is_cmu(document: Document) -> bool:
    values = _values(document.json)
    return bool(values) and all(isinstance(v, dict) and isinstance(v.get("bodies"), list) for v in values)


def read_open(document: Document, asked: Asked) -> Raw:
    return _by_picture(document, "people", "pose_keypoints_2d")


def read_cmu(document: Document, asked: Asked) -> Raw:
    return _by_picture(document, "bodies", "joints")


def _by_picture(document: Document, people: str, joints: str) -> Raw:
    rows, number = Rows(document.path), _frames(document)
    for name, content in document.json.items():
        frame = number(name)
        rows.frames.append(frame)
        for person in _dicts(document, content.get(people) if isinstance(content, dict) else None):
            if person.get(joints):
                rows.add(frame, person[joints], 3)
    found = rows.raw()
    found.layout = "openpose_coco18" if found.xy.shape[1] == _OPEN else None
    return found


_OPEN = len(LAYOUTS["openpose_coco18"])  # all that this form was made for


def is_poseflow(document: Document) -> bool:
    """Names of pictures, each with a list of people."""
    found = document.json
    if not isinstance(found, dict) or is_frame(found) or not all(isinstance(v, list) for v in _values(found)):
        return False
    person = first_of([first_of(value) for value in _values(found)])
    return isinstance(person, dict) and is_list_of(person.get("keypoints"), (int, float))


def read_poseflow(document: Document, asked: Asked) -> Raw:
    rows, number = Rows(document.path), _frames(document)
    for name, people in document.json.items():
        frame = number(name)
        rows.frames.append(frame)
        for person in _dicts(document, people):
            weight = person.get("scores", person.get("score"))
            rows.add(frame, person.get("keypoints"), 3, track=person.get("idx"), weight=weight)
    return rows.raw()


def _frames(document: Document) -> Callable[[Any], int]:
    """The number of the frame for the name of its picture, each name looked at once.

    Raises InputError for a name without a number, and for two pictures with the same one.
    """
    numbers: dict[str, int] = {}
    names: dict[int, str] = {}

    def frame(name: Any) -> int:
        if isinstance(name, str) and name in numbers:
            return numbers[name]
        found = frame_in_name(name) if isinstance(name, str) else None
        if found is None:
            problem = f"a picture's name without a number ({str(name)[:40]!r}): its frames have no order"
            raise file_error(document.path, f"{problem}; name them frame_0001 and so on")
        if found in names:
            problem = f"pictures {names[found][:40]!r} and {name[:40]!r} both count as frame {found}"
            raise file_error(document.path, f"{problem}; keep one clip in a file")
        numbers[name], names[found] = found, name
        return found

    return frame


def _dicts(document: Document, people: Any) -> list[dict[str, Any]]:
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise file_error(document.path, "has people that are no objects; write the file again")
    return people
