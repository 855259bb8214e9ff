"""Kept detections as arrays: of some frames, to be lifted, and of all of them as NAME_2d.npz."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, cast

import numpy as np

from minilift.files import PathLike, read_bytes, write_atomically
from minilift.files.npz import read_npz, write_npy
from minilift.poses.read.keypoints.numeric.kept import KEYS
from minilift.video.kept.records import Record, RecordFile

_AT_ONCE = 1000  # frames that are in memory

_OF_RECORDS: dict[str, Callable[[Record], Any]] = {
    "keypoints": lambda record: record.people[..., :2],
    "scores": lambda record: record.people[..., 2],
    "weight": lambda record: record.weight,
    "frame": lambda record: np.full(len(record.weight), record.number),
    "frames": lambda record: [record.number],
    "times": lambda record: [np.nan if record.time is None else record.time],
}
"""How every array comes about, record by record."""


def arrays_of(
    about: dict[str, Any], records: Sequence[Record], notes: Sequence[str] = (), warnings: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Arrays by the names of KEYS."""
    columns = {name: _column(about, name, records) for name in _OF_RECORDS}
    return {**columns, **_settings(about, True, notes, warnings)}


def write_kept(
    path: PathLike, file: RecordFile, complete: bool, notes: Sequence[str] = (), warnings: Sequence[str] = ()
) -> None:
    """NAME_2d.npz of all records, some in memory at a time. Raises InputError as `write_atomically`."""
    total = sum(len(record.weight) for record in file.records())

    def fill(out: BinaryIO) -> None:
        with zipfile.ZipFile(out, "w") as archive:
            for name in _OF_RECORDS:
                n = file.count if name in ("frames", "times") else total
                _write_column(archive, name, n, file)
            for name, value in _settings(file.about, complete, notes, warnings).items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                    write_npy(member, value)

    write_atomically(path, fill)


def is_complete(path: PathLike, about: dict[str, Any]) -> bool:
    """Whether a NAME_2d.npz holds all that would be found now. Raises InputError for one that is broken."""
    read_bytes(path, first=1)
    found = read_npz(path, None, ["kept"])
    try:
        kept = json.loads(str(found["kept"]))
        return bool(kept["complete"]) and kept["of"] == about["of"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return False


def _column(about: dict[str, Any], name: str, records: Sequence[Record]) -> np.ndarray:
    row = _row(about, name)
    parts = [np.asarray(_OF_RECORDS[name](record), KEYS[name]) for record in records]
    parts = [part.reshape(-1, *row) for part in parts if part.size]
    return np.concatenate([np.zeros((0, *row), KEYS[name]), *parts])


def _row(about: dict[str, Any], name: str) -> tuple[int, ...]:
    joints = len(about["of"]["joints"])
    return {"keypoints": (joints, 2), "scores": (joints,)}.get(name, ())


def _write_column(archive: zipfile.ZipFile, name: str, n: int, file: RecordFile) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
        header = {"descr": KEYS[name], "fortran_order": False, "shape": (n, *_row(file.about, name))}
        np.lib.format.write_array_header_1_0(cast(BinaryIO, member), header)
        for records in _some(file.records()):
            member.write(_column(file.about, name, records).tobytes())


def _some(records: Iterator[Record]) -> Iterator[list[Record]]:
    while part := list(islice(records, _AT_ONCE)):
        yield part


def _settings(
    about: dict[str, Any], complete: bool, notes: Sequence[str], warnings: Sequence[str]
) -> dict[str, np.ndarray]:
    def number(name: str) -> np.ndarray:
        return np.array(np.nan if about[name] is None else about[name], "<f8")

    return {
        "joint_names": np.array(about["of"]["joints"]),
        "size": np.array(about["size"], "<i8"),
        "fps": number("fps"),
        "focal": number("focal"),
        "focal_source": np.array(about["focal_source"]),
        "media": np.array(about["media"]),
        "detector": np.array(about["of"]["detector"]),
        "kept": np.array(json.dumps({"of": about["of"], "complete": complete})),
        "notes": np.array(list(notes), "U" if notes else "<U1"),
        "warnings": np.array(list(warnings), "U" if warnings else "<U1"),
    }
