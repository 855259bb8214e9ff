"""MMPose's predictions: what 0.x gives as lists, what 1.x's inferencer and demos write.

Source, 1.x: split_instances in mmpose/structures/utils.py, postprocess in
mmpose/apis/inferencers/base_mmpose_inferencer.py and demo/topdown_demo_with_mmdet.py of
github.com/open-mmlab/mmpose. 0.x wrote no file; people dump what
inference_top_down_pose_model gives, people with keypoints [[x, y, score], ...], of one picture or frame by
frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, is_list_of, whole

_3D = "its keypoints have x, y and z: they are 3D already"


def is_version_0(document: Document) -> bool:
    """A list of frames, or one frame: each a list of people with keypoints [[x, y, score], ...]."""
    found = document.json
    person = found[0] if is_list_of(found, dict) else first_of(first_of(found))
    if not isinstance(person, dict) or "keypoint_scores" in person or "image_id" in person:
        return False
    joints = person.get("keypoints")
    return is_list_of(joints, list) and is_list_of(joints[0], (int, float)) and len(joints[0]) in (2, 3)


def read_version_0(document: Document, asked: Asked) -> Raw:
    found, rows = document.json, Rows(document.path)
    for frame, people in enumerate([found] if is_list_of(found, dict) else found):
        rows.frames.append(frame)
        for person in _people(document, people):
            box, joints = person.get("bbox"), person.get("keypoints")
            weight = box[4] if isinstance(box, list) and len(box) > 4 else person.get("score")
            width = len(joints[0]) if is_list_of(joints, list) else 3
            rows.add(frame, joints, width, track=person.get("track_id"), weight=weight)
    return rows.raw()


def is_version_1(document: Document) -> bool:
    """Frames with instances, in one of the forms that `_frames` takes apart."""
    found = document.json
    if isinstance(found, dict):
        found = found.get("instance_info", found.get("predictions"))
    first = first_of(found)
    if isinstance(first, list):
        return _is_instance(first_of(first))
    return isinstance(first, dict) and (
        isinstance(first.get("instances"), list)
        or _is_instance(first_of(first_of(first.get("predictions"))))
        or (_is_instance(first) and isinstance(document.json, dict))
    )


def _is_instance(found: Any) -> bool:
    return isinstance(found, dict) and {"keypoints", "keypoint_scores"} <= found.keys()


def _frames(document: Document) -> Iterator[tuple[int, Any]]:
    """Frames and their people.

    A video is [{frame_id, instances}, ...], of a demo within {meta_info, instance_info}; the demo's
    instance_info of one picture is the people themselves. An inferencer's own result is
    {predictions: [people]}, one for each picture.
    """
    found = document.json
    if isinstance(found, dict):
        found = found.get("instance_info", found.get("predictions"))
        if is_list_of(found, dict) and _is_instance(found[0]):
            found = [found]
    for row, frame in enumerate(found):
        if isinstance(frame, dict) and "predictions" in frame:
            yield row, first_of(frame["predictions"]) or []
        elif isinstance(frame, dict):
            yield whole(frame.get("frame_id"), row), frame.get("instances")
        else:
            yield row, frame


def read_version_1(document: Document, asked: Asked) -> Raw:
    content, rows = document.json, Rows(document.path)
    for frame, people in _frames(document):
        rows.frames.append(frame)
        _add(document, rows, frame, people)
    about = content.get("meta_info") if isinstance(content, dict) else None
    return rows.raw(names=_names(about))


def _names(about: Any) -> tuple[str, ...] | None:
    ids = about.get("keypoint_id2name") if isinstance(about, dict) else None
    if not isinstance(ids, dict):
        return None
    names: list[Any] = [ids.get(str(row)) for row in range(len(ids))]
    return tuple(names) if names and all(isinstance(name, str) for name in names) else None


def is_picture(document: Document) -> bool:
    """One picture: a list of people with keypoints and keypoint_scores."""
    return is_list_of(document.json, dict) and _is_instance(document.json[0])


def read_picture(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    add_picture(document, rows, 0)
    return rows.raw()


def add_picture(document: Document, rows: Rows, frame: int) -> None:
    rows.frames.append(frame)
    _add(document, rows, frame, document.json)


def _add(document: Document, rows: Rows, frame: int, people: Any) -> None:
    for person in _people(document, people):
        joints = person.get("keypoints")
        if is_list_of(joints, list) and len(joints[0]) > 2:
            raise file_error(document.path, f"{_3D}; give the output of a 2D model")
        if "keypoint_scores" not in person:
            raise file_error(
                document.path, f"a person of frame {frame} has no keypoint_scores; write it again"
            )
        rows.add(
            frame, joints, 2, scores=person["keypoint_scores"], track=person.get("track_id"),
            weight=person.get("bbox_score"),
        )  # fmt: skip


def _people(document: Document, people: Any) -> list[dict[str, Any]]:
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise file_error(document.path, "has people that are no objects; write the file again")
    return people
