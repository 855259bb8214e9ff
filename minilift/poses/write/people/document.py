"""Lifted people as JSON: one schema for everything, written as it goes. docs/outputs.md has its table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.poses.joint_state import WORDS
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import People, Written, blocks_of, head_of

SCHEMA = {"schema": "minilift people", "version": 1}
"""Its name and version: a key that goes or changes its meaning makes it 2."""

_DIGITS = {"joint_2d": 3, "root_2d": 3, "check": 3, "confidence": 4}  # the others: six, a micrometre


def write_json(path: PathLike, people: People) -> Written:
    """Metadata, then frames, people and joints; NaN is null. Memory does not grow with frames."""

    def fill(file: BinaryIO) -> None:
        start = json.dumps(_metadata(head_of(people)), indent=1)
        file.write(start.removesuffix("\n}").encode() + b',\n "frames": [')
        last: int | None = None
        for block in blocks_of(people):
            for frame, time, person in _people(block):
                if frame == last:
                    file.write(b",\n   " + person)
                else:
                    begin = b"\n" if last is None else b"\n  ]},\n"
                    head = b'  {"frame": %d, "time": %s, "people": [\n   ' % (frame, time)
                    file.write(begin + head + person)
                last = frame
        file.write(b"\n ]}\n" if last is None else b"\n  ]}\n ]\n}\n")

    write_atomically(path, fill)
    return Written((Path(path),))


def _metadata(head: LiftedPeople) -> dict[str, Any]:
    return {
        **SCHEMA,
        "unit": head.unit,
        "axes": head.axes,
        "to_camera": np.asarray(head.to_camera, np.float64).tolist(),
        "fps": head.fps,
        "media": head.media,
        "size": list(head.size) if head.size else None,
        "layout": head.layout,
        "format": head.format,
        "camera": head.camera,
        "stills": head.stills,
        "rays": head.rays,
        "joints": list(COURSE15.joints),
        "parents": list(COURSE15.parents),
        "names": {str(number): name for number, name in head.people.items()},
        "body": {str(number): body for number, body in head.body.items()},
        "notes": list(head.notes),
        "warnings": list(head.warnings),
    }


def _people(block: LiftedPeople) -> Iterator[tuple[int, bytes, bytes]]:
    """The frame, its time and the JSON of every row."""
    columns = {name: _plain(block, name) for name in (
        "root", "joint_3d", "root_2d", "joint_2d", "confidence", "expected_error", "check",
    )}  # fmt: skip
    states = np.array(WORDS)[block.state].tolist()
    unlike = [None] * len(block) if block.unlike is None else block.unlike.tolist()
    frames, people = block.frame.tolist(), block.person.tolist()
    times = _plain(block, "times")
    for row, frame in enumerate(frames):
        person = {
            "person": people[row],
            "unlike": unlike[row],
            **{name: values[row] for name, values in columns.items()},
            "state": states[row],
        }
        yield frame, json.dumps(times[row]).encode(), json.dumps(person, allow_nan=False).encode()


def _plain(block: LiftedPeople, name: str) -> list[Any]:
    """A column as lists of rounded numbers, None for NaN; a list of None where there is none."""
    array = getattr(block, name)
    if array is None:
        return [None] * len(block)
    rounded = np.round(array.astype(np.float64), _DIGITS.get(name, 6))
    if np.isfinite(rounded).all():
        return list(rounded.tolist())
    plain = rounded.astype(object)
    plain[~np.isfinite(rounded)] = None
    return list(plain.tolist())
