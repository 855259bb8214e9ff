"""What an evaluation finds out about trust: how far the lifter's word on its own errors holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.evaluation.calibration import Calibration
from minilift.files import PathLike
from minilift.files.mapped import Points, Spool
from minilift.lift.lifter import Lifter
from minilift.lift.trust import trust_path
from minilift.lift.trust.expected import LEVEL, LEVELS
from minilift.lift.trust.familiarity import RATE
from minilift.poses.layouts import JOINTS
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses


class Judged:
    """Judges predictions part by part; `result` has the figures, `arrays` what is kept of each pose.

    `n` poses are to come. `plain` says that they are predicted without options: it is plain predictions whose
    errors the trust was learned on, so that others are made again, plainly. `keep` is the file that what is
    kept is for, None to keep nothing.
    """

    def __init__(self, lifter: Lifter, n: int, plain: bool, keep: PathLike | None = None) -> None:
        self.lifter, self.plain, self.calibration = lifter, plain, Calibration(n)
        self.expected = None if keep is None else Spool(Path(keep).parent, (len(JOINTS),), keep)
        self.scores: list[np.ndarray] = []

    def add(self, poses: Poses, joint_3d: np.ndarray) -> None:
        """A part of the poses, with its truth, and what the lifter predicted for it (n, 15, 3)."""
        points = np.asarray(poses.joint_2d)
        found = self.lifter.trust(points, joint_3d if self.plain else None)
        errors = joint_errors(joint_3d, np.asarray(poses.joint_3d))
        interval = found.expected_error, found.low, found.high
        seen, known, held = ~np.isnan(points).any(axis=2), self.lifter.trust_model, {}
        for level in LEVELS:
            low, high = known.interval(found, seen, level)
            held[level] = int(((low <= errors) & (errors <= high)).sum())
        self.calibration.add(*interval, found.unlike, errors, poses.scale, held)
        if self.expected is not None:
            self.expected.append(found.expected_error)
            self.scores.append(np.stack([found.distance, found.percentile]).astype(np.float32))

    def result(self) -> dict[str, Any]:
        """The figures of docs/trust.md."""
        return {"rate": RATE, "level": LEVEL} | self.calibration.result()

    def arrays(self) -> dict[str, Points]:
        """expected_error (N, 15) in units, distance (N,), percentile (N,), where they were to be kept."""
        if self.expected is None:
            return {}
        distance, percentile = np.concatenate(self.scores, axis=1)
        return {"expected_error": self.expected.rows(), "distance": distance, "percentile": percentile}


def no_trust(lifter: Lifter) -> str | None:
    """None where a lifter says how far to trust it. Else why its trust file is of no use, "" without one."""
    try:
        _ = lifter.trust_model
    except InputError as problem:
        there = lifter.weights is not None and trust_path(lifter.weights).exists()
        return str(problem) if there else ""
    return None
