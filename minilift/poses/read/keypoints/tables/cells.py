"""Cells of a table as numbers, with what is wrong said by row and column."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from minilift.errors import InputError
from minilift.files import file_error, one_line
from minilift.poses.read.keypoints.document import Document

_NOTHING = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "--", "nil", "undefined"})
_NUMBER = re.compile(r"\d+")


def is_number(cell: str) -> bool:
    """Whether a cell is a number, or says that there is none."""
    try:
        float(cell)
    except ValueError:
        return cell.lower() in _NOTHING
    return True


def numbers(
    document: Document, rows: Sequence[Sequence[str]], columns: Sequence[int], first: int
) -> np.ndarray:
    """Columns of rows as an array (rows, columns) float64; NaN for blanks, words for nothing, and infinities.

    `first` is the number of the first of the rows in the table. Raises InputError with row and column.
    """
    found = np.empty((len(rows), len(columns)))
    for i, row in enumerate(rows):
        try:
            found[i] = [float(row[column]) for column in columns]
        except (ValueError, IndexError):
            found[i] = [_number(document, row, column, first + i) for column in columns]
    found[~np.isfinite(found)] = np.nan
    return found


def _number(document: Document, row: Sequence[str], column: int, place: int) -> float:
    if column >= len(row):
        problem = f"row {place + 1} ends after {len(row)} fields; mend or delete that row"
        raise file_error(document.path, problem)
    cell = row[column]
    if cell.lower() in _NOTHING:
        return np.nan
    try:
        return float(cell)
    except ValueError:
        problem = (
            f"row {place + 1}, column {column + 1}: {one_line(cell, 40)!r} is no number; mend that field"
        )
        raise file_error(document.path, problem) from None


def same_length(document: Document, rows: Sequence[Sequence[str]], wanted: int, first: int) -> None:
    """Raise InputError where a row has another number of fields; blank ones at the end do not count."""
    for i, row in enumerate(rows):
        if len(row) != wanted and (len(row) < wanted or any(row[wanted:])):
            problem = f"row {first + i + 1} has {len(row)} fields, the first one {wanted}; mend or delete it"
            raise file_error(document.path, problem)


def refuse_twice(document: Document, column: str) -> None:
    """Raise InputError for a column that is there twice: which of the two is meant can't be known."""
    if column:
        raise file_error(document.path, f"column {one_line(column, 40)!r} is there twice; keep one of them")


def frame_numbers(document: Document, cells: Sequence[str], first: int, column: int) -> np.ndarray:
    """Cells that say the frame as int64: whole numbers, or the last number in each text, such as img_07.png.

    `column` is where they stand, for messages. Raises InputError with the row of one that has no number, or
    that is a fraction: the digits after its point would make one frame of several.
    """
    found = np.empty(len(cells), np.int64)
    for i, cell in enumerate(cells):
        try:
            value = float(cell)
            if value % 1 and np.isfinite(value):
                problem = f"row {first + i + 1}, column {column + 1}: {one_line(cell, 40)!r}"
                remedy = "number the frames 0, 1, 2, or name that column time if it has seconds"
                raise file_error(document.path, f"{problem} is no whole number, as frames have; {remedy}")
            found[i] = int(value) if value == int(value) and abs(value) < 2**53 else _last_number(cell)
        except InputError:
            raise
        except (ValueError, OverflowError):
            try:
                found[i] = _last_number(cell.rpartition(".")[0] or cell)
            except ValueError:
                problem = f"row {first + i + 1}: {one_line(cell, 40)!r} says no frame; write its number there"
                raise file_error(document.path, problem) from None
    return found


def _last_number(cell: str) -> int:
    digits = _NUMBER.findall(cell)
    if not digits or len(digits[-1]) > 15:
        raise ValueError(cell)
    return int(digits[-1])
