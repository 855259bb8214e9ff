"""Lifted people on their way to a file: in memory, or on disk where they are too many for it."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, os_error
from minilift.files.mapped import chunks
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople

AT_ONCE = 1 << 12
"""Rows that are in memory at a time: 2 MB of numbers, and some 7 MB of text."""

JOINTS = len(COURSE15)
COLUMNS: dict[str, tuple[str, tuple[int, ...]]] = {
    "joint_3d": ("<f4", (JOINTS, 3)),
    "root": ("<f4", (3,)),
    "joint_2d": ("<f4", (JOINTS, 2)),
    "root_2d": ("<f4", (2,)),
    "frame": ("<i8", ()),
    "person": ("<i8", ()),
    "confidence": ("<f4", (JOINTS,)),
    "state": ("|u1", (JOINTS,)),
    "expected_error": ("<f4", (JOINTS,)),
    "unlike": ("|b1", ()),
    "check": ("<f4", ()),
    "times": ("<f8", ()),
}
"""Every array of LiftedPeople, with its type and the shape of a row."""

OPTIONAL = ("expected_error", "unlike", "check", "times")

_ALIKE = (
    *("axes", "unit", "layout", "format", "fps", "size", "stills", "rays", "camera", "media"),
    *OPTIONAL,  # there, or not
)


@dataclass(frozen=True)
class Written:
    """What a writer wrote, and what is to be known about it, a line each."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class PeopleSpool:
    """People who come in blocks: on disk, in files without names, so that memory does not grow with them.

    What goes wrong on the way is told of `output`, the file that they are for.
    """

    def __init__(self, directory: PathLike, output: PathLike = "") -> None:
        self.n = 0
        self._head: LiftedPeople | None = None
        self._named = output or os.path.abspath(directory)
        self._files: dict[str, Any] = {}
        self._directory = directory

    def __len__(self) -> int:
        return self.n

    @property
    def head(self) -> LiftedPeople:
        """All that is no array, with arrays of no rows. Raises ArgumentError before the first block."""
        if self._head is None:
            raise ArgumentError("people", "none", "no block of people was added")
        return self._head

    def add(self, block: LiftedPeople) -> None:
        """The next rows. Raises ArgumentError where a block is in other axes, another unit or the like."""
        head = typed(block.take(slice(0, 0)))
        if self._head is None:
            self._head = head
            self._open([name for name in COLUMNS if getattr(head, name) is not None])
        else:
            self._head = _joined(self._head, head)
        for name, file in self._files.items():
            try:
                file.write(np.ascontiguousarray(getattr(block, name), COLUMNS[name][0]).tobytes())
            except OSError as error:
                raise os_error(self._named, error, "free some space") from None
        self.n += len(block)

    def blocks(self) -> Iterator[LiftedPeople]:
        """The people in order, AT_ONCE rows at a time."""
        for rows in chunks(self.n, AT_ONCE):
            yield self._rows(rows)

    def column(self, name: str) -> Iterator[np.ndarray]:
        """One array of theirs, AT_ONCE rows at a time."""
        return (self._read(name, rows) for rows in chunks(self.n, AT_ONCE))

    def whole(self) -> LiftedPeople:
        """All of them in memory."""
        return self._rows(slice(0, self.n))

    def _rows(self, rows: slice) -> LiftedPeople:
        arrays: dict[str, Any] = {name: self._read(name, rows) for name in self._files}
        return replace(self.head, **arrays)

    def _open(self, names: list[str]) -> None:
        try:
            os.makedirs(self._directory, exist_ok=True)
            for name in names:
                import tempfile  # only for a clip too large for memory

                self._files[name] = file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115
                weakref.finalize(self, file.close)
        except OSError as error:
            raise os_error(self._named, error, "choose a folder that can be written") from None

    def _read(self, name: str, rows: slice) -> np.ndarray:
        kind, row = COLUMNS[name]
        found = np.empty((rows.stop - rows.start, *row), kind)
        file = self._files[name]
        file.seek(rows.start * math.prod(row) * found.itemsize)
        if found.size:  # a view of nothing cannot be cast
            file.readinto(found.data.cast("B"))
        file.seek(0, os.SEEK_END)
        return found


People = LiftedPeople | PeopleSpool


def head_of(people: People) -> LiftedPeople:
    """All that is no array, with arrays of no rows."""
    return people.head if isinstance(people, PeopleSpool) else typed(people.take(slice(0, 0)))


def blocks_of(people: People) -> Iterator[LiftedPeople]:
    """The people in order, AT_ONCE rows at a time."""
    if isinstance(people, PeopleSpool):
        return people.blocks()
    return (typed(people.take(rows)) for rows in chunks(len(people), AT_ONCE))


def column_of(people: People, name: str) -> Iterator[np.ndarray]:
    """One array of theirs, AT_ONCE rows at a time."""
    if isinstance(people, PeopleSpool):
        return people.column(name)
    array = np.asarray(getattr(people, name), COLUMNS[name][0])
    return (array[rows] for rows in chunks(len(people), AT_ONCE))


def whole_of(people: People) -> LiftedPeople:
    return people.whole() if isinstance(people, PeopleSpool) else typed(people)


def typed(people: LiftedPeople) -> LiftedPeople:
    """The same with the types of COLUMNS."""
    arrays: dict[str, Any] = {}
    for name, (kind, _) in COLUMNS.items():
        array = getattr(people, name)
        arrays[name] = None if array is None else np.asarray(array, kind)
    return replace(people, **arrays)


def _joined(first: LiftedPeople, then: LiftedPeople) -> LiftedPeople:
    for name in _ALIKE:
        was, now = getattr(first, name), getattr(then, name)
        if isinstance(was, np.ndarray) or isinstance(now, np.ndarray):
            was, now = was is not None, now is not None
        if was != now:
            raise ArgumentError(name, str(now), f"the blocks of people before this one have {was}")
    return replace(
        first,
        people={**first.people, **then.people},
        body={**first.body, **then.body},
        notes=tuple(dict.fromkeys((*first.notes, *then.notes))),
        warnings=tuple(dict.fromkeys((*first.warnings, *then.warnings))),
    )
