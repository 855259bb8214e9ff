"""Who and when: the frames, identities and numbered joints of the rows of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.rows import identity
from minilift.poses.read.keypoints.tables.cells import frame_numbers
from minilift.poses.read.keypoints.tables.columns import Columns
from minilift.poses.read.keypoints.tables.times import Frames, by_times, with_rate


def frames_of(document: Document, columns: Columns, rows: Sequence[Sequence[str]], first: int) -> Frames:
    """The frame of each row, and how many are a second; without a column of frames, by times, or row by row.

    Raises InputError where there is a column for people but none for frames or times.
    """
    if columns.frame is not None:
        cells = [row[columns.frame] for row in rows]
        return with_rate(frame_numbers(document, cells, first, columns.frame), columns, rows)
    timed = by_times(columns, rows)
    if timed is not None:
        return timed
    if columns.person is not None and len({row[columns.person] for row in rows}) > 1:
        problem = "has a column for the person and none for the frame; add the frame's number, or its time"
        raise file_error(document.path, problem)
    return Frames(np.arange(len(rows), dtype=np.int64))


def identities(columns: Columns, rows: Sequence[Sequence[str]], frame: np.ndarray) -> list[str | None] | None:
    """Who each row is, if the table says so.

    A column `person` that counts the people of every frame from 0 or 1 says only which, not who.
    """
    place = columns.person
    if place is None:
        return None
    found = [identity(_short(row[place])) for row in rows]
    if not any(found):
        return None
    if not columns.identity:
        people: dict[int, set[str | None]] = defaultdict(set)
        for at, one in zip(frame.tolist(), found, strict=True):
            people[at].add(one)
        counted = (
            {str(n) for n in range(start, start + len(one))} == one
            for one in people.values()
            for start in (0, 1)
        )
        both = list(counted)
        if all(both[::2]) or all(both[1::2]):
            return None
    return found


def _short(cell: str) -> str | float:
    """1.0 and 1 are the same person."""
    try:
        value = float(cell)
    except ValueError:
        return cell
    return cell if value != value else value


def first_numbered(document: Document, names: Sequence[str]) -> list[int]:
    """The places of joints with numbers for names, by number. Raises InputError where one is left out."""
    numbers = [int(name) for name in names]
    order = sorted(range(len(names)), key=lambda place: numbers[place])
    start = numbers[order[0]]
    if start > 1 or [numbers[place] for place in order] != list(range(start, start + len(names))):
        shown = one_line(", ".join(names[:8]), 60)
        problem = f"joints numbered {shown} do not count from 0 or 1; name them, or number all"
        raise file_error(document.path, problem)
    return order
