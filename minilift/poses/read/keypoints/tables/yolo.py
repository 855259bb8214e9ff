"""Ultralytics' pose TXT, a file a frame: class, box, keypoints, (confidence,) (track id), a line a person.

Source: Results.save_txt in ultralytics/engine/results.py of github.com/ultralytics/ultralytics: everything as
a fraction of the picture, keypoints below a confidence of 0.5 as 0 0; a frame without people gets no file,
and a second run into the same folder is appended. Labels of data sets (docs.ultralytics.com/datasets/pose)
look the same, with a visibility of 0, 1 or 2 in place of the score, and empty files.
"""

from __future__ import annotations

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.layouts.find import by_count
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import FRACTION, Asked, Raw
from minilift.poses.read.keypoints.tables.cells import is_number
from minilift.poses.read.keypoints.units import zeros

_BOX = 5  # numbers before the keypoints: class and box
_PEOPLE = "is a label of boxes only: use the results of a pose model"


def is_yolo(document: Document) -> bool:
    if document.delimiter != " " or not document.head:
        return False
    row = document.head[0]
    if len(row) < _BOX or not all(is_number(cell) for cell in row) or not row[0].isdigit():
        return False
    box = [float(cell) for cell in row[1:_BOX]]
    return all(0 <= value <= 1.5 for value in box) and (len(row) == _BOX or bool(_shapes(len(row), None)))


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
    rows = document.table
    fields = len(rows[0])
    shapes = _shapes(fields, len(layout_named(asked.layout)) if asked.layout else None)
    if not shapes:
        problem = _PEOPLE if fields == _BOX else f"{fields} numbers a line are no people of a known layout"
        raise file_error(document.path, problem)
    joints, width, extra = shapes[0]
    try:
        lines = [[float(cell) for cell in row] for row in rows]
        values = np.array(lines, np.float64)
    except ValueError:
        raise file_error(document.path, _wrong_line(rows)) from None
    found = values[:, _BOX : _BOX + joints * width].reshape(len(values), joints, width)
    after = values[:, fields - extra :]
    raw = Raw(
        found[:, :, :2],
        np.zeros(len(values), np.int64),
        missing=zeros(found[:, :, :2]),
        unit=FRACTION,
        layout="coco17" if joints == 17 else None,
    )
    if width == 3 and np.isin(found[:, :, 2], (0, 1, 2)).all():
        raw.missing = found[:, :, 2] == 0
        raw.stills = True
        raw.notes.append("the third number of each joint is 0, 1 or 2: a visibility, not a score")
    elif width == 3:
        raw.score = found[:, :, 2]
    if extra:
        _add_ids(raw, after, [row[-1] for row in rows])
    if len(np.unique(values, axis=0)) < len(values):
        raw.warnings.append(
            "lines are there twice, so people lie upon themselves: Ultralytics appends to files of an "
            "earlier run; delete them and run the detector again"
        )
    return raw


def _add_ids(raw: Raw, after: np.ndarray, last: list[str]) -> None:
    """What stands after the keypoints: a confidence with a point or an id without, or both."""
    if after.shape[1] == 2 or all(cell.isdigit() for cell in last):
        raw.track = [one_line(str(int(value)), 20) if np.isfinite(value) else None for value in after[:, -1]]
    if after.shape[1] == 2 or raw.track is None:
        raw.weight = after[:, 0]


def _wrong_line(rows: list[list[str]]) -> str:
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            return f"line {i + 1} has {len(row)} numbers, line 1 has {len(rows[0])}; keep one model's labels"
        wrong = next((cell for cell in row if not is_number(cell)), None)
        if wrong is not None:
            return f"line {i + 1}: {one_line(wrong, 40)!r} is no number; mend or delete it"
    return "has fields that are no numbers; write it again"
