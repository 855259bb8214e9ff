"""What a network is judged by, where that is not its loss."""

from __future__ import annotations

from typing import Any

from minilift.nn.losses.base import ops_of
from minilift.nn.losses.cross_entropy_loss import class_targets
from minilift.ops import Array, Ops


def accuracy(pred: Array, target: Array, ops: Ops | None = None, total: Array | None = None) -> Any:
    """The share of rows whose largest score is that of the true class; of equal scores the first counts.

    pred (..., classes), target (...) whole numbers, checked as `CrossEntropy` does. With `total` (a float64
    array of one element on the device) the share is added to it, without allocating or waiting, and `total`
    is returned; without, a float.
    """
    ops = ops or ops_of(pred)
    pred = ops.asarray(pred)
    index = class_targets("accuracy", pred, target, ops, wait=total is None)
    if pred.size == 0:
        raise ValueError(f"accuracy: pred {tuple(pred.shape)} is empty")
    added = ops.zeros((1,), dtype="float64") if total is None else total
    ops.accuracy(pred, index, added)
    return float(ops.to_host(added)[0]) if total is None else total
