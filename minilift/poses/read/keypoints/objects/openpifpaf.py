"""OpenPifPaf's JSON: a list of predictions a picture, or a line with frame and predictions for a video.

Source: openpifpaf/predict.py, video.py and annotation.py of github.com/openpifpaf/openpifpaf. A joint that
was not found is 0, -3, 0.
"""

from __future__ import annotations

from typing import Any

from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, is_list_of, whole


def is_picture(document: Document) -> bool:
    found = document.json
    person = found[0] if is_list_of(found, dict) else {}
    return is_list_of(person.get("keypoints"), (int, float)) and "image_id" not in person and "bbox" in person


def read_picture(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    rows.frames = [0]
    for person in document.json:
        _add(rows, 0, person)
    return _finish(rows)


def is_video(document: Document) -> bool:
    found = document.json
    found = found if isinstance(found, list) else [found]
    return is_list_of(found, dict) and isinstance(found[0].get("predictions"), list)


def read_video(document: Document, asked: Asked) -> Raw:
    found, rows = document.json, Rows(document.path)
    for row, frame in enumerate(found if isinstance(found, list) else [found]):
        if isinstance(frame, dict):
            at = whole(frame.get("frame"), row)
            rows.frames.append(at)
            for person in frame.get("predictions") or ():
                _add(rows, at, person)
    return _finish(rows)


def _add(rows: Rows, frame: int, person: Any) -> None:
    if isinstance(person, dict) and person.get("keypoints"):
        rows.add(frame, person["keypoints"], 3, track=person.get("id_"), weight=person.get("score"))


def _finish(rows: Rows) -> Raw:
    raw = rows.raw()
    if raw.score is not None:
        raw.missing = (raw.score == 0) & (raw.xy[:, :, 1] <= 0)
    return raw
