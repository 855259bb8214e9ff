"""Ultralytics' results as JSON: Results.to_json() of a picture, or a list of them for a video.

Source: Results.summary in ultralytics/engine/results.py of github.com/ultralytics/ultralytics. A joint at 0,
0 is one that was not found.
"""

from __future__ import annotations

from typing import Any

from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, is_list_of


def _is_person(found: Any) -> bool:
    joints = found.get("keypoints") if isinstance(found, dict) else None
    return isinstance(joints, dict) and isinstance(joints.get("x"), list) and "y" in joints


def is_results(document: Document) -> bool:
    found = document.json
    if is_list_of(found, dict):
        return _is_person(found[0])
    return is_list_of(found, list) and _is_person(first_of(first_of(found)))


def read_results(document: Document, asked: Asked) -> Raw:
    found, rows = document.json, Rows(document.path)
    for frame, people in enumerate([found] if is_list_of(found, dict) else found):
        rows.frames.append(frame)
        for person in people if isinstance(people, list) else ():
            if not _is_person(person):
                continue  # a box of something else
            joints = person["keypoints"]
            rows.add(
                frame, paired(joints["x"], joints["y"]), 2, scores=joints.get("visible"),
                track=person.get("track_id"), weight=person.get("confidence"),
            )  # fmt: skip
    raw = rows.raw()
    raw.missing = (raw.xy == 0).all(axis=2)
    return raw


def paired(x: Any, y: Any) -> list[Any]:
    """[[x, y], ...] of two lists; what is no pair of equal lists is left for `Rows` to refuse."""
    if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
        return [None]
    return [list(pair) for pair in zip(x, y, strict=True)]
