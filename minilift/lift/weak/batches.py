"""What batches of people without 3D have in common: mirror images, and some people with labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.lift.model import LiftModel
from minilift.lift.weak.labels import more_often
from minilift.ops import Ops
from minilift.poses.layouts import COURSE15
from minilift.train.batches import Augment, Batches

SIDES, AGAIN = 2, 3  # streams of random numbers


def mirrored(points: Any) -> np.ndarray:
    """Points (n, 15, 2 or 3) of the same people in a mirror: x negated, left and right exchanged."""
    points = np.asarray(points)
    sign = np.array([-1, 1, 1], points.dtype)
    return np.asarray(points[:, list(COURSE15.mirror)] * sign[: points.shape[2]])


def check_people(count: int, model: LiftModel, truth: bool, labels: np.ndarray | None) -> None:
    """Raise InputError for no people, a model that does not put the course's joints on rays, and labels
    without `truth`, which says whether joint_3d of all people is there."""
    if not count:
        raise InputError("the data holds no poses; training and evaluation need some")
    if labels is not None and not truth:
        raise InputError("labels are joint_3d, and not all of the data have it; give data with joint_3d")
    if model.head != "ray" or model.input_nodes != 2 * len(COURSE15):
        problem = f"head {model.head!r} and {model.input_nodes} inputs"
        raise InputError(f"{problem}: without 3D depths on rays are trained; use LiftModel(head='ray')")


class WeakBatches(Batches):
    """Batches of `count` people, whose rows x and y are followed, with `flip`, by those of their mirror
    images: each is mirrored in training with that probability. `labels` (n,) bool are the people whose
    joint_3d is learned from; in training they are seen `more_often`."""

    def __init__(
        self, count: int, x: Any, y: Any, size: int, seed: int, augment: Augment | None = None, *,
        flip: float = 0.0, labels: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.count, self.flip, self.labels = count, flip, labels
        super().__init__(x, y, min(size, count), seed, augment)

    def __len__(self) -> int:
        return self.count

    def order(self, epoch: int, ops: Ops) -> Any:
        order = super().order(epoch, ops)
        if self.labels is not None:
            order = more_often(order, self.labels, ops.generator((self.seed, epoch, AGAIN)))
        if self.flip:  # the mirror images lie behind
            sides = ops.generator((self.seed, epoch, SIDES)).random(self.count)
            order = order + self.count * (sides < self.flip)
        return order
