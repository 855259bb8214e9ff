"""OpenPifPaf's JSON: a list of predictions a picture, or a line with frame and predictions for a video.

Source: src/openpifpaf/predict.py, video.py and annotation.py (json_data) of github.com/openpifpaf/openpifpaf.
A joint that was not found has score 0, at 0, -3 or near it.
"""

from __future__ import annotations

from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, is_list_of, whole


def is_picture(document: Document) -> bool:
    found = document.json
    person = found[0] if is_list_of(found, dict) else {}
    return is_list_of(person.get("keypoints"), (int, float)) and "image_id" not in person and "bbox" in person


def read_picture(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    add_picture(document, rows, 0)
    return finish(rows.raw())


def add_picture(document: Document, rows: Rows, frame: int) -> None:
    rows.frames.append(frame)
    _add(document, rows, frame, document.json)


def is_video(document: Document) -> bool:
    found = document.json
    found = found if isinstance(found, list) else [found]
    return is_list_of(found, dict) and isinstance(found[0].get("predictions"), list)


def read_video(document: Document, asked: Asked) -> Raw:
    found, rows = document.json, Rows(document.path)
    for row, frame in enumerate(found if isinstance(found, list) else [found]):
        if not isinstance(frame, dict):
            raise file_error(document.path, f"line {row + 1} is no object; write the file again")
        at = whole(frame.get("frame"), row)
        rows.frames.append(at)
        _add(document, rows, at, frame.get("predictions"))
    return finish(rows.raw())


def _add(document: Document, rows: Rows, frame: int, people: Any) -> None:
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise file_error(document.path, f"frame {frame} has predictions that are no objects; write it again")
    for person in people:
        if person.get("keypoints"):
            rows.add(frame, person["keypoints"], 3, track=person.get("id_"), weight=person.get("score"))


def finish(found: Raw) -> Raw:
    found.missing = None if found.score is None else found.score == 0
    return found
