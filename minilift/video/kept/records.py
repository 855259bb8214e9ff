"""A file of what was found, to which a frame is added at a time: a process that is killed loses no more.

A record is its length, its checksum and its bytes. The first one is the JSON of `about`, every other one a
frame with its people. What was written half, at the end, is cut off when the file is gone on with.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.files import PathLike, file_error, os_error

_HEAD = struct.Struct("<II")
_FRAME = struct.Struct("<qdIfII")
_LONGEST = 1 << 26  # bytes of a record; a frame with a thousand people has one


@dataclass(frozen=True)
class Record:
    """What was found in one frame."""

    number: int
    time: float | None
    print: int
    """`fingerprint` of the picture."""
    light: float
    """Mean of its pixels, 0 to 255."""
    people: np.ndarray
    """(n, J, 3) float32: x and y in pixels of the whole picture, NaN where not found, and the score."""
    weight: np.ndarray
    """(n,) float32, NaN where the detector does not say."""
    remembered: bytes = b""
    """What the detector then knew of the frames up to this one."""

    def packed(self) -> bytes:
        time = np.nan if self.time is None else self.time
        counts = len(self.weight), len(self.remembered)
        head = _FRAME.pack(self.number, time, self.print, self.light, *counts) + self.remembered
        return head + self.weight.astype("<f4").tobytes() + self.people.astype("<f4").tobytes()

    @classmethod
    def unpacked(cls, content: bytes) -> Record:
        number, time, seen, light, n, length = _FRAME.unpack_from(content)
        begin = _FRAME.size + length
        values = np.frombuffer(content[begin:], "<f4")
        people = values[n:].reshape(n, -1, 3) if n else np.zeros((0, 0, 3), np.float32)
        known = content[_FRAME.size : begin]
        return cls(number, None if np.isnan(time) else time, seen, light, people, values[:n], known)


class RecordFile:
    """The file that is being written. `count` records are in it, the last of them is `last`."""

    def __init__(self, path: PathLike, file: BinaryIO, about: dict[str, Any]) -> None:
        self.path, self.about = Path(path), about
        self.count = 0
        self.last: Record | None = None
        self._file = file

    @classmethod
    def begin(cls, path: PathLike, about: dict[str, Any]) -> RecordFile:
        """A new file, in place of one that is there. Raises InputError for a place that cannot be written."""
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            made = cls(path, open(path, "wb", buffering=0), about)  # noqa: SIM115
        except OSError as error:
            raise os_error(path, error, "choose a folder that can be written") from None
        made._write(json.dumps(about).encode())
        return made

    @classmethod
    def resume(cls, path: PathLike, about: dict[str, Any]) -> RecordFile:
        """Go on with a file, behind its last whole record.

        Raises InputError where it is not of the same video, detector and frames, or no such file.
        """
        known, end = _about(path)
        if known["of"] != about["of"]:
            other = [name for name in about["of"] if known["of"].get(name) != about["of"][name]]
            problem = f"holds what was found in another run: {', '.join(other)} differ"
            raise file_error(path, f"{problem}; begin anew, or give what it is of")
        count, last = 0, None
        for one in _read(path, end):
            last, end = one
            count += 1
        try:
            os.truncate(path, end)
            found = cls(path, open(path, "ab", buffering=0), about)  # noqa: SIM115
        except OSError as error:
            raise os_error(path, error, "choose a folder that can be written") from None
        found.count, found.last = count, last
        return found

    def append(self, record: Record) -> None:
        """Raises InputError where the system refuses."""
        self._write(record.packed())
        self.last = record
        self.count += 1

    def records(self) -> Iterator[Record]:
        """Those in the file; it goes on when there are more, as often as it is asked."""
        _, end = _about(self.path)
        return (record for record, _ in _read(self.path, end))

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, content: bytes) -> None:
        whole = _HEAD.pack(len(content), zlib.crc32(content)) + content
        try:
            if self._file.write(whole) != len(whole):
                raise OSError(28, "No space left on device")
        except OSError as error:
            raise os_error(self.path, error, "free some space, and go on with resume") from None


def _about(path: PathLike) -> tuple[dict[str, Any], int]:
    """The first record, and where it ends. Raises InputError where there is none."""
    try:
        with open(path, "rb") as file:
            content = _next(file)
        found = json.loads(content or b"")
        if not isinstance(found, dict) or not isinstance(found.get("of"), dict):
            raise ValueError("no object")
        return found, _HEAD.size + len(content or b"")
    except OSError as error:
        raise os_error(path, error, "check the file") from None
    except (ValueError, RecursionError):
        raise file_error(path, "is no file of kept detections; remove it, or begin anew") from None


def _read(path: PathLike, start: int) -> Iterator[tuple[Record, int]]:
    """The whole records from a place on, each with the place where it ends."""
    with open(path, "rb") as file:
        file.seek(start)
        while True:
            content = _next(file)
            if content is None:
                return
            try:
                record = Record.unpacked(content)
            except (struct.error, ValueError):
                return
            yield record, file.tell()


def _next(file: BinaryIO) -> bytes | None:
    """The next record's bytes; None where there is no whole one."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack(head)
    content = file.read(length) if length <= _LONGEST else b""
    return content if len(content) == length and zlib.crc32(content) == checksum else None
