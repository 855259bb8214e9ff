"""Cross-entropy of classes."""

from __future__ import annotations

from typing import Any

from minilift.nn.losses.base import Loss
from minilift.ops import Array, Ops


class CrossEntropy(Loss):
    """How surprised a classifier is by the true classes: the mean of -log softmax(pred)[target].

    pred (..., classes), raw scores (logits); target (...), whole numbers from 0 to classes - 1. Of n rows:

        loss    = 1/n sum_i (log sum_k exp(pred_ik) - pred_i,target_i)
        grad_ik = (softmax(pred_i)_k - [k = target_i]) / n

    The largest score of a row is taken off first, so no exponential overflows. As
    torch.nn.CrossEntropyLoss, which for more than two axes wants the classes in the second.

    Raises ValueError for a target of another shape, of fractions, or out of range. The range is looked at
    wherever that does not make a device wait: on the CPU, for targets that come from the host, and where
    no `total` is given. Inside a step on a GPU it is not; a target out of range then makes loss and
    gradient NaN.
    """

    name = "cross_entropy"

    def checked(self, pred: Array, target: Any, ops: Ops, wait: bool) -> Array:
        return class_targets(self.name, pred, target, ops, wait)


def class_targets(name: str, pred: Array, target: Any, ops: Ops, wait: bool) -> Array:
    """target as an index array of `ops`, a class for each row of pred, checked as `CrossEntropy` says."""
    if not hasattr(target, "dtype"):
        target = ops.to_host(target)
    if pred.ndim < 2 or tuple(target.shape) != tuple(pred.shape[:-1]):
        raise ValueError(
            f"{name}: pred {tuple(pred.shape)} and target {tuple(target.shape)} must be (..., classes) and "
            "(...), a class for each row"
        )
    if target.dtype.kind not in "iub":
        raise ValueError(
            f"{name}: target must be whole numbers, the classes, got {target.dtype} (Batches "
            "of more than one axis keep them with classes=True)"
        )
    index = ops.asindex(target)
    if wait or ops.device == "cpu" or index is not target:  # it is on the host, or the device is waited for
        check_range(name, target, pred.shape[-1], ops)
    return index


def check_range(name: str, target: Any, classes: int, ops: Ops) -> None:
    """Raises ValueError unless all of target lies from 0 to classes - 1; waits for the device."""
    host = target if ops.device == "cpu" else ops.to_host(target)
    if host.size and (host.min() < 0 or host.max() >= classes):
        raise ValueError(
            f"{name}: target has classes from {host.min()} to {host.max()}, where pred has {classes}: "
            f"they must be from 0 to {classes - 1}"
        )
