"""Which batch a device has memory for, found by trying: what others use of it is not known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from minilift.errors import OutOfMemory
from minilift.lift.fast.choose import fast_step
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.optim import Adam
from minilift.train.batches import Batches

EVALUATED = 1024  # rows at a time


def fitting_batch(attempt: Callable[[int], None], batch: int) -> int:
    """The largest of batch/2, batch/4, ... that can be trained with, or 0.

    `attempt` takes a batch size and trains a little with it where the run is to be; it raises OutOfMemory.
    What is tried is gone afterwards.
    """
    while batch >= 4:
        batch //= 2
        try:
            attempt(batch)
        except OutOfMemory:
            continue
        return batch
    return 0


def try_with_3d(make: Callable[[], LiftModel], rows: int, batch: int) -> None:
    """Of the model that `make` makes: memory for so many rows, where they stay on the device, an epoch of one
    step, and the evaluation."""
    rng, model = np.random.default_rng(0), make()
    x, y = (rng.standard_normal((batch, n)) for n in (model.input_nodes, model.joint_nodes))
    shapes = [(max(rows - batch, 0), each.shape[1]) for each in (x, y)]
    others = [model.ops.empty(shape) for shape in shapes if model.ops.holds(x.itemsize // 2 * prod(shape))]
    step = fast_step(model, losses.mpjpe, Adam(model.parameters()))
    for _ in step.epoch(0, Batches(x, y, batch)):
        model.predictor()(model.ops.zeros((EVALUATED, model.input_nodes)))
    del others
