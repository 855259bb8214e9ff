"""The files of an evaluation: poses with their metres per unit, and numbers of clips."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.evaluation.evaluate import problem_of_clips
from minilift.files import PathLike, file_error
from minilift.files.npz import read_npy
from minilift.poses.poses import Poses, find_scale, load_poses, load_scale, scale_fits


def load_clips(path: PathLike, n: int) -> np.ndarray:
    """The number of each pose's clip (n,) from a .npy file. Raises InputError naming the file."""
    clips = read_npy(path, "name the .npy file of clip numbers")
    if problem := problem_of_clips(clips, n):
        raise file_error(path, problem)
    return clips


def load_with_scale(path: PathLike) -> tuple[Poses, Path | None]:
    """Poses, and the file of metres per unit next to theirs, if it fits them; if not, a warning.

    Raises InputError naming the file of the poses, also where they have no joint_3d.
    """
    poses, beside = load_poses(path, need_3d=True), find_scale(path)
    if beside is None or poses.joint_3d is None:
        return poses, None
    try:
        scale = load_scale(beside, len(poses))
        fits = scale_fits(poses.joint_3d, scale)
        problem = "" if fits else f"{beside}: legs would differ too much in length"
    except InputError as error:
        problem = str(error)
    if problem:
        print(f"warning: no millimetres, for the scale is of other poses ({problem})", file=sys.stderr)
        return poses, None
    return replace(poses, scale=scale), beside
