"""People seen by one camera as rows for training."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.lift.model import LiftModel
from minilift.lift.weak.labels import more_often
from minilift.ops import Array, Ops
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import Poses
from minilift.train.batches import Batches

TRUTH = slice(0, 3 * len(COURSE15))
LABEL = slice(TRUTH.stop, TRUTH.stop + 1)
SIDES, AGAIN = 2, 3  # streams of random numbers


def mirrored(points: np.ndarray) -> np.ndarray:
    """Points (n, 15, 2 or 3) of the same people in a mirror: x negated, left and right exchanged."""
    sign = np.array([-1, 1, 1], points.dtype)
    return np.asarray(points[:, list(COURSE15.mirror)] * sign[: points.shape[2]])


class OneViewBatches(Batches):
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
        if not len(poses):
            raise InputError("the data holds no poses; training and evaluation need some")
        if labels is not None and not truth:
            raise InputError("labels are joint_3d, and not all of the data have it; give data with joint_3d")
        if model.head != "ray" or model.input_nodes != 2 * len(COURSE15):
            problem = f"head {model.head!r} and {model.input_nodes} inputs"
            raise InputError(f"{problem}: one view trains depths on rays; use LiftModel(head='ray')")
        self.count, self.flip, self.labels = len(poses), flip, labels
        self.others: np.ndarray | None = None  # images (m, 30) to look at as well, where these are too few
        both = [np.asarray(poses.joint_2d), np.asarray(poses.joint_3d) if truth else None]
        x, y = (self._rows(points) for points in both)
        if labels is not None:
            column = np.resize(labels, len(y)).astype(y.dtype)  # once more for those in the mirror
            y = np.concatenate([y, column[:, None]], axis=1)
        super().__init__(x, x if y is None else y, min(size, self.count), model.seed)

    def _rows(self, points: Any) -> Any:
        if points is None:
            return None
        points = np.concatenate([points, mirrored(points)]) if self.flip else points
        return points.reshape(len(points), -1)

    def __len__(self) -> int:
        return self.count

    def order(self, epoch: int, ops: Ops) -> Array:
        order = super().order(epoch, ops)
        if self.labels is not None:
            order = more_often(order, self.labels, ops.generator((self.seed, epoch, AGAIN)))
        if self.flip:  # the mirror images lie behind
            sides = ops.generator((self.seed, epoch, SIDES)).random(self.count)
            order = order + self.count * (sides < self.flip)
        return order
