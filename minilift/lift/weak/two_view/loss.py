"""What two views say of a pose without knowing it: the loss of training without 3D, and its gradient."""

from __future__ import annotations

import math
from typing import Any

from minilift.lift.weak import operations as geometry
from minilift.lift.weak.symmetry import Symmetry
from minilift.lift.weak.two_view.rows import IMAGE, JOINTS, LABEL, ROTATION, SCALE, TRANSLATION, TRUTH
from minilift.nn import losses
from minilift.nn.losses.base import ops_of
from minilift.ops import Array, Ops


class TwoViewLoss:
    """How badly poses of both views fit what the other view shows.

    pred (2n, 3J), rows of view 1 and of view 2 in turn, and target, `Rows.y`. With q = R p + t what the other
    camera sees of the joints p of a row, x' its image and p' its own joints:

        loss = mean |image(q) - x'| + consistency mean |q - s p'| + symmetry mean ((l_a - l_b) / m)^2

    over rows, joints and pairs of bones; `image` divides by depth, s is the other view's unit. The second
    term alone would not do for joints that are free: it is 0 where all of them are in one place.

    Where rows have LABEL, that of a labelled one is |p - TRUTH| in place of all this.
    """

    def __init__(self, consistency: float = 0.5, symmetry: float = 0.1) -> None:
        self.consistency, self.symmetry = consistency, symmetry
        self._bones: Symmetry | None = None

    def __call__(
        self, pred: Array, target: Any, ops: Ops | None = None, grad: Array | None = None,
        total: Array | None = None,
    ) -> tuple[Any, Array]:  # fmt: skip
        """As any loss of `minilift.nn.losses`. Raises ValueError for shapes that do not fit."""
        ops = ops or ops_of(pred)
        pred, target = ops.asarray(pred), ops.asarray(target)
        n, columns = len(pred), 3 * JOINTS
        if pred.shape != (n, columns) or n % 2 or target.size != n * target.shape[-1] or not n:
            shapes = f"pred {tuple(pred.shape)} and target {tuple(target.shape)}"
            raise ValueError(f"two views: {shapes} must be rows of joints and of Rows.y, in pairs")
        rows = target.reshape(n, target.shape[-1])
        grad = ops.empty(pred.shape) if grad is None else grad
        added = ops.zeros((1,), dtype="float64") if total is None else total
        weak = _without_label(ops, rows)
        turn = _part(ops, rows, ROTATION, "rotation")
        moved = ops.scratch("moved", pred.shape)
        geometry.move(ops, pred, turn, _part(ops, rows, TRANSLATION, "translation"), moved)
        dmoved = self._reprojection(ops, moved, _part(ops, rows, IMAGE, "image"), weak, added)
        direct = ops.scratch("direct", pred.shape)
        scale, weight = _part(ops, rows, SCALE, "scale"), _times(ops, weak, self.consistency)
        self._consistency(ops, pred, moved, scale, weight, dmoved, direct, added)
        geometry.move_backward(ops, dmoved, pred, turn, grad)
        ops.add(grad, direct, out=grad)
        if self._bones is None or self._bones.ops is not ops:
            self._bones = Symmetry(ops)
        self._bones(pred, _times(ops, weak, math.sqrt(self.symmetry)), grad, added)
        if rows.shape[1] == LABEL.stop:
            self._labelled(ops, pred, rows, grad, added)
        return (float(ops.to_host(added)[0]) if total is None else total), grad

    def _labelled(self, ops: Ops, pred: Array, rows: Array, grad: Array, total: Array) -> None:
        """Adds the distance from the truth of the labelled rows, and its gradient to grad."""
        label, truth = _part(ops, rows, LABEL, "label"), _part(ops, rows, TRUTH, "truth")
        counted, dtruth = ops.scratch("labelled", pred.shape), ops.scratch("dtruth", pred.shape)
        ops.multiply(pred, label, out=counted)
        ops.multiply(truth, label, out=truth)
        ops.mpjpe(counted, truth, dtruth, total)
        ops.add(grad, dtruth, out=grad)  # 0 where both are

    def _reprojection(self, ops: Ops, moved: Array, image: Array, weak: Array, total: Array) -> Array:
        """Adds the first term. Returns the gradient of `moved`."""
        seen = geometry.project(ops, moved, ops.scratch("seen", image.shape))
        for plane in (seen, image):
            ops.multiply(plane, weak, out=plane)
        points = image.size // 2, 2
        # distances in the image are those in space of points with a third coordinate of 0
        flat = [ops.scratch(name, (points[0], 3)) for name in ("seen in space", "image in space", "dflat")]
        for plane, space in zip((seen, image), flat, strict=False):
            ops.fill(space, 0.0)
            geometry.copy_columns(ops, plane.reshape(points), slice(0, 2), space)
        seen_3d, image_3d, dseen = flat
        ops.mpjpe(seen_3d, image_3d, dseen, total)
        geometry.copy_columns(ops, dseen, slice(0, 2), seen.reshape(points))
        return geometry.project_backward(ops, seen, moved, ops.scratch("dmoved", moved.shape))

    def _consistency(
        self, ops: Ops, pred: Array, moved: Array, scale: Array, weight: Array, dmoved: Array, direct: Array,
        total: Array,
    ) -> None:  # fmt: skip
        """Adds the second term; its gradients of `moved` to dmoved and, through p', to `direct`, written."""
        a, b, da = (ops.scratch(name, pred.shape) for name in ("view", "other view", "dview"))
        ops.multiply(moved, weight, out=a)
        _exchanged(ops, pred, b)
        ops.multiply(scale, weight, out=scale)
        ops.multiply(b, scale, out=b)
        ops.mpjpe(a, b, da, total)
        ops.multiply(da, scale, out=b)  # scale is that of the row that looks at p'
        ops.multiply(da, weight, out=a)
        ops.add(dmoved, a, out=dmoved)
        _exchanged(ops, b, direct)
        ops.fill(weight, -1.0)
        ops.multiply(direct, weight, out=direct)


class TruthMetric:
    """The MPJPE of both views, where `Rows.y` has TRUTH: to report only."""

    def __call__(self, pred: Array, target: Array, ops: Ops, total: Array) -> None:
        rows = target.reshape(len(pred), target.shape[-1])
        truth = _part(ops, rows, TRUTH, "truth")
        losses.mpjpe(pred, truth, ops, ops.scratch("dtruth", pred.shape), total)


def _part(ops: Ops, rows: Array, columns: slice, name: str) -> Array:
    """Some columns of rows as an array of their own."""
    part = ops.scratch(f"{name} of rows", (len(rows), columns.stop - columns.start))
    return geometry.copy_columns(ops, rows, columns, part)


def _without_label(ops: Ops, rows: Array) -> Array:
    """1 for rows without a label, else 0 (n, 1): what their terms count."""
    weak = ops.scratch("without label", (len(rows), 1))
    ops.fill(weak, 1.0)
    if rows.shape[1] == LABEL.stop:
        minus = _times(ops, _part(ops, rows, LABEL, "label"), -1.0)
        ops.add(weak, minus, out=weak)
    return weak


def _times(ops: Ops, column: Array, factor: float) -> Array:
    weight = ops.scratch("weight", column.shape)
    ops.fill(weight, factor)
    return ops.multiply(weight, column, out=weight)


def _exchanged(ops: Ops, rows: Array, out: Array) -> None:
    """out <- rows with those of view 1 and of view 2 exchanged, pair by pair."""
    n, columns = rows.shape
    pairs, into = (array.reshape(n // 2, 2 * columns) for array in (rows, out))
    geometry.copy_columns(ops, pairs, slice(columns, 2 * columns), into)
    geometry.copy_columns(ops, pairs, slice(0, columns), into, first=columns)
