"""A run of one process made one of several."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilift.distributed.batches import Portion, SharedBatches
from minilift.distributed.group import Group
from minilift.distributed.layers import share_layers
from minilift.distributed.step import AgreedSignals, Shared, SharedPlainStep, SharedTrainStep
from minilift.errors import InputError
from minilift.lift.fast.captured import CapturedStep
from minilift.lift.fast.step import TrainStep
from minilift.ops import Array
from minilift.train.batches import Batches
from minilift.train.measure import Measure
from minilift.train.step import PlainStep, Step
from minilift.train.trainer import Trainer

STEPS: dict[type[Step], type[SharedPlainStep] | type[SharedTrainStep]] = {
    PlainStep: SharedPlainStep,
    TrainStep: SharedTrainStep,
    CapturedStep: SharedPlainStep,  # graphs hold no messages
}


class SharedMeasure(Measure):
    """A `Measure` each process of which takes its `Portion`; all get what is found over all rows."""

    def __init__(self, inner: Measure, group: Group) -> None:
        self.network, self.sums, self.inner, self.group = inner.network, inner.sums, inner, group

    def predictor(self) -> Callable[[Array], Array]:
        return self.inner.predictor()

    def __call__(self, batches: Batches) -> dict[str, float]:
        found = self.inner(Portion(batches, self.group))
        line = np.array(list(found.values()))
        self.group.add(line)
        return dict(zip(found, line.tolist(), strict=True))


def share(trainer: Trainer, train: Batches, group: Group, sync: bool = True) -> SharedBatches:
    """Let `trainer`, before its `fit` or `resume`, train together with those of the other processes, which
    were made with the same arguments; returns the batches to `fit` on. Only rank 0 may have a folder.

    The weights are those of one process with the same batches, but for rounding, and so are loss and metrics.
    With `sync` off, BatchNorm takes its statistics of the rows of each process: another, faster training.
    Raises InputError for a step, batches or a device that cannot be shared, ArgumentError for too few rows.
    """
    if (kind := STEPS.get(type(trainer.step))) is None or type(train) is not Batches:
        names = f"{type(trainer.step).__name__} on {type(train).__name__}"
        raise InputError(f"{names}: several processes share {', '.join(k.__name__ for k in STEPS)} alone")
    if gpu := getattr(trainer.network.ops, "gpu", None):
        from minilift.distributed.device import DeviceGroup

        group = DeviceGroup(group, gpu)
        if group.first:
            trainer.show(f"between GPUs: {group.way.kind}")
    batches = SharedBatches(train, group, 1 if sync else 2)
    norms = share_layers(trainer.network, group, batches.place, sync)
    trainer.signals = signals = AgreedSignals()
    shared = Shared(group, batches.place, sync, norms, signals)
    trainer.step = kind(trainer.step, trainer.step.sums.loss, shared)
    trainer.measure = SharedMeasure(trainer.measure, group)
    trainer.bar = trainer.bar and group.first
    return batches
