"""A training step from one view: lifter, guide, discriminator and the mean elevation, where it is learned."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilift.lift.weak import operations as geometry
from minilift.lift.weak.one_view.cycle import Cycle, Weights
from minilift.lift.weak.one_view.guide import SPREAD, Guide
from minilift.lift.weak.one_view.judge import Judge
from minilift.lift.weak.one_view.network import SWING, Adversaries
from minilift.lift.weak.one_view.rows import LABEL, TRUTH
from minilift.nn import losses
from minilift.ops import Array, Ops
from minilift.optim import Optimiser
from minilift.train.step import Step

TOO_GOOD = 0.9
"""Where the discriminator tells a larger share right, it is left as it is: one that is much better than the
lifter gives it nothing to go by (Kudo et al., arXiv:1803.08244, section 4)."""
STREAM = 4  # of random numbers


class OneViewStep(Step):
    """step(x, y): images x (n, 2J), and y, at which the metric "mpjpe" looks, if there is one, and, for poses
    with a label (`OneViewBatches`), the loss."""

    def __init__(
        self, network: Adversaries, optimiser: Optimiser, unit: float, weights: Weights, truth: bool
    ) -> None:
        super().__init__(network, _none, optimiser, metrics_of(truth))
        self.pair, self.ops, self.truth = network, network.ops, truth
        self.guide = Guide(network.guide)
        self.cycle = Cycle(network.lifter, unit, weights)
        self.judge = Judge(network.discriminator, unit, weights.adversarial, network.lifter.seed)

    def __call__(self, x: Array, y: Array) -> None:
        with self.ops.parallel():
            self.gradients(x, *self.drawn(x), y if self.truth else None)
            if self.truth:
                grad = self.ops.scratch("dtruth", self.cycle.p.shape)
                truth_loss(self.cycle.p, y, self.ops, grad, self.sums.totals["mpjpe"])
            self.sums.batches += 1
            self.update()

    def drawn(self, x: Array) -> tuple[np.ndarray, np.ndarray]:
        """Ways (n, 3) around the people of images x, as of `operations.turn`, for the next step; and how far
        above the mean camera they end (n,)."""
        n, mean = len(x), self.pair.angle
        rng = self.ops.generator((self.pair.lifter.seed, self.optimiser.steps, STREAM))
        about, above = rng.uniform(-math.pi, math.pi, n), rng.normal(0, SPREAD, n)
        return np.stack([mean + self.guide(x), about, mean + above], axis=1), above

    def gradients(self, x: Array, ways: np.ndarray, above: np.ndarray, y: Array | None = None) -> None:
        """Those of all parameters, for images x (n, 2J) and what `drawn` gives; y may have labels."""
        ops, totals = self.ops, self.sums.totals
        turned = self.cycle.forward(x, ops.asarray(ways))
        parts = totals["loss"], totals["discriminator"], totals["accuracy"]
        dturned = self.judge(self.optimiser.steps, x, turned, *parts)
        labels = None
        if y is not None and y.shape[1] == LABEL.stop:
            label = geometry.copy_columns(ops, y, LABEL, ops.scratch("label", (len(y), 1)))
            labels = truth_of(ops, y), label
        dways = self.cycle.backward(dturned, totals["loss"], totals["cycle"], labels)
        if self.pair.elevation is not None:
            # a way leads from about the mean elevation to about it: both ends move with it
            found = ops.to_host(ops.sum_rows(dways, out=ops.empty((3,))))
            self.pair.elevation.grad = np.array([SWING * (found[0] + found[2])], ops.dtype)
        self.guide.learn(turned, above, totals["guide"])

    def update(self) -> None:
        """A step of the optimiser, in which a discriminator that is too good does not move."""
        optimiser, parts = self.optimiser, dict(self.pair.parts)
        _, grad = optimiser.runs[0]
        if optimiser.max_norm:
            for part in parts.values():
                self.ops.scale_to_norm([grad[part]], optimiser.max_norm)
        if self.judge.share > TOO_GOOD:
            del parts["discriminator"]
        optimiser.begin()
        for part in parts.values():
            optimiser.update(0, part)


def truth_loss(pred: Array, y: Array, ops: Ops, grad: Array, total: Array) -> Any:
    """The MPJPE, as a loss, of y with labels or without."""
    return losses.mpjpe(pred, truth_of(ops, y), ops, grad, total)


def truth_of(ops: Ops, y: Array) -> Array:
    """The joints of y as an array of their own."""
    if y.shape[1] == TRUTH.stop:
        return y
    return geometry.copy_columns(ops, y, TRUTH, ops.scratch("truth", (len(y), TRUTH.stop)))


def metrics_of(truth: bool) -> dict[str, Any]:
    """What is counted besides the loss, by names; the step does it itself."""
    names = ("cycle", "guide", "discriminator", "accuracy", *(["mpjpe"] if truth else []))
    return dict.fromkeys(names, _none)


def _none(pred: Array, target: Array, ops: Ops, *rest: Any) -> Any:
    """Stands for a loss that has no prediction and target."""
    raise TypeError("one view: the step counts its losses itself")
