"""A training step, and the sums that it keeps on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minilift.nn.module import Module
from minilift.nn.network import Network, number_dropouts
from minilift.nn.params import runs
from minilift.ops import Array, Ops
from minilift.optim import Optimiser, Schedule
from minilift.train.batches import Batches

Loss = Callable[..., tuple[Any, Array]]  # loss(pred, target, ops, grad, total), as in minilift.nn.losses
Metric = Callable[..., Any]  # metric(pred, target, ops, total) adds its mean over a batch to total


class LossMetric:
    """A loss as a metric: for a network that is trained on another one, or on this one under its own name."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self._grad: Array | None = None  # what a loss gives besides, and is not wanted here

    def __call__(self, pred: Array, target: Array, ops: Ops, total: Array) -> None:
        self._grad = like(pred, self._grad, ops)
        self.loss(pred, target, ops, self._grad[: len(pred)], total)


class Sums:
    """Loss and metrics of the batches since `restore`, added up on the device and read when somebody asks."""

    def __init__(self, ops: Ops, loss: Loss, metrics: Mapping[str, Metric] | None = None) -> None:
        self.ops, self.loss, self.batches = ops, loss, 0
        self.metrics = dict(metrics or {})
        if "loss" in self.metrics:
            raise ValueError("metrics: 'loss' is the name of the loss; give the metric another")
        self.totals = {name: ops.zeros((1,), dtype="float64") for name in ("loss", *self.metrics)}
        for name, metric in self.metrics.items():
            if getattr(metric, "loss", None) is loss:  # computed once
                self.totals[name] = self.totals["loss"]
        self._grad: Array | None = None
        self._asked: tuple[int, Callable[[], Any]] | None = None

    def add(self, pred: Array, target: Array) -> Array:
        """Count one batch. Returns the gradient of its loss."""
        self._grad = like(pred, self._grad, self.ops)
        grad, own = self._grad[: len(pred)], self.totals["loss"]
        found = self.loss(pred, target, self.ops, grad, own)
        if not isinstance(found, tuple) or len(found) != 2 or found[0] is not own or found[1] is not grad:
            raise ValueError(
                "a loss called as loss(pred, target, ops, grad, total) must write grad, add to total and "
                f"return (total, grad); {self.loss!r} returned others"
            )
        for name, metric in self.metrics.items():
            if self.totals[name] is not own:
                added = metric(pred, target, self.ops, self.totals[name])
                if added is not None and added is not self.totals[name]:
                    raise ValueError(
                        f"metric {name!r}: called as metric(pred, target, ops, total) it must add its mean "
                        f"to total and return total or nothing, not {type(added).__name__}"
                    )
        self.batches += 1
        return grad

    def read(self) -> dict[str, float]:
        """The sums over batches; waits for the device."""
        return {name: float(self.ops.to_host(total)[0]) for name, total in self.totals.items()}

    def glance(self) -> float | None:
        """The average loss of not long ago, for a bar; None while the device has not answered yet."""
        self._asked = self._asked or (self.batches, self.ops.later(self.totals["loss"]))
        batches, answer = self._asked
        if (found := answer()) is None:
            return None
        self._asked = None
        return float(found[0]) / max(batches, 1)

    def averages(self) -> dict[str, float]:
        return {name: total / max(self.batches, 1) for name, total in self.read().items()}

    def restore(self, batches: int = 0, sums: Mapping[str, float] | None = None) -> None:
        """Go to where `read` gave these sums of so many batches; by default to the beginning."""
        self.batches, self._asked = batches, None
        for name, total in self.totals.items():
            self.ops.copy([sums[name] if sums else 0.0], out=total)


class Step:
    """Trains a network on one batch after another: step(x, y) for arrays on its device.

    A subclass says what a step is, with the numbers of `PlainStep` as a result. It neither allocates after
    its first batch nor waits for the device; loss and metrics lie in `sums` until they are read.
    """

    def __init__(
        self, network: Network, loss: Loss, optimiser: Optimiser, metrics: Mapping[str, Metric] | None = None
    ) -> None:
        check_fit(network, optimiser)
        number_dropouts(network)  # one may have been added since the parameters were gathered
        self.network, self.optimiser = network, optimiser
        self.sums = Sums(network.ops, loss, metrics)

    def __call__(self, x: Array, y: Array) -> None:
        raise NotImplementedError

    def epoch(self, number: int, batches: Batches, scheduler: Schedule | None = None) -> Iterator[int]:
        """The steps of one epoch; pauses after each, or after a few, and says how many they were.

        Starts behind the batches that `sums` has counted. Raises ValueError as `check_fit`.
        """
        check_fit(self.network, self.optimiser)
        yield from self.steps(number, batches, scheduler)
        if scheduler is not None and scheduler.per == "epoch":
            scheduler.step()

    def steps(self, number: int, batches: Batches, scheduler: Schedule | None) -> Iterator[int]:
        ops, done = self.network.ops, self.optimiser.steps
        for x, y in batches.epoch(number, ops, self.sums.batches, done):
            self(x, y)
            if scheduler is not None and scheduler.per == "batch":
                scheduler.step()
            yield 1


class PlainStep(Step):
    """Forward, loss, backward and a step of the optimiser, layer by layer: for any network."""

    def __call__(self, x: Array, y: Array) -> None:
        now, made = self.optimiser.parameters, self.optimiser.homes
        if any(p.home is not home for p, home in zip(now, made, strict=True)):  # quick, for every step
            check_fit(self.network, self.optimiser)
        with self.network.ops.parallel():
            pred = self.network.forward(x, train=True)
            self.network.backward_parameters(self.sums.add(pred, y))
            self.optimiser.step()


def check_fit(network: Network, optimiser: Optimiser) -> None:
    """Raises ValueError for an optimiser that would move something else than the network's parameters."""
    found = Module.parameters(network)  # as they lie: to gather them could take them from another network
    fits = set(found).issuperset(optimiser.parameters) and all(p.home is not None for p in found)
    homes = [p.home for p in optimiser.parameters]
    moved = any(a is not b for a, b in zip(homes, optimiser.homes, strict=True))
    if not fits or len(runs(found)) > 1 or moved:
        raise ValueError(
            "the optimiser works on other arrays than the network, which was changed, copied or moved since; "
            "make it anew from network.parameters(), and then its step or Trainer"
        )


def like(pred: Array, have: Array | None, ops: Ops) -> Array:
    """`have`, if pred fits into it; else a new array that it fits into."""
    if have is None or len(have) < len(pred) or have.shape[1:] != pred.shape[1:]:
        return ops.empty(tuple(pred.shape))
    return have
