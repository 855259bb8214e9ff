"""The course's own files, as keypoints: rays of a camera with focal length 1, y up, of unrelated poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minilift.files import PathLike
from minilift.poses.layouts import COURSE15
from minilift.poses.read.course import KEYS_2D
from minilift.poses.read.keypoints.document import NPY, NPZ, PICKLE, Document
from minilift.poses.read.keypoints.numeric.npz import names_of
from minilift.poses.read.keypoints.numeric.points import FARTHEST, load_points
from minilift.poses.read.keypoints.raw import RAYS, Asked, Raw

_JOINTS = len(COURSE15)
_LOOKED_AT = 4096  # rows


def is_course(document: Document) -> bool:
    if document.kind == NPZ:
        return any(key in KEYS_2D for key in names_of(document)) and "axes" not in names_of(document)
    if document.kind == PICKLE:
        return document.path.suffix.lower() != ".pk"
    return document.kind == NPY and looks_like_rays(document.array)


def looks_like_rays(array: np.ndarray) -> bool:
    """Whether an array is of the course's form, and its numbers too small for pixels, of both signs."""
    formed = array.shape[-2:] == (_JOINTS, 2) or array.shape[-1:] == (2 * _JOINTS,)
    if array.dtype.kind != "f" or not formed:
        return False
    known = np.asarray(array.reshape(-1, 2 * _JOINTS)[:_LOOKED_AT])
    known = known[np.isfinite(known)]
    return bool(len(known)) and float(np.median(np.abs(known))) <= FARTHEST and bool((known < 0).any())


def read_course(document: Document, asked: Asked) -> Raw:
    return rays(load_points(document.path)[:])


def rays(points: np.ndarray, first: int = 0) -> Raw:
    """Points (n, 15, 2), the rows of a file from `first` on; NaN is missing."""
    frame = np.arange(first, first + len(points), dtype=np.int64)
    return Raw(np.asarray(points, np.float64), frame, layout=COURSE15.name, unit=RAYS, stills=True)


def stands_for(path: PathLike) -> PathLike:
    """NAME_2d.npy for a NAME.npy that is not there; otherwise the path itself."""
    given = Path(path)
    pair = given.with_name(f"{given.stem}_2d.npy")
    return pair if given.suffix.lower() == ".npy" and not given.exists() and pair.is_file() else path
