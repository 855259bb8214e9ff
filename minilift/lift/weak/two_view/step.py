"""A training step on both images of each person, and the evaluation that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from minilift.lift.fast.step import TrainStep
from minilift.lift.model import LiftModel
from minilift.ops import Array
from minilift.optim import Optimiser
from minilift.train.measure import Measure
from minilift.train.step import Loss, Metric, PlainStep, Step


class TwoViewStep(Step):
    """step(x, y) for `Rows`: one step of the network on the 2n images of n people.

    All of them are images as the network will see them, so that the statistics of a BatchNorm are of one
    kind.
    """

    def __init__(
        self, model: LiftModel, loss: Loss, optimiser: Optimiser, metrics: Mapping[str, Metric] | None = None
    ) -> None:
        super().__init__(model, loss, optimiser, metrics)
        self.one = (TrainStep if model.usual else PlainStep)(model, loss, optimiser, metrics)
        self.one.sums = self.sums

    def __call__(self, x: Array, y: Array) -> None:
        self.one(by_view(x), by_view(y))


class TwoViewMeasure(Measure):
    """The same loss and metrics without a step."""

    def predictor(self) -> Callable[[Array], Array]:
        predict = super().predictor()
        return lambda x: predict(by_view(x))


def by_view(rows: Array) -> Array:
    """(n, 2, C) as (2n, C), the same memory."""
    n, views, columns = rows.shape
    return rows.reshape(n * views, columns)
