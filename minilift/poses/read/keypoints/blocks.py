"""Keypoints of arrays larger than memory should hold: read a few thousand rows at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike
from minilift.files.mapped import MappedRows, chunks
from minilift.files.npz import CannotMap, map_npy, map_npz, npz_names
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.read.course import KEYS_2D
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.numeric import course, kept
from minilift.poses.read.keypoints.numeric.npz import KEYPOINTS, SCORES
from minilift.poses.read.keypoints.numeric.plain import of_array
from minilift.poses.read.keypoints.raw import UNITS, Asked, Raw
from minilift.poses.read.keypoints.settle.assemble import assemble

LARGE = 16 << 20
"""Bytes: a smaller file is one block."""
ROWS = 16384


@dataclass(frozen=True)
class _Array:
    """An array that stays in its file, what it holds, and its scores where they are another array."""

    format: str
    places: MappedRows
    scores: MappedRows | None = None

    @property
    def course(self) -> bool:
        return self.format == "course"


def load_blocks(path: PathLike, asked: Asked | None = None, rows: int = ROWS) -> Iterator[Keypoints]:
    """The keypoints of a file in order, `rows` frames at a time, where it is a large array; else all at once.

    That is one of float32 in C order, in a .npy or an uncompressed .npz of more than LARGE bytes: MoveNet's
    and VideoPose3D's are read whole. What the first block shows (layout, pixels or fractions, scores or none)
    holds for all. Raises InputError as `load_keypoints`; of a later block, when it is reached.
    """
    asked = asked or Asked()
    path = course.stands_for(path)
    array = _mapped(path)
    if array is None:
        yield load_keypoints(path, asked)
        return
    first: Keypoints | None = None
    scored = False
    for part in chunks(len(array.places), rows):
        raw = _block(path, array, part, asked)
        if first is None:
            scored = raw.score is not None
        if scored and raw.score is None:
            raw.score = np.zeros(raw.xy.shape[:2])
        raw.score = raw.score if scored else None
        if first is not None and _nobody(raw):
            continue
        found = assemble(raw, path, array.format, asked)
        if first is None:
            unit = raw.unit if raw.unit in UNITS else None  # as it was settled, for all blocks
            first, asked = found, replace(asked, layout=asked.layout or found.layout.name, unit=unit)
        yield found


def kept_keypoints(
    path: PathLike, asked: Asked | None = None, rows: int = kept.ROWS
) -> Iterator[Keypoints] | None:
    """The same of a file in which minilift kept what it found in a video, at least `rows` detections at a
    time; None for any other file, also one that is broken: `load_keypoints` says how."""
    if Path(path).suffix.lower() != ".npz":
        return None
    try:
        parts = kept.kept_blocks(path, rows)
    except (CannotMap, InputError, OSError):
        return None
    return None if parts is None else with_people(parts, path, asked or Asked())


def with_people(parts: Iterator[Raw], path: PathLike, asked: Asked) -> Iterator[Keypoints]:
    """Keypoints of the parts of a clip that has people; parts without any are left out."""
    return (assemble(part, path, kept.FORMAT, asked) for part in parts if len(part.xy))


def _nobody(raw: Raw) -> bool:
    missing = np.isnan(raw.xy).any(axis=2)
    return bool((missing if raw.missing is None else missing | raw.missing).all())


def _block(path: PathLike, array: _Array, part: slice, asked: Asked) -> Raw:
    places = array.places[part]
    if array.course:
        return course.rays(places.reshape(len(places), -1, 2), part.start)
    scores = None if array.scores is None else array.scores[part]
    raw = of_array(path, places, asked, scores)
    raw.frame += part.start
    raw.frames = raw.frames if raw.frames is None else raw.frames + part.start
    return raw


def _mapped(path: PathLike) -> _Array | None:
    """The array of a large file, left there; None for any other file."""
    try:
        if Path(path).suffix.lower() not in (".npy", ".npz") or os.stat(path).st_size <= LARGE:
            return None
        if Path(path).suffix.lower() == ".npy":
            places = map_npy(path)
            rays = course.looks_like_rays(places[:ROWS]) and places.ndim in (2, 3)
            return _fitting(_Array("course" if rays else "npy", places))
        return _of_npz(path)
    except (CannotMap, InputError, OSError):
        return None  # load_keypoints reads it, or says what is wrong with it


def _of_npz(path: PathLike) -> _Array | None:
    names = npz_names(path)
    key = next((name for name in KEYS_2D if name in names), None)
    if key is not None and "axes" not in names:
        places = map_npz(path, [key])[key]
        return None if places is None else _fitting(_Array("course", places))
    key = next((name for name in KEYPOINTS if name in names), None)
    if key is None or {"boxes", "positions_2d"} & set(names):
        return None
    beside = next((name for name in SCORES if name in names), None)
    found = map_npz(path, [key] if beside is None else [key, beside])
    places, scores = found[key], None if beside is None else found[beside]
    if places is None or (scores is not None and scores.shape != places.shape[:-1]):
        return None
    format = "npz" if beside is None or key != "keypoints" else "npz-keypoints-scores"
    return _fitting(_Array(format, places, scores))


def _fitting(array: _Array) -> _Array | None:
    """An array whose first axis is that of frames, and no other form."""
    shape = array.places.shape
    if array.course:
        return array if shape[1:] in ((len(COURSE15), 2), (2 * len(COURSE15),)) else None
    movenet = shape[-4:] == (1, 1, 17, 3) or (len(shape) == 3 and shape[-1] == 56)
    cameras = len(shape) == 4 and shape[1] > shape[0]
    return None if movenet or cameras or len(shape) not in (2, 3, 4) or shape[0] < 2 else array
