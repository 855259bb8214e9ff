"""A training step of several processes: each its rows, and one sum of the gradient vector over all."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from signal import SIGINT, SIGTERM
from typing import Any

import numpy as np

from minilift.distributed.group import Group, Place
from minilift.lift.fast.step import TrainStep
from minilift.nn import BatchNorm1d
from minilift.ops import Array, Ops
from minilift.optim import Schedule
from minilift.train.batches import Batches
from minilift.train.progress import Signals
from minilift.train.step import Loss, Metric, PlainStep, Step, Sums


class AgreedSignals(Signals):
    """Signals that count when all processes know of them: after the step in which one of them was asked."""

    def __init__(self) -> None:
        self.asked = self.agreed = 0

    @property
    def number(self) -> int:
        return self.agreed

    @number.setter
    def number(self, value: int) -> None:
        self.asked = value
        if not value:
            self.agreed = 0


@dataclass(frozen=True)
class Shared:
    """What the parts of a shared run have in common."""

    group: Group
    place: Place
    sync: bool
    """Whether statistics of a batch are those of all its rows."""
    norms: list[BatchNorm1d]
    signals: AgreedSignals


class SharedSums(Sums):
    """Loss and metrics of whole batches: each process counts its rows, and `exchange` adds them up."""

    def __init__(self, ops: Ops, loss: Loss, metrics: Mapping[str, Metric] | None, shared: Shared) -> None:
        super().__init__(ops, loss, metrics)
        self.group, self.place, self.signals = shared.group, shared.place, shared.signals
        self.here = Sums(ops, loss, metrics)  # of one batch
        self.line = np.zeros(len(self.totals) + 2)  # loss and metrics, and how many were sent each signal
        self._share: Array | None = None

    def add(self, pred: Array, target: Array) -> Array:
        self.here.restore()
        grad = self.here.add(pred, target)
        columns = grad.shape[-1:]
        if self._share is None or self._share.shape != columns:
            self._share = self.ops.ones(columns)
            self.ops.fill(self._share, self.place.share)
        return self.ops.multiply(grad, self._share, out=grad)  # of the mean over the whole batch

    def exchange(self) -> None:
        """Count the batch whose part was added last, and agree on signals."""
        found, stop = self.here.read(), self.signals.asked
        self.line[:-2] = [value * self.place.share for value in found.values()]
        self.line[-2:] = stop == SIGINT, stop == SIGTERM
        self.group.add(self.line)
        before, asked = self.read(), self._asked
        counted = self.batches + 1
        self.restore(counted, {name: before[name] + self.line[i] for i, name in enumerate(found)})
        self._asked = asked
        if self.line[-2:].any():
            self.signals.agreed = int(SIGINT if self.line[-2] else SIGTERM)


class Exchange:
    """What passes between the processes: once a step the gradients and `SharedSums`, at an epoch's end what
    may have come apart."""

    def __init__(self, step: Step, loss: Loss, shared: Shared) -> None:
        self.group, self.shared, self.optimiser = shared.group, shared, step.optimiser
        self.gradients = [grad for _, grad in step.optimiser.runs]
        self.ops, self.network = step.network.ops, step.network
        self.sums = SharedSums(self.ops, loss, step.sums.metrics, shared)

    def __call__(self) -> None:
        for gradient in self.gradients:
            self.group.add(gradient)
        self.sums.exchange()

    def finish(self) -> None:
        """After an epoch: running statistics that each has of its own become their mean, and weights and
        moments those of rank 0 where they differ, as between machines that round differently."""
        if not self.shared.sync:
            for layer in self.shared.norms:
                for running in (layer.running_mean, layer.running_var):
                    part = self.ops.ones(running.shape)
                    self.ops.fill(part, 1 / self.group.size)
                    self.ops.multiply(running, part, out=running)
                    self.group.add(running)
        moments = [array for arrays in self.optimiser.moments.values() for array in arrays]
        kept = [data for data, _ in self.optimiser.runs] + moments
        mine = b"".join(zlib.crc32(self.ops.to_host(array).data).to_bytes(4, "little") for array in kept)
        if len(set(self.group.gather(mine))) > 1:
            for array in kept:
                self.group.copy_first(array)


class EndsTogether(Step):
    """The end of an epoch of a step that has an `exchange`."""

    exchange: Exchange

    def steps(self, number: int, batches: Batches, scheduler: Schedule | None) -> Iterator[int]:
        yield from super().steps(number, batches, scheduler)
        self.exchange.finish()


class SharedPlainStep(EndsTogether, PlainStep):
    """`PlainStep` on the rows here of a batch of all."""

    def __init__(self, step: Step, loss: Loss, shared: Shared) -> None:
        super().__init__(step.network, loss, step.optimiser, step.sums.metrics)
        self.exchange = Exchange(self, loss, shared)
        self.sums = self.exchange.sums

    def __call__(self, x: Array, y: Array) -> None:
        with self.network.ops.parallel():
            pred = self.network.forward(x, train=True)
            self.network.backward_parameters(self.sums.add(pred, y))
            self.exchange()
            self.optimiser.step()


class SharedTrainStep(EndsTogether, TrainStep):
    """`TrainStep` on the rows here: the optimiser waits until the gradients of all rows are there.

    `FirstHalf` leaves out sums that are 0 over the whole batch. Over the rows here they are not, and they are
    left out all the same: what is missing here is missing, with the other sign, elsewhere.
    """

    def __init__(self, step: Step, loss: Loss, shared: Shared) -> None:
        network: Any = step.network
        super().__init__(network, loss, step.optimiser, step.sums.metrics)
        self.exchange = Exchange(self, loss, shared)
        self.sums = self.exchange.sums

    def __call__(self, x: Array, y: Array) -> None:
        with self.ops.parallel():
            self._backward(self.sums.add(self._forward(x), y))
            self.ops.run(self._job, len(self.jobs))
            self.exchange()
            self.optimiser.step()
