"""MMPose's predictions: what 0.x gives as lists, what 1.x's inferencer and demos write.

Source: mmpose/apis/inferencers and demo/*.py of github.com/open-mmlab/mmpose (1.x);
inference_top_down_pose_model (0.x), whose result people dump as JSON, frame by frame.
"""

from __future__ import annotations

from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, is_list_of, whole

_3D = "its keypoints have x, y and z: they are 3D already"


def is_version_0(document: Document) -> bool:
    """A list of frames, each a list of people with keypoints [[x, y, score], ...]."""
    found = document.json
    person = first_of(first_of(found)) if is_list_of(found, list) else None
    return (
        isinstance(person, dict) and "keypoint_scores" not in person and _is_nested(person.get("keypoints"))
    )


def _is_nested(joints: Any) -> bool:
    return is_list_of(joints, list) and all(isinstance(value, (int, float)) for value in joints[0])


def read_version_0(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    for frame, people in enumerate(document.json):
        rows.frames.append(frame)
        for person in _people(document, people):
            box = person.get("bbox")
            weight = box[4] if isinstance(box, list) and len(box) > 4 else person.get("score")
            rows.add(frame, person.get("keypoints"), 3, track=person.get("track_id"), weight=weight)
    return rows.raw()


def is_version_1(document: Document) -> bool:
    """A list of frames with instances, or a dict that has it as instance_info."""
    frames = _frames(document.json)
    return is_list_of(frames, dict) and "instances" in frames[0]


def _frames(found: Any) -> Any:
    return found.get("instance_info") if isinstance(found, dict) else found


def read_version_1(document: Document, asked: Asked) -> Raw:
    content, rows = document.json, Rows(document.path)
    for row, found in enumerate(_frames(content)):
        if not isinstance(found, dict):
            raise file_error(document.path, "has frames that are no objects; write the file again")
        frame = whole(found.get("frame_id"), row)
        rows.frames.append(frame)
        _add(document, rows, frame, found.get("instances"))
    about = content.get("meta_info") if isinstance(content, dict) else None
    return rows.raw(names=_names(about))


def _names(about: Any) -> tuple[str, ...] | None:
    ids = about.get("keypoint_id2name") if isinstance(about, dict) else None
    if not isinstance(ids, dict):
        return None
    names: list[Any] = [ids.get(str(row)) for row in range(len(ids))]
    return tuple(names) if all(isinstance(name, str) for name in names) else None


def is_picture(document: Document) -> bool:
    """One picture: a list of people with keypoints and keypoint_scores."""
    found = document.json
    return is_list_of(found, dict) and {"keypoints", "keypoint_scores"} <= found[0].keys()


def read_picture(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    rows.frames = [0]
    _add(document, rows, 0, document.json)
    return rows.raw()


def _add(document: Document, rows: Rows, frame: int, people: Any) -> None:
    for person in _people(document, people):
        joints = person.get("keypoints")
        if is_list_of(joints, list) and len(joints[0]) > 2:
            raise file_error(document.path, f"{_3D}; give the output of a 2D model")
        rows.add(
            frame, joints, 2, scores=person.get("keypoint_scores"), track=person.get("track_id"),
            weight=person.get("bbox_score"),
        )  # fmt: skip


def _people(document: Document, people: Any) -> list[dict[str, Any]]:
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise file_error(document.path, "has people that are no objects; write the file again")
    return people
