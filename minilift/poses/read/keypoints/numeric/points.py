"""2D points alone: what a lifter is given, with or without the truth, with or without gaps."""

import os
from pathlib import Path
from typing import Any

from minilift.files import PathLike, file_error, one_line, read_bytes
from minilift.files.mapped import Points
from minilift.files.npz import CannotMap, map_npy, read_npy, read_npz
from minilift.poses.checks import clean_points
from minilift.poses.layouts import COURSE15
from minilift.poses.read.course import KEYS_2D, LARGE, files_of, read_keys

FARTHEST = 3.0  # as the median of coordinates: a person who fills the picture of a fisheye has less
REMEDY = "name a file of 2D keypoints: .pkl, .npz or .npy"


def load_points(path: PathLike) -> Points:
    """The 2D points (N, 15, 2) of a pose file, or of a bare array of points; NaN marks a keypoint not seen.

    A pickle or .npz has them under joint_2d_1 or joint_2d; a .npz with one array may call it anything. A .npy
    holds (N, 15, 2), (N, 30), or one pose (15, 2); NAME.npy stands for NAME_2d.npy where only that is there.
    Large float32 arrays stay in their file. Raises InputError naming the file.
    """
    if Path(path).suffix.lower() == ".npy" and Path(path).is_file():
        return clean_points(path, "the array", _one_or_many(_bare(path)), 2, gaps=True)
    if not any(file.exists() for file in files_of(path)):
        raise file_error(path, "no such file; check the name")
    content = read_keys(path)
    key = next((k for k in KEYS_2D if k in content), None)
    if key is None and len(content) == 1:
        (key,) = content
        if content[key] is None:  # the one array of a .npz, which read_keys leaves alone
            content = dict(read_npz(path, read_bytes(path), [key]))
    if key is None:
        found = one_line(", ".join(map(str, list(content)[:8])) or "nothing", 120)
        raise file_error(path, f"no key joint_2d_1, found {found}; name the 2D points joint_2d_1")
    return clean_points(path, str(key), _one_or_many(content[key]), 2, gaps=True)


def _bare(path: PathLike) -> Points:
    if os.stat(path).st_size > LARGE:
        try:
            return map_npy(path, REMEDY)
        except CannotMap:
            pass  # it is read whole, if it is not too large for that
    return read_npy(path, REMEDY)


def _one_or_many(array: Any) -> Any:
    """A single pose (15, 2) or (30,) as one of many."""
    shape = getattr(array, "shape", None)
    return array[None] if shape in ((len(COURSE15), 2), (2 * len(COURSE15),)) else array
