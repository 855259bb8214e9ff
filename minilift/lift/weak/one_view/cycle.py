"""Lift, go round the person, project, lift again, come back, project: the loss of that, and its gradient.

    p = lift(u),  q = R p + t,  u' = image(q),  q' = lift(u'),  p' = R^T (q' - t),  u'' = image(p')

with R and t of `operations.turn`. The same network lifts twice, so its gradients are sums of both passes.
"""

from __future__ import annotations

from dataclasses import dataclass

from minilift.lift.model import LiftModel
from minilift.lift.weak import operations as geometry
from minilift.lift.weak.symmetry import Symmetry
from minilift.ops import Array, Ops


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss count."""

    adversarial: float = 1.0
    image: float = 10.0
    """mean ((u'' - u) / unit)^2"""
    space: float = 0.3
    """mean ((q' - q) / unit)^2"""
    symmetry: float = 5.0
    labels: float = 20.0
    """mean |p - truth| / unit of labelled poses, over all"""


class Cycle:
    """`forward` to u', and `backward` from the gradient of u' by whatever judges it.

    A layer keeps what its latest pass needs for going back. So the second pass has layers of its own,
    `again`, with the same weights.
    """

    def __init__(self, lifter: LiftModel, unit: float, weights: Weights) -> None:
        self.lifter, self.again, self.ops = lifter, lifter.copied(), lifter.ops
        for _, layer in self.again.modules():
            layer.ops = self.ops  # one set of threads and scratch memory
        for part in (self.again.before, self.again.after, self.again.rays):
            if part is not None:
                part.ops = self.ops
        self.unit, self.weights = unit, weights
        self.symmetry = Symmetry(self.ops)

    def forward(self, u: Array, angles: Array) -> Array:
        """u (n, 2J), angles (n, 3) as of `turn`. Returns u' (n, 2J)."""
        ops, n = self.ops, len(u)
        self.u, self.angles = u, angles
        ops.copy(self.lifter.flat.data, out=self.again.flat.data)
        self.back = backwards(ops, angles, ops.scratch("angles back", angles.shape))
        (self.rotation, self.translation), (self.unrotation, self.untranslation) = (
            (ops.scratch(f"rotation {name}", (n, 9)), ops.scratch(f"translation {name}", (n, 3)))
            for name in ("there", "back")
        )
        geometry.turn(ops, angles, self.rotation, self.translation)
        geometry.turn(ops, self.back, self.unrotation, self.untranslation)
        self.p = self.lifter.forward(u, True)
        self.q = geometry.move(
            ops, self.p, self.rotation, self.translation, ops.scratch("turned", self.p.shape)
        )
        self.turned = geometry.project(ops, self.q, ops.scratch("turned image", u.shape))
        return self.turned

    def backward(
        self, dturned: Array, total: Array, cycle: Array, labels: tuple[Array, Array] | None = None
    ) -> Array:  # fmt: skip
        """Adds the loss but what dturned is of to `total`, and its first part to `cycle`; the gradients of
        the lifter are those of all. `labels` are the joints (n, 3J), and 1 where they are learned from, else
        0 (n, 1). Returns the gradients of the angles (n, 3)."""
        ops = self.ops
        named = {name: ops.scratch(f"d{name}", self.p.shape) for name in ("p", "q", "r", "s")}
        dp, dq, dr, ds = named.values()
        r = self.again.forward(self.turned, True)
        s = geometry.move(ops, r, self.unrotation, self.untranslation, ops.scratch("s", r.shape))
        du = ops.scratch("du", self.u.shape)
        image = geometry.project(ops, s, ops.scratch("image again", self.u.shape))
        before = self.weights.image**0.5 / self.unit
        for counted in (cycle, total):
            squares(ops, image, self.u, before, du, counted)
        geometry.project_backward(ops, du, s, ds)
        camera = ops.scratch("dcamera", (len(r), 9)), ops.scratch("dtranslation", (len(r), 3))
        geometry.move_backward(ops, ds, r, self.unrotation, dr, *camera)
        dback = geometry.turn_backward(ops, *camera, self.back, ops.scratch("dback", self.angles.shape))
        squares(ops, r, self.q, self.weights.space**0.5 / self.unit, dq, total)
        ops.add(dr, dq, out=dr)
        times(ops, dq, -1.0)
        direct = ops.add(self.again.backward(dr), dturned, out=ops.scratch("dturned", dturned.shape))
        geometry.project_backward(ops, direct, self.q, ds)
        ops.add(dq, ds, out=dq)
        geometry.move_backward(ops, dq, self.p, self.rotation, dp, *camera)
        dangles = geometry.turn_backward(ops, *camera, self.angles, ops.scratch("dangles", self.angles.shape))
        weight = ops.scratch("weight of bones", (len(r), 1))
        ops.fill(weight, self.weights.symmetry**0.5)
        self.symmetry(self.p, weight, dp, total)
        if labels is not None:
            self._labelled(*labels, dp, total)
        self.lifter.backward(dp)
        ops.add(self.lifter.flat.grad, self.again.flat.grad, out=self.lifter.flat.grad)
        swapped = backwards(ops, dback, ops.scratch("dback swapped", dback.shape))
        return ops.add(dangles, swapped, out=dangles)

    def _labelled(self, truth: Array, label: Array, dp: Array, total: Array) -> None:
        """Adds the error of the labelled poses to `total`, and its gradient to dp."""
        ops = self.ops
        found, wanted, grad = (ops.scratch(f"labelled {name}", dp.shape) for name in ("p", "truth", "grad"))
        counts = ops.scratch("counts", label.shape)
        ops.copy(label, out=counts)
        times(ops, counts, self.weights.labels / self.unit)
        ops.multiply(self.p, counts, out=found)
        ops.multiply(truth, counts, out=wanted)
        ops.mpjpe(found, wanted, grad, total)
        ops.multiply(grad, counts, out=grad)
        ops.add(dp, grad, out=dp)


def squares(ops: Ops, a: Array, b: Array, factor: float, grad: Array, total: Array) -> None:
    """total += mean (factor (a - b))^2; grad <- its gradient by a, which is minus that by b."""
    one, other = (ops.scratch(name, a.shape) for name in ("one", "other"))
    column = ops.scratch("factor", (len(a), 1))
    ops.fill(column, factor)
    ops.multiply(a, column, out=one)
    ops.multiply(b, column, out=other)
    ops.mse(one, other, grad, total)
    ops.multiply(grad, column, out=grad)


def times(ops: Ops, x: Array, factor: float) -> Array:
    """x <- factor x"""
    column = ops.scratch("factor", (len(x), 1))
    ops.fill(column, factor)
    return ops.multiply(x, column, out=x)


def backwards(ops: Ops, angles: Array, out: Array) -> Array:
    """(e, a, f) -> (f, -a, e): the way back, and also what takes gradients of that to those of the way."""
    n = len(angles)
    geometry.copy_columns(ops, angles, slice(2, 3), out)
    geometry.copy_columns(ops, angles, slice(0, 1), out, first=2)
    middle = geometry.copy_columns(ops, angles, slice(1, 2), ops.scratch("azimuth", (n, 1)))
    return geometry.copy_columns(ops, times(ops, middle, -1.0), slice(0, 1), out, first=1)
