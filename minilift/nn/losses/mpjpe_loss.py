"""Mean per-joint position error."""

from __future__ import annotations

from typing import Any

from minilift.nn.losses.base import Loss
from minilift.ops import Array, Ops


class MPJPE(Loss):
    """The mean distance between predicted and true points of three coordinates, the joints of a pose.

    pred, target (..., 3J), joint after joint, or (..., J, 3); of nJ joints together:

        loss    = 1/(nJ) sum_ij |d_ij|          d_ij = pred_ij - target_ij, a vector of 3
        grad_ij = d_ij / (nJ |d_ij|)            and 0 where the distance is 0

    Raises ValueError where the last axis is not whole joints. Source: Ionescu et al., Human3.6M, TPAMI 2014.
    """

    name = "mpjpe"

    def checked(self, pred: Array, target: Any, ops: Ops, wait: bool) -> Array:
        target = super().checked(pred, target, ops, wait)
        if pred.ndim < 1 or pred.shape[-1] % 3:
            raise ValueError(f"mpjpe: pred {tuple(pred.shape)} is not whole joints of 3 coordinates")
        return target
