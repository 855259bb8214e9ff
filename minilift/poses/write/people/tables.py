"""Lifted people as CSV: wide, a row a person in a frame, or long, a row a joint. docs/outputs.md has both.

Where nothing is known a cell is empty. Numbers have six digits, the micrometre of a metre.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.poses.joint_state import WORDS
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import People, Written, blocks_of, head_of

_JOINTS = LiftedPeople.joint_names
_NUMBER = "%.6g"

WIDE = (
    *("frame", "person", "unit", "axes", "unlike"),
    *(f"root_{axis}" for axis in "xyz"),
    *(f"{joint}_{axis}" for joint in _JOINTS for axis in "xyz"),
    *(f"{joint}_{what}" for what in ("expected_error", "confidence", "state") for joint in _JOINTS),
)
LONG = (
    *("frame", "person", "joint", "x", "y", "z", "unit", "axes"),
    *("expected_error", "confidence", "state", "unlike"),
)


def write_wide(path: PathLike, people: People) -> Written:
    """A row a person in a frame."""
    return _write(path, people, WIDE, _wide)


def write_long(path: PathLike, people: People) -> Written:
    """A row a joint; the mid-hip is the joint `root`."""
    return _write(path, people, LONG, _long)


def _write(
    path: PathLike, people: People, names: tuple[str, ...], lines: Callable[[LiftedPeople], Iterator[str]]
) -> Written:
    def fill(file: BinaryIO) -> None:
        file.write((",".join(names) + "\n").encode())
        for block in blocks_of(people):
            # No other text of a row has these three letters: NaN is an empty cell
            file.write("".join(lines(block)).replace("nan", "").encode())

    head = head_of(people)
    write_atomically(path, fill)
    unknown = head.expected_error is None or head.unlike is None
    told = "expected_error and unlike are empty: not known of these weights"
    return Written((Path(path),), (told,) if unknown else ())


def _wide(block: LiftedPeople) -> Iterator[str]:
    n, states = len(block), np.array(WORDS)[block.state].tolist()
    numbers = np.concatenate([block.root, block.joint_3d.reshape(n, -1), _errors(block), block.confidence], 1)
    text = ",".join([_NUMBER] * numbers.shape[1])
    unit, axes, unlike = block.unit, block.axes, _unlike(block)
    for row in range(n):
        shown = text % tuple(numbers[row].tolist())
        start = f"{block.frame[row]},{block.person[row]},{unit},{axes},{unlike[row]}"
        yield f"{start},{shown},{','.join(states[row])}\n"


def _long(block: LiftedPeople) -> Iterator[str]:
    words, unlike, errors = np.array(WORDS), _unlike(block), _errors(block)
    numbers = np.concatenate([block.joint_3d, errors[..., None], block.confidence[..., None]], axis=2)
    unit, place = f"{block.unit},{block.axes}", ",".join([_NUMBER] * 3)
    for row in range(len(block)):
        start = f"{block.frame[row]},{block.person[row]}"
        yield f"{start},root,{place % tuple(block.root[row].tolist())},{unit},,,,{unlike[row]}\n"
        for joint, (x, y, z, error, sure), state in zip(
            _JOINTS, numbers[row].tolist(), words[block.state[row]].tolist(), strict=True
        ):
            where = f"{place % (x, y, z)},{unit},{_NUMBER % error},{_NUMBER % sure}"
            yield f"{start},{joint},{where},{state},{unlike[row]}\n"


def _errors(block: LiftedPeople) -> np.ndarray:
    known = block.expected_error
    return np.full(block.state.shape, np.nan, np.float32) if known is None else known


def _unlike(block: LiftedPeople) -> list[str]:
    if block.unlike is None:
        return [""] * len(block)
    return ["true" if odd else "false" for odd in block.unlike.tolist()]
