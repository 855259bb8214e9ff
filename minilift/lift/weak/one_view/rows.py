"""People seen by one camera as rows for training."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.lift.model import LiftModel
from minilift.lift.weak.batches import WeakBatches, check_people, mirrored
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import Poses

TRUTH = slice(0, 3 * len(COURSE15))
LABEL = slice(TRUTH.stop, TRUTH.stop + 1)


class OneViewBatches(WeakBatches):
    """Batches of images x (n, 30), in training mirrored with the probability `flip`. y is the joints (n, 45)
    where `truth` asks for them, to report errors by, else x again. With `labels` (n,) bool it is TRUTH, which
    is learned from where LABEL is 1, and in training these poses are seen `more_often`.

    Raises InputError for no people, a model that does not put the course's joints on rays, and labels without
    truth.
    """

    def __init__(
        self, poses: Poses, model: LiftModel, size: int, *, truth: bool, flip: float = 0.0,
        labels: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        check_people(len(poses), model, truth, labels)
        self.flip = flip
        self.others: np.ndarray | None = None  # images (m, 30) to look at as well, where these are too few
        both = [np.asarray(poses.joint_2d), np.asarray(poses.joint_3d) if truth else None]
        x, y = (self._rows(points) for points in both)
        if labels is not None:
            column = np.resize(labels, len(y)).astype(y.dtype)  # once more for those in the mirror
            y = np.concatenate([y, column[:, None]], axis=1)
        super().__init__(len(poses), x, x if y is None else y, size, model.seed, flip=flip, labels=labels)

    def _rows(self, points: Any) -> Any:
        if points is None:
            return None
        points = np.concatenate([points, mirrored(points)]) if self.flip else points
        return points.reshape(len(points), -1)
