"""Binary cross-entropy of logits."""

from __future__ import annotations

from typing import Any

from minilift.nn.losses.base import Loss
from minilift.nn.losses.cross_entropy_loss import class_targets
from minilift.ops import Array, Ops


class BCEWithLogits(Loss):
    """Of each score by itself: how surprised a yes-or-no classifier is. The mean over all elements.

    pred of any shape, raw scores (logits); target of the same shape, from 0 (no) to 1 (yes); or classes (...)
    for pred (..., classes), as for `CrossEntropy`: then it is 1 at a row's class and 0 elsewhere.

        loss = mean of max(x, 0) - x t + log(1 + exp(-|x|))     for x = pred, t = target
        grad = (1/(1 + exp(-x)) - t) / size

    No exponential overflows. As torch.nn.BCEWithLogitsLoss. Raises ValueError as `CrossEntropy` does.
    """

    name = "bce_with_logits"

    def checked(self, pred: Array, target: Any, ops: Ops, wait: bool) -> Array:
        target = target if hasattr(target, "dtype") else ops.to_host(target)
        if tuple(target.shape) == tuple(pred.shape):
            return super().checked(pred, target, ops, wait)
        return class_targets(self.name, pred, target, ops, wait)
