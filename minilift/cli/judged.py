"""What eval.py finds out about trust: how far the lifter's word on its own errors holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.evaluation.calibration import Calibration
from minilift.files.mapped import Points, Spool
from minilift.lift.lifter import Lifter
from minilift.lift.trust import trust_path
from minilift.lift.trust.expected import LEVEL
from minilift.lift.trust.familiarity import RATE
from minilift.poses.layouts import JOINTS
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses


class Judged:
    """Judges predictions part by part; `result` has the figures, `arrays` what --save keeps of each pose.

    `n` poses are to come. `plain` says that they are predicted without options: it is plain predictions whose
    errors the trust was learned on, so that others are made again, plainly.
    """

    def __init__(self, lifter: Lifter, n: int, plain: bool, save: str | None) -> None:
        self.lifter, self.plain, self.calibration = lifter, plain, Calibration(n)
        self.expected = Spool(Path(save).parent, (len(JOINTS),)) if save else None
        self.scores: list[np.ndarray] = []

    def add(self, poses: Poses, joint_3d: np.ndarray) -> None:
        points = np.asarray(poses.joint_2d)
        found = self.lifter.trust(points, joint_3d if self.plain else None)
        errors = joint_errors(joint_3d, np.asarray(poses.joint_3d))
        interval = found.expected_error, found.low, found.high
        self.calibration.add(*interval, found.unlike, errors, poses.scale)
        if self.expected is not None:
            self.expected.append(found.expected_error)
            self.scores.append(np.stack([found.distance, found.percentile]).astype(np.float32))

    def result(self) -> dict[str, Any]:
        return {"rate": RATE, "level": LEVEL} | self.calibration.result()

    def arrays(self) -> dict[str, Points]:
        if self.expected is None:
            return {}
        distance, percentile = np.concatenate(self.scores, axis=1)
        return {"expected_error": self.expected.rows(), "distance": distance, "percentile": percentile}


def judged(lifter: Lifter, n: int, plain: bool, save: str | None) -> Judged | None:
    """A Judged, where the weights have a trust file. One that is of no use gets a warning of one line."""
    assert lifter.weights is not None
    if not trust_path(lifter.weights).exists():
        return None
    try:
        _ = lifter.trust_model
    except InputError as problem:
        print(f"warning: {problem}", file=sys.stderr)
        return None
    return Judged(lifter, n, plain, save)
