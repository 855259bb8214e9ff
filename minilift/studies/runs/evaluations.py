"""What trained weights are measured on: named pose files, or rows of them, and the errors there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from minilift.errors import ArgumentError
from minilift.evaluation.evaluate import NotFinite, evaluate_lifter
from minilift.evaluation.inputs import load_with_scale
from minilift.evaluation.report import Options
from minilift.files.mapped import crc32
from minilift.lift.build import fingerprint
from minilift.lift.lifter import Lifter
from minilift.poses.info import warn_of_conventions
from minilift.poses.poses import Poses, load_poses

Figures = dict[str, float]

FIGURES = ("mpjpe", "pa_mpjpe", "mpjpe_mm", "pa_mpjpe_mm")  # that a study keeps
# How poses are predicted: as they come, averaged with the mirrored pose, put onto the rays
PREDICTIONS = {"plain": Options(), "flip": Options(flip=True), "project": Options(project=True)}


@dataclass(frozen=True)
class Evaluation:
    """Poses under a name. `key` tells them from others by what they are, wherever their file lies."""

    name: str
    path: str
    rows: slice
    scale: str | None
    key: str

    def load(self) -> Poses:
        return load_poses(self.path, need_3d=True, scale=self.scale).take(self.rows)


def read_evaluation(text: str) -> Evaluation:
    """NAME=FILE, NAME=FILE:START:STOP. A scale file of its name, where there is one, makes millimetres.

    Raises ArgumentError for other words and for rows that the file does not have, and InputError for a file
    that cannot be read.
    """
    found = re.fullmatch(r"(?P<name>[^=]+)=(?P<path>.+?)(?::(?P<start>-?\d*):(?P<stop>-?\d*))?", text)
    if not found:
        raise ArgumentError("eval", text, "give NAME=FILE, or NAME=FILE:START:STOP for some of its rows")
    start, stop = (int(found[end]) if found[end] else None for end in ("start", "stop"))
    rows, path = slice(start, stop), found["path"]
    poses, scale = load_with_scale(path)
    warn_of_conventions(path, poses)
    if not len(range(len(poses))[rows]):
        problem = f"no rows of {len(poses):,}; count from 0, the second is not included"
        raise ArgumentError("eval", text, problem)
    poses = poses.take(rows)
    parts = [*fingerprint(poses), 0 if poses.scale is None else crc32(poses.scale)]
    key = "-".join(f"{part:x}" for part in parts)
    scale_path = None if scale is None else os.path.abspath(scale)
    return Evaluation(found["name"].strip(), os.path.abspath(path), rows, scale_path, key)


def measure(lifter: Lifter, poses: Poses) -> dict[str, Figures] | None:
    """MPJPE and PA-MPJPE of every way to predict, in units and, where the scale is known, in mm (`_mm`).

    None where a prediction is infinite or undefined.
    """
    found = {}
    for name, options in PREDICTIONS.items():
        try:
            figures = evaluate_lifter(lifter, poses, options, bar=False).figures
        except NotFinite:
            return None
        found[name] = {figure: figures[figure] for figure in FIGURES if figure in figures}
    return found
