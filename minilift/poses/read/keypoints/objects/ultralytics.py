"""Ultralytics' results as JSON: Results.to_json() of a picture, or a list of them for a video.

Source: Results.summary and Results.to_json in ultralytics/engine/results.py of
github.com/ultralytics/ultralytics; with normalize, x and y are fractions. A joint at 0, 0 is one that was not
found. to_json gives text, so that lists of results, once more written as JSON, are lists of texts.
"""

from __future__ import annotations

import json
from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.tfjs import with_unit
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, is_list_of

_LOOKED_AT = 50


def _is_person(found: Any) -> bool:
    joints = found.get("keypoints") if isinstance(found, dict) else None
    return isinstance(joints, dict) and isinstance(joints.get("x"), list) and "y" in joints


def _frames(document: Document) -> list[Any]:
    """People, frame by frame; a list of people is one frame."""
    found = document.json
    return [found] if is_list_of(found, dict) else found if isinstance(found, list) else []


def _people(document: Document, frame: Any) -> Any:
    if not isinstance(frame, str):
        return frame
    try:
        return json.loads(frame)
    except (ValueError, RecursionError):
        raise file_error(document.path, "has text that is no JSON; write the results again") from None


def is_results(document: Document) -> bool:
    frames = _frames(document)[:_LOOKED_AT]
    if is_list_of(frames, str):
        return any('"keypoints"' in frame for frame in frames if isinstance(frame, str))
    people = [person for frame in frames if isinstance(frame, list) for person in frame[:_LOOKED_AT]]
    return any(_is_person(person) for person in people)


def read_results(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    for row, found in enumerate(_frames(document)):
        rows.frames.append(row)
        people = _people(document, found)
        for person in people if isinstance(people, list) else ():
            if not _is_person(person):
                continue  # a box of something else
            joints = person["keypoints"]
            rows.add(
                row, _paired(joints["x"], joints["y"]), 2, scores=joints.get("visible"),
                track=person.get("track_id"), weight=person.get("confidence"),
            )  # fmt: skip
    raw = with_unit(rows.raw())
    raw.missing = (raw.xy == 0).all(axis=2)
    return raw


def _paired(x: Any, y: Any) -> list[Any]:
    """[[x, y], ...] of two lists; what is no pair of equal lists is left for `Rows` to refuse."""
    if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
        return ["x and y differ"]
    return list(zip(x, y, strict=True))
