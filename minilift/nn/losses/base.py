"""What every loss has: its arguments, their checks, and what it returns."""

from __future__ import annotations

from typing import Any

from minilift.ops import Array, Ops, get_ops


class Loss:
    """A number to make small, and its gradient.

        loss, grad = mse(pred, target)

    pred and target are arrays of one shape, where a loss says nothing else. grad is the gradient of the loss
    with respect to pred, in the shape of pred. `ops` are the operations of the network that pred comes from
    (default: NumPy's, in float64 where pred is float64 and else in float32).

    For a loop that must not allocate or wait for a device, give `grad` (written) and `total` (a float64
    array of one element, to which the loss is added); the loss returned is then `total`. Raises ValueError
    for shapes that do not fit, or a `grad` that cannot be written as it is.
    """

    name: str  # of the loss, and of its operation in `Ops`

    def __call__(
        self, pred: Array, target: Array, ops: Ops | None = None, grad: Array | None = None,
        total: Array | None = None,
    ) -> tuple[Any, Array]:  # fmt: skip
        ops = ops or ops_of(pred)
        pred = ops.asarray(pred)
        target = self.checked(pred, target, ops, wait=total is None)
        if pred.size == 0:
            raise ValueError(f"{self.name}: pred {tuple(pred.shape)} is empty")
        grad = ops.empty(pred.shape) if grad is None else grad
        if grad.shape != pred.shape or ops.asarray(grad) is not grad:
            raise ValueError(
                f"{self.name}: grad must be a C-contiguous {ops.dtype} array of shape {pred.shape}"
            )
        added = ops.zeros((1,), dtype="float64") if total is None else total
        getattr(ops, self.name)(pred, target, grad, added)
        return (float(ops.to_host(added)[0]) if total is None else total), grad

    def checked(self, pred: Array, target: Any, ops: Ops, wait: bool) -> Array:
        """target as an array of `ops` that fits pred; where `wait` is true, it may wait for the device."""
        target = ops.asarray(target)
        if pred.shape != target.shape:
            raise ValueError(
                f"{self.name}: pred {tuple(pred.shape)} and target {tuple(target.shape)} must have one shape"
            )
        return target

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def ops_of(pred: Any) -> Ops:
    """NumPy's operations, in the precision of pred."""
    return get_ops("cpu", "float64" if str(getattr(pred, "dtype", "")) == "float64" else "float32")
