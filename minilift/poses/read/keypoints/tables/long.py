"""Tables with a row for each joint: frame, person, joint, x, y, score in any order and under many names.

No standard: people's scripts write them. A joint without a row was not found.
"""

from __future__ import annotations

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.layouts.find import by_count
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.tables import cells
from minilift.poses.read.keypoints.tables.columns import SCORE, THREE_D, Columns, X, Y, Z, columns_of
from minilift.poses.read.keypoints.tables.people import frames_of, identities
from minilift.poses.read.keypoints.tables.times import Frames
from minilift.poses.read.keypoints.units import find_unit, zeros

_MOST = 1000  # joints of a person: more are no joints' names


def is_long(document: Document) -> bool:
    if not document.head:
        return False
    found = columns_of(document.head[0])
    return found.joint is not None and set(found.joints) == {""}


def read_long(document: Document, asked: Asked) -> Raw:
    header, *rows = document.table
    columns = columns_of(header)
    cells.refuse_twice(document, columns.twice)
    if columns.joint is None or "" not in columns.joints:
        raise file_error(document.path, "is no table of frame, joint, x, y; name its columns so")
    cells.same_length(document, rows, len(header), 1)
    alone = columns.frame is columns.time is None
    if alone and len(rows) > len({row[columns.joint] for row in rows}):
        raise file_error(document.path, "no column says the frame; add one named frame")
    places = columns.joints[""]
    parts = [part for part in (X, Y, SCORE) if part in places]
    values = cells.numbers(document, rows, [places[part] for part in parts], 1)
    frames = Frames(np.zeros(len(rows), np.int64)) if alone else frames_of(document, columns, rows, 1)
    frame = frames.number
    joint, names, count = _joints(document, columns, rows, asked)
    _refuse_3d(document, columns, values[:, :2], count)
    row, starts = _people(document, columns, rows, frame, joint)
    xy = np.full((len(starts), count, 2), np.nan)
    xy[row, joint] = values[:, :2]
    score = None
    if SCORE in places:
        score = np.full(xy.shape[:2], np.nan)
        score[row, joint] = values[:, 2]
    who = identities(columns, rows, frame)
    raw = Raw(
        xy,
        frame[starts],
        score=score,
        missing=zeros(xy),
        track=None if who is None else [who[start] for start in starts],
        frames=np.unique(frame),
        fps=frames.fps,
        notes=frames.notes,
        names=names,
        layout="mediapipe33" if names is None and count == 33 else None,
    )
    find_unit(raw, document.path, asked)
    return raw


def _joints(
    document: Document, columns: Columns, rows: list[list[str]], asked: Asked
) -> tuple[np.ndarray, tuple[str, ...] | None, int]:
    """The joint of each row as a number, the joints' names if they have some, and how many there are."""
    assert columns.joint is not None
    given = [row[columns.joint] for row in rows]
    names = list(dict.fromkeys(given))
    if len(names) > _MOST:
        problem = f"{len(names):,} names in column {columns.joint + 1} are no joints; check that column"
        raise file_error(document.path, problem)
    if not all(name.isdigit() and len(name) < 5 for name in names):
        place = {name: i for i, name in enumerate(names)}
        return np.array([place[name] for name in given]), tuple(names), len(names)
    numbers = np.array(given, dtype=np.int64)
    most, first = int(numbers.max()), int(numbers.min())
    if asked.layout is not None:
        count = len(layout_named(asked.layout))
        numbers = numbers - (most == count and first > 0)
    elif first > 0 and by_count(most) and not by_count(most + 1):  # numbered from 1
        numbers, count = numbers - 1, most
    else:
        count = most + 1
    if int(numbers.max()) >= count:
        problem = f"joint {most} is none of layout {asked.layout}, which has {count}; check the numbers"
        raise file_error(document.path, problem)
    return numbers, None, count


def _refuse_3d(document: Document, columns: Columns, xy: np.ndarray, count: int) -> None:
    """Raise InputError for a column z, unless it is the depth of MediaPipe's 33 landmarks."""
    if THREE_D not in columns.parts and (Z not in columns.parts or count == 33):
        return
    problem = "3D already: its joints have x, y and z"
    raise file_error(document.path, f"{problem}; give the 2D keypoints that the detector found")


def _people(
    document: Document, columns: Columns, rows: list[list[str]], frame: np.ndarray, joint: np.ndarray
) -> tuple[np.ndarray, list[int]]:
    """For each row, the number of its person in its frame; and the first row of each of these.

    Raises InputError where a person has a joint twice.
    """
    place = columns.person
    starts: dict[tuple[int, str], int] = {}
    numbers: dict[tuple[int, str], int] = {}
    found = np.empty(len(rows), np.int64)
    for i, (at, row) in enumerate(zip(frame.tolist(), rows, strict=True)):
        who = "" if place is None else row[place]
        found[i] = numbers.setdefault((at, who), len(numbers))
        starts.setdefault((at, who), i)
    pairs = found * _MOST * 10 + joint
    kept, counts = np.unique(pairs, return_counts=True)
    if len(kept) < len(pairs):
        twice = int(np.flatnonzero(pairs == kept[counts > 1][0])[1])
        assert columns.joint is not None
        told = f"row {twice + 2}: frame {frame[twice]} has {one_line(rows[twice][columns.joint], 30)!r} twice"
        remedy = "keep one" if place is not None else "add a column person_id, if there are several people"
        raise file_error(document.path, f"{told}; {remedy}")
    return found, list(starts.values())
