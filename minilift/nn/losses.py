"""Losses, each with its gradient."""

from __future__ import annotations

from typing import Any

from minilift.ops import Array, Ops, get_ops


def mpjpe(
    pred: Array, target: Array, ops: Ops | None = None, grad: Array | None = None, total: Array | None = None
) -> tuple[Any, Array]:
    """Mean per-joint position error: the mean distance between predicted and true joints.

    pred, target (n, 3J), joint after joint. Returns the loss and its gradient with respect to pred:

        loss    = 1/(nJ) sum_ij |d_ij|          d_ij = pred_ij - target_ij, a vector of 3
        grad_ij = d_ij / (nJ |d_ij|)            and 0 where the distance is 0

    For a loop that must not allocate or wait for a device, give `grad` (written) and `total` (a float64
    array of one element, to which the loss is added); the loss returned is then `total`. Raises ValueError
    for shapes that differ, columns that are not whole joints, or a `grad` that cannot be written as it is.
    """
    return _loss("mpjpe", pred, target, ops, grad, total)


def mse(
    pred: Array, target: Array, ops: Ops | None = None, grad: Array | None = None, total: Array | None = None
) -> tuple[Any, Array]:
    """Mean squared error over all elements; arguments as `mpjpe`.

    loss = mean (pred - target)^2,   grad = 2 (pred - target) / size
    """
    return _loss("mse", pred, target, ops, grad, total)


def _loss(
    name: str, pred: Array, target: Array, ops: Ops | None, grad: Array | None, total: Array | None
) -> tuple[Any, Array]:
    ops = ops or get_ops("cpu", "float64" if str(getattr(pred, "dtype", "")) == "float64" else "float32")
    pred, target = ops.asarray(pred), ops.asarray(target)
    if pred.shape != target.shape or pred.ndim != 2 or pred.size == 0:
        raise ValueError(f"{name}: pred {pred.shape} and target {target.shape} must be the same (n, columns)")
    if name == "mpjpe" and pred.shape[1] % 3:
        raise ValueError(f"mpjpe: {pred.shape[1]} columns are not whole joints of 3 coordinates")
    grad = ops.empty(pred.shape) if grad is None else grad
    if grad.shape != pred.shape or ops.asarray(grad) is not grad:
        raise ValueError(f"{name}: grad must be a C-contiguous {ops.dtype} array of shape {pred.shape}")
    wanted = total is not None
    total = ops.zeros((1,), dtype="float64") if total is None else total
    getattr(ops, name)(pred, target, grad, total)
    return total if wanted else float(ops.to_host(total)[0]), grad
