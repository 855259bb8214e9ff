"""The joint_3d of a file of two views: whether it is what view 1 shows."""

from typing import Any

import numpy as np

from minilift.files import PathLike, file_error
from minilift.files.mapped import Points, chunks
from minilift.poses.checks import check_in_front, clean_points, rows
from minilift.poses.layouts import ROOT
from minilift.poses.views.convention import HIPS

OFF = 0.1
"""Of a person's size in the image: the median joint may be off its point by this, or by twice what rays miss
by where images have more noise; in a single row by twice as much."""
FROM_ROOT = 0.1
"""By so much the mid-hip of joint_3d may be off (0, 0, -1)."""


def clean_joints(path: PathLike, value: Any, n: int) -> Points | None:
    """joint_3d (n, 15, 3) of a file, or None. Raises InputError."""
    if value is None:
        return None
    joint_3d = clean_points(path, "joint_3d", value, 3)
    if len(joint_3d) != n:
        problem = f"joint_2d_1 has {n} poses, joint_3d has {len(joint_3d)}"
        raise file_error(path, f"{problem}; store the same poses in both")
    check_in_front(path, joint_3d)
    return joint_3d


def check_joints(path: PathLike, joint_3d: Points, image: Points, miss: float) -> None:
    """Raise InputError for joints that `image` (n, 15, 2) of view 1, at focal length 1, does not show, or
    that are in another unit. `miss` is the median `person_miss` of the file, which tells of its noise."""
    n = len(joint_3d)
    off, root = np.empty(n), np.empty((n, 3))
    for part in chunks(n):
        points, seen = (np.asarray(x[part], np.float64) for x in (joint_3d, image))
        root[part] = points[:, HIPS].mean(axis=1)
        size = np.sqrt((seen**2).sum(axis=2).mean(axis=1))
        apart = np.linalg.norm(points[..., :2] / -points[..., 2:] - seen, axis=2)
        # the median of joints: a detector that errs in a few is no other person
        off[part] = np.median(apart, axis=1) / np.maximum(size, 1e-9)
    most = max(OFF, 2 * miss)
    wrong = np.asarray(off > (most if np.median(off) > most else 2 * most))
    if wrong.any():
        problem = f"joint_3d is not what joint_2d_1 shows in {rows(wrong)}"
        problem += f": x/-z, y/-z is off by {np.median(off[wrong]):.0%} of a person"
        raise file_error(path, f"{problem}; store the people of both in one order, or leave joint_3d out")
    moved = np.asarray(np.abs(root - ROOT).max(axis=1) > FROM_ROOT)
    if moved.any():
        x, y, z = np.median(root[moved], axis=0)
        problem = f"joint_3d has the mid-hip at ({x:.3g}, {y:.3g}, {z:.3g}) in {rows(moved)}"
        raise file_error(path, f"{problem}, expected (0, 0, -1); divide joint_3d by its distance")
