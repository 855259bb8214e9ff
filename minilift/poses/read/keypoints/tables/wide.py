"""Tables with a row for each person in each frame: columns nose_x, nose_y, nose_score, or numbers alone.

No standard: names are those of people's scripts. SLEAP's analysis CSV is one of them, with the columns track,
frame_idx and instance.score (sleap/info/write_tracking_h5.py and sleap_io/io/csv.py of github.com/talmolab).
"""

from __future__ import annotations

import numpy as np

from minilift.files import file_error
from minilift.poses.layouts.find import by_count
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.numeric.plain import of_array
from minilift.poses.read.keypoints.raw import FRACTION, Asked, Raw
from minilift.poses.read.keypoints.tables import cells
from minilift.poses.read.keypoints.tables.columns import SCORE, THREE_D, Columns, X, Y, Z, columns_of
from minilift.poses.read.keypoints.tables.people import first_numbered, frames_of, identities
from minilift.poses.read.keypoints.units import find_unit, unit_of, zeros

_FEWEST = 5  # joints of a table that is one of keypoints
_SLEAP = ["track", "frame_idx", "instance.score"]
_MEDIAPIPE = 33


def is_wide(document: Document) -> bool:
    return bool(document.head) and (
        len(columns_of(document.head[0]).joints) >= _FEWEST or _is_numbers(document)
    )


def is_sleap(document: Document) -> bool:
    return bool(document.head) and document.head[0][:3] == _SLEAP


def is_mediapipe(document: Document) -> bool:
    """x1, y1, z1, v1 to v33, as a well-known tutorial writes them."""
    if not document.head:
        return False
    found = columns_of(document.head[0])
    return found.numbered and len(found.joints) == _MEDIAPIPE and Z in found.parts


def _is_numbers(document: Document) -> bool:
    """No header: numbers from the first row on, as many as joints of some layout have."""
    rows = document.head[:3]
    return bool(rows) and len(rows[0]) > 2 * _FEWEST and all(cells.is_number(c) for row in rows for c in row)


def read_wide(document: Document, asked: Asked) -> Raw:
    if _is_numbers(document):
        return _read_numbers(document, asked)
    header, *rows = document.table
    columns = columns_of(header)
    cells.refuse_twice(document, columns.twice)
    if not columns.joints:
        shown = ", ".join(header[:6])
        problem = f"columns {shown} are no joints' places; name them nose_x, nose_y, nose_score and so on"
        raise file_error(document.path, problem)
    cells.same_length(document, rows, len(header), 1)
    joints = list(columns.joints)
    parts = [X, Y] + ([SCORE] if SCORE in columns.parts else [])
    blank = len(header)
    places = [columns.joints[joint].get(part, blank) for joint in joints for part in parts]
    filled = [[*row[:blank], ""] for row in rows] if blank in places else rows
    values = cells.numbers(document, filled, places, 1).reshape(len(rows), len(joints), len(parts))
    _refuse_3d(document, columns, values[..., :2], asked)
    frames = frames_of(document, columns, rows, 1)
    frame = frames.number
    raw = Raw(
        values[..., :2],
        frame,
        score=values[..., 2] if len(parts) == 3 else None,
        missing=zeros(values[..., :2]),
        track=identities(columns, rows, frame),
        frames=np.unique(frame),
        fps=frames.fps,
        notes=frames.notes,
        names=None if columns.numbered else tuple(joints),
    )
    if columns.weight is not None:
        raw.weight = cells.numbers(document, rows, [columns.weight], 1)[:, 0]
    if columns.numbered:
        order = first_numbered(document, joints)
        raw.xy, raw.missing = raw.xy[:, order], zeros(raw.xy[:, order])
        raw.score = None if raw.score is None else raw.score[:, order]
    find_unit(raw, document.path, asked)
    return raw


def _refuse_3d(document: Document, columns: Columns, xy: np.ndarray, asked: Asked) -> None:
    """Raise InputError where there are z columns, unless they are the depths of MediaPipe's 33 landmarks."""
    if Z not in columns.parts:
        return
    flat = len(columns.joints) == _MEDIAPIPE and THREE_D not in columns.parts
    if flat and (SCORE in columns.parts or unit_of(document.path, xy, asked) == FRACTION):
        return
    whose = "Anipose's" if THREE_D in columns.parts else "such as FreeMoCap's"
    problem = f"3D already: its joints have columns x, y and z, {whose}"
    raise file_error(document.path, f"{problem}; give the 2D keypoints that it was made of")


def _read_numbers(document: Document, asked: Asked) -> Raw:
    rows = document.table
    width = len(rows[0])
    cells.same_length(document, rows, width, 0)
    values = cells.numbers(document, rows, range(width), 0)
    frame = values[:, 0]
    counted = len(rows) > 1 and frame[0] == np.floor(frame[0]) and (np.diff(frame) == 1).all()
    if counted and any((width - 1) % n == 0 and by_count((width - 1) // n) for n in (2, 3)):
        raw = of_array(document.path, values[:, 1:], asked)
        raw.frame, raw.frames = frame.astype(np.int64)[raw.frame], frame.astype(np.int64)
        raw.notes.append("no header: the first column is taken for the frame's number")
        return raw
    return of_array(document.path, values, asked)
