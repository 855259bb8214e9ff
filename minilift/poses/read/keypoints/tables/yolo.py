"""Ultralytics' pose TXT, a file a frame: class, box, keypoints, (confidence,) (track id), a line a person.

Source: Results.save_txt in ultralytics/engine/results.py of github.com/ultralytics/ultralytics: everything as
a fraction of the picture, keypoints below a confidence of 0.5 as 0 0; a frame without people gets no file,
and a second run into the same folder is appended. Labels of data sets (docs.ultralytics.com/datasets/pose)
look the same, with a visibility of 0, 1 or 2 in place of the score, and empty files.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.layouts.find import by_count
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import FRACTION, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows
from minilift.poses.read.keypoints.tables.cells import is_number
from minilift.poses.read.keypoints.units import zeros

_BOX = 5  # numbers before the keypoints: class and box


def is_yolo(document: Document) -> bool:
    if document.delimiter != " " or not document.head:
        return False
    row = document.head[0]
    if len(row) < _BOX or not all(is_number(cell) for cell in row) or not row[0].isdigit():
        return False
    box = [float(cell) for cell in row[1:_BOX]]
    return all(0 <= value <= 1.5 for value in box) and (len(row) == _BOX or bool(_shapes(len(row), None)))


@lru_cache
def _shapes(fields: int, joints: int | None) -> list[tuple[int, int, int]]:
    """(joints, numbers a joint, numbers after them) that a line of so many may have, likeliest first."""
    found = []
    for extra in (0, 1, 2):
        for width in (3, 2):
            count, left = divmod(fields - _BOX - extra, width)
            if not left and count > 0 and (count == joints if joints else by_count(count)):
                found.append((count, width, extra))
    return sorted(found, key=lambda shape: shape[0] != 17)  # what all models of poses have


def read_yolo(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    _add(document, rows, 0, len(layout_named(asked.layout)) if asked.layout else None)
    return finish(rows.raw())


def add_frame(document: Document, rows: Rows, frame: int) -> None:
    """Raises InputError for what are no people, naming file and line."""
    _add(document, rows, frame, None)


def _add(document: Document, rows: Rows, frame: int, joints: int | None) -> None:
    rows.frames.append(frame)
    lines = document.table
    for i, line in enumerate(lines):
        shapes = _shapes(len(line), joints)
        if not shapes or len(line) != len(lines[0]):
            raise file_error(document.path, _wrong_line(i, len(line), len(lines[0])))
        count, width, extra = shapes[0]
        try:
            numbers = [float(cell) for cell in line]
        except ValueError:
            wrong = next((cell for cell in line if not is_number(cell)), "")
            problem = f"line {i + 1}: {one_line(wrong, 40)!r} is no number; mend or delete it"
            raise file_error(document.path, problem) from None
        tracked = extra == 2 or (extra == 1 and line[-1].isdigit())
        rows.add(
            frame,
            numbers[_BOX : _BOX + count * width],
            width,
            track=numbers[-1] if tracked else None,
            weight=numbers[_BOX + count * width] if extra > tracked else None,
        )


def _wrong_line(place: int, fields: int, first: int) -> str:
    if fields == _BOX:
        return "is a label of boxes only: use the results of a pose model"
    if fields != first:
        return f"line {place + 1} has {fields} numbers, line 1 has {first}; keep one model's labels"
    return f"{fields} numbers a line are no class, box and joints of a known layout; use a model of people"


def finish(found: Raw) -> Raw:
    """Whether third numbers are scores or visibilities, what is missing, and lines that are there twice."""
    found.unit, found.missing = FRACTION, zeros(found.xy)
    found.layout = "coco17" if found.xy.shape[1] == 17 else None
    if found.score is not None and len(found.score) and np.isin(found.score, (0, 1, 2)).all():
        found.missing, found.score, found.stills = found.score == 0, None, True
        found.notes.append("the third number of each joint is 0, 1 or 2: a visibility, not a score")
    people = np.column_stack([found.frame, found.xy.reshape(len(found.xy), -1)])
    if len(people) and len(np.unique(people, axis=0)) < len(people):
        found.warnings.append(
            "lines are there twice, so people lie upon themselves: Ultralytics appends to files of an "
            "earlier run; delete them and run the detector again"
        )
    return found
