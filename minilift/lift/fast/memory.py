"""Which batch a device has memory for, found by trying: what others use of it is not known beforehand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilift.errors import OutOfMemory
from minilift.lift.fast.choose import fast_step
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.optim import Adam
from minilift.train.batches import Batches

EVALUATED = 1024  # rows at a time


def fitting_batch(make: Callable[[], LiftModel], rows: int, batch: int) -> int:
    """The largest of batch/2, batch/4, ... with which such a model can be trained on so many rows, or 0.

    `make` makes the model where it is to be trained. What is tried is gone afterwards.
    """
    while batch >= 4:
        batch //= 2
        if _fits(make, rows, batch):
            return batch
    return 0


def _fits(make: Callable[[], LiftModel], rows: int, batch: int) -> bool:
    """Whether there is memory for the data, for an epoch of one step, and for the evaluation."""
    rng = np.random.default_rng(0)
    try:
        model = make()
        x, y = (rng.standard_normal((batch, n)) for n in (model.input_nodes, model.joint_nodes))
        others = [model.ops.empty((max(rows - batch, 0), each.shape[1])) for each in (x, y)]
        step = fast_step(model, losses.mpjpe, Adam(model.parameters()))
        for _ in step.epoch(0, Batches(x, y, batch)):
            model.predictor()(model.ops.zeros((EVALUATED, model.input_nodes)))
        del others
    except OutOfMemory:
        return False
    return True
