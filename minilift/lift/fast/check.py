"""Whether a captured step does what the plain step does: one batch, by both, from the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minilift.nn.network import Network
from minilift.ops import Array
from minilift.train.step import Step

if TYPE_CHECKING:
    from minilift.lift.fast.captured import CapturedSteps

# Of relative differences. Rounding alone makes some 1e-6 of a loss and of a gradient. An activation that is
# rounded to the other side of 0 makes up to 1e-2 of the gradient of a narrow network, and an element of a
# gradient that is all but 0 a whole step of Adam's. With TF32 a factor has 10 bits of mantissa.
LIMITS = {"loss": 1e-4, "statistics": 1e-3, "gradient": 0.03, "update": 0.1}
TF32_LIMITS = {"loss": 1e-2, "statistics": 1e-2, "gradient": 0.1, "update": 0.5}


class Made(NamedTuple):
    """What a step has made: its loss, and vectors of running statistics, gradients and changes of weights."""

    loss: float
    statistics: np.ndarray
    gradient: np.ndarray
    update: np.ndarray


class Standing:
    """Where a training stands: `back` goes there again, in the arrays that are there, which graphs know."""

    def __init__(self, steps: CapturedSteps) -> None:
        self.steps, self.ops = steps, steps.model.ops
        self.network = Network.snapshot(steps.model)  # without the units, which training does not change
        self.adam, self.sums = steps.optimiser.state_dict(), steps.sums.read()
        self.batches = steps.sums.batches
        self.weights = np.asarray(self.ops.to_host(steps.model.flat.data))

    def back(self) -> None:
        Network.restore(self.steps.model, self.network)
        self.steps.optimiser.load_state_dict(self.adam)
        self.steps.sums.restore(self.batches, self.sums)

    def made(self) -> Made:
        """What one step has made since."""
        model, adam = self.steps.model, self.steps.optimiser
        after = Network.snapshot(model)
        statistics = [after[key].ravel() for key in after if "running_" in key]
        # m is kept so that a gradient is added to it as it is
        gradient = self.ops.to_host(adam.m[0]) - adam.decay[0] * self.adam["m.0"]
        loss = self.steps.sums.read()["loss"] - self.sums["loss"]
        update = self.ops.to_host(model.flat.data) - self.weights
        return Made(loss, np.concatenate([*statistics, np.zeros(1)]), gradient, update)


def apart(steps: CapturedSteps, plain: Step, first: int, x: Array, y: Array) -> dict[str, float]:
    """How far the captured step on the batch `first` is from plain(x, y) on the same: differences relative to
    what the plain one makes, by name. {} where its loss is not finite, and nothing can be said.

    The step is done as launches, then as a graph, which is what is compared. Afterwards all is as it was.
    """
    standing, scheduler = Standing(steps), steps.scheduler
    steps.scheduler = None  # one learning rate for all of them
    try:
        steps.run(first, 1)
        standing.back()
        steps.run(first, 1)
        found = standing.made()
        standing.back()
        plain(x, y)
        wanted = standing.made()
    finally:
        standing.back()
        steps.scheduler = scheduler
    if not np.isfinite(wanted.loss):
        return {}
    return {name: _relative(getattr(found, name), getattr(wanted, name)) for name in LIMITS}


def beyond(found: dict[str, float], tf32: bool) -> str:
    """What is too far apart, in words; '' where nothing is."""
    limits = TF32_LIMITS if tf32 else LIMITS
    far = [f"{name} {found[name]:.1e}" for name in found if not found[name] <= limits[name]]  # as NaN is
    return ", ".join(far)


def _relative(found: float | np.ndarray, wanted: float | np.ndarray) -> float:
    size = float(np.linalg.norm(wanted))
    return float(np.linalg.norm(np.subtract(found, wanted))) / size if size else float(np.any(found))
