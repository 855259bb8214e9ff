"""A loss that weighs near and far people alike."""

from __future__ import annotations

from typing import Any

from minilift.lift.rays.size_operations import relative
from minilift.nn import losses
from minilift.ops import Array, Ops, get_ops


class RelativeMPJPE:
    """The mean distance of joints from the truth, over how far the person's joints lie from the root.

        loss = 1/(nJ) sum_ij |d_ij| / s_i        d_ij = pred_ij - target_ij, a vector of 3
        grad_ij = d_ij / (nJ s_i |d_ij|)         s_i = sqrt(1/J sum_j |target_ij - (0, 0, -1)|^2)

    Poses have their distance from the camera as their unit. In that unit a person ten times as far away has
    errors a tenth as large, so that mpjpe teaches little about far people.
    """

    name = "relative"

    def __call__(
        self, pred: Array, target: Array, ops: Ops | None = None, grad: Array | None = None,
        total: Array | None = None,
    ) -> tuple[Any, Array]:  # fmt: skip
        """As any loss of `minilift.nn.losses`. Raises ValueError as mpjpe does."""
        ops = ops or get_ops("cpu", "float64" if getattr(pred, "dtype", "") == "float64" else "float32")
        pred = ops.asarray(pred)
        target = losses.mpjpe.checked(pred, target, ops, wait=total is None)
        a = relative(ops, pred, target, out=ops.scratch("relative pred", pred.shape))
        b = relative(ops, target, target, out=ops.scratch("relative target", pred.shape))
        found, grad = losses.mpjpe(a, b, ops, grad, total)
        return found, relative(ops, grad, target, out=grad)


relative_mpjpe = RelativeMPJPE()
