"""Nested lists of numbers as JSON, as numpy's tolist() gives them: arrays that may have gaps.

Frames without people may be null or [], and frames may have different numbers of people.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.numeric.plain import of_array
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import numbers

_DEEPEST = 4  # frames, people, joints, numbers
_MOST = 1 << 28  # numbers of an array that a ragged file of a few may become


def is_nested(document: Document) -> bool:
    return 2 <= _depth(document.json) <= _DEEPEST


def _depth(value: Any) -> int:
    """How many lists are around the first number; 0 where there is something else than lists of numbers."""
    depth = 0
    while isinstance(value, list):
        depth += 1
        value = next((item for item in value if item not in (None, [])), None)
    return depth if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def read_nested(document: Document, asked: Asked) -> Raw:
    try:
        found = numbers(document.json)
    except (ValueError, TypeError, OverflowError, RecursionError):
        found = _filled(document)
    return of_array(document.path, found, asked)


def _filled(document: Document) -> np.ndarray:
    """(F, P, J, width), NaN for who is not there. Raises InputError for people who differ in their joints."""
    frames = document.json
    if _depth(frames) == _DEEPEST - 1:
        frames = [[frame] if frame else [] for frame in frames]
    people = [_people(document, row, frame) for row, frame in enumerate(frames)]
    shapes = {person.shape for frame in people for person in frame}
    if len(shapes) != 1:
        shown = " and ".join(sorted(str(shape) for shape in shapes)[:3])
        raise file_error(document.path, f"people are lists of {shown}; write one layout in a clip")
    most, (shape,) = max(map(len, people)), shapes
    if len(people) * most * int(np.prod(shape)) > _MOST:
        raise file_error(document.path, f"{most:,} people in a frame are too many for a list; write fewer")
    found = np.full((len(people), most, *shape), np.nan)
    for row, frame in enumerate(people):
        for place, person in enumerate(frame):
            found[row, place] = person
    return found


def _people(document: Document, row: int, frame: Any) -> list[np.ndarray]:
    if frame is not None and not isinstance(frame, list):
        raise file_error(document.path, f"frame {row} is no list of people; write the file again")
    try:
        found = [numbers(person) for person in frame or ()]
    except (ValueError, TypeError, OverflowError, RecursionError):
        problem = f"frame {row} has no lists of numbers, equally long, for joints"
        raise file_error(document.path, f"{problem}; write the file again") from None
    return found
