"""Training steps on a GPU as CUDA graphs: many steps for one call of the driver.

A small network's step is dozens of small kernels, each of which has to be asked for from Python. A graph is
asked for once. But it repeats what it has recorded, the same addresses and the same numbers. So what changes
from step to step lies in a table on the device, a row for every step of a graph, which the host writes before
each launch. The optimiser, the schedule and the dropout layers work it out as they do on the CPU: nothing of
them is written twice.

    word 0       the first of this batch's row numbers in `order`
    words 1-5    Adam's decay of m and of v, its size, eps and shrink, as float32
    words 6-     two words of key for each dropout layer, and two for the augmentation, if there is one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minilift.errors import OutOfMemory
from minilift.lift.augment.augmenter import Augmenter
from minilift.lift.fast.check import apart, beyond
from minilift.lift.fast.column_plan import ColumnPlan
from minilift.lift.fast.row_plan import ADAM_WORDS, KEYS, RowPlan, Work
from minilift.lift.fast.step import TrainStep
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.ops import Array
from minilift.optim import Adam, AdamW, Optimiser, Schedule
from minilift.train.batches import Batches
from minilift.train.step import Loss, Metric, PlainStep, Step, Sums

STEPS = 16  # of a graph: some 300 to 600 nodes. A guess: not measured yet


class CapturedSteps:
    """Training steps on the batches of an epoch. `run` gives them to the GPU and does not wait for it.

    batches, order  the data, whose rows go to the device, and the epoch's row numbers, on the host
    sums            where loss and MPJPE are counted, in its own arrays
    path            "columns" (small batches, fused), "rows" (any batch, cuBLAS), or None for the better one
    capture         False for plain launches, as where the device cannot capture; then `why` says so

    The same weights, statistics, masks and counters as `TrainStep`, but for rounding. For the next epoch
    `begin` it with another order: what was compiled and captured serves again, while it `fits`.
    Raises ValueError for a path that does not fit, and where `not_captured` has a reason.
    """

    def __init__(
        self, batches: Batches, order: np.ndarray, model: LiftModel, optimiser: Optimiser,
        scheduler: Schedule | None, sums: Sums, *, path: str | None = None, capture: bool = True,
    ) -> None:  # fmt: skip
        reason = not_captured(model, optimiser, batches, sums)
        if reason:
            raise ValueError(f"no captured steps: {reason}")
        assert isinstance(optimiser, Adam)
        self.model, self.optimiser, self.batches, self.sums = model, optimiser, batches, sums
        self.units, self.batch_size = (model.before, model.after), batches.size
        augment: Any = batches.augment  # an Augmenter, as not_captured has seen
        self.augment: Augmenter | None = augment
        self.gpu: Any = model.ops.gpu  # type: ignore[attr-defined]
        words = KEYS + 2 * len(model.dropouts) + 2 * (augment is not None)
        self.host = np.zeros((STEPS, words), np.uint32)
        self.table = self.gpu.zeros((STEPS, words), "uint32")
        self.order = self.gpu.empty((len(batches),), "int32")
        name = "mpjpe" if sums.loss is losses.mpjpe else "mse"
        data, totals = (*batches.on(model.ops), self.order, self.table), sums.totals
        both = totals["loss"], totals.get("mpjpe", totals["loss"])
        work = Work(*data, model, optimiser, name, both, self.batch_size, augment)
        unfit = ColumnPlan.unfit(work)
        if path == "columns" and unfit:
            raise ValueError(f"no path 'columns': {unfit}")
        self.path = path or ("rows" if unfit else "columns")
        if self.path == "columns" and model.ops.tf32:  # type: ignore[attr-defined]
            batches_of = f"batches of {', '.join(map(str, ColumnPlan.ROWS))}"
            model.ops.note(f"tf32 changes nothing here: {batches_of} have kernels of their own, in float32")
        self.plan: RowPlan | ColumnPlan = ColumnPlan(work) if self.path == "columns" else RowPlan(work)
        model.ops.fill(model.flat.grad, 0.0)  # of a bias before a normalisation nobody writes the gradient
        self.captured, self.why = capture, "" if capture else "not asked for"
        self.warm = False
        self.graphs: dict[int, Any] = {}
        self.kept: list[Any] = []  # a graph knows addresses: what lies there has to live as long
        self.frozen = self._numbers()
        self.begin(order, scheduler)

    def fits(self, batches: Batches) -> bool:
        """Whether it was made for these batches and for the model as it is now."""
        now = (batches, batches.augment, self.model.before, self.model.after)
        then = (self.batches, self.augment, *self.units)
        same = all(a is b for a, b in zip(now, then, strict=True)) and batches.size == self.batch_size
        return same and self.frozen == self._numbers()

    def _numbers(self) -> tuple[Any, ...]:
        """Settings that are arguments of launches, and so frozen."""
        layers = [(half.dropout.p, half.norm.eps, half.norm.momentum) for half in self.plan.halves]
        return self.optimiser.weight_decay, self.optimiser.max_norm, layers

    def begin(self, order: np.ndarray, scheduler: Schedule | None) -> None:
        """Go to another epoch."""
        self.gpu.upload(order.astype(np.int32), self.order)
        self.scheduler = scheduler if scheduler is not None and scheduler.per == "batch" else None

    def run(self, first: int, count: int) -> None:
        """Train on the batches first, first + 1, ... of the epoch. Raises ValueError if there are fewer."""
        if first < 0 or (first + count) * self.batch_size > self.order.size:
            raise ValueError(f"batches {first} to {first + count - 1} of {self.order.size} poses")
        while count:
            size = STEPS if self.warm and count >= STEPS else 1
            for step in range(size):
                self._write(self.host[step], first + step)
            self.gpu.upload(self.host[:size], self.table[:size])
            self._launch(size)
            self.warm = True  # cuBLAS and the driver have loaded what they need: it can be captured
            self.sums.batches += size
            first, count = first + size, count - size

    def _write(self, row: np.ndarray, batch: int) -> None:
        adam = self.optimiser
        row[0] = batch * self.batch_size
        if self.augment is not None:
            row[KEYS + 2 * len(self.model.dropouts) :] = self.augment.key(adam.steps)
        adam.begin()
        row[ADAM_WORDS].view(np.float32)[:] = *adam.decay, adam.size, adam.eps_root, adam.shrink
        for i, layer in enumerate(self.model.dropouts):
            row[KEYS + 2 * i : KEYS + 2 * i + 2] = layer.next_key()
        for half in self.plan.halves:
            half.norm.num_batches_tracked += 1
        if self.scheduler is not None:
            self.scheduler.step()

    def _launch(self, size: int) -> None:
        if self.captured and self.warm and size not in self.graphs:
            try:
                self.graphs[size] = self.gpu.capture(lambda: self._steps(size))
                self.kept = self.model.ops.thread_scratch()  # type: ignore[attr-defined]
            except RuntimeError as problem:  # the classes of CUDA's errors are such
                self.captured, self.why = False, " ".join(str(problem).split())[:160]
        if self.captured and self.warm:
            self.graphs[size]()
        else:
            self._steps(size)

    def _steps(self, size: int) -> None:
        for step in range(size):
            self.plan.step(step)


class CapturedStep(Step):
    """Training steps on a GPU, as graphs where that can be, else launch after launch."""

    def __init__(
        self, model: LiftModel, loss: Loss, optimiser: Optimiser, metrics: Mapping[str, Metric] | None = None
    ) -> None:
        super().__init__(model, loss, optimiser, metrics)
        self.model = model
        self.captured: CapturedSteps | None = None  # of the latest epoch
        self.plain = (TrainStep if model.usual else PlainStep)(model, loss, optimiser, metrics)
        self.plain.sums = self.sums
        self.wrong = ""  # in what the captured step was found to be another than the plain one

    def __call__(self, x: Array, y: Array) -> None:
        self.plain(x, y)

    def steps(self, number: int, batches: Batches, scheduler: Schedule | None) -> Iterator[int]:
        ops, first = self.model.ops, self.sums.batches
        reason = self.wrong or not_captured(self.model, self.optimiser, batches, self.sums)
        if reason:
            ops.note(f"launch after launch, without CUDA graphs: {reason}")
            yield from super().steps(number, batches, scheduler)
            return
        order = batches.order(number, ops)
        if self.captured is not None and self.captured.fits(batches):
            self.captured.begin(order, scheduler)
        else:
            self.captured = CapturedSteps(batches, order, self.model, self.optimiser, scheduler, self.sums)
            if found := self._compared(number, batches, first):
                self.captured = None
                self.wrong = f"it trains otherwise with them ({found} apart); please report this"
                yield from self.steps(number, batches, scheduler)
                return
        for batch in range(first, batches.steps, STEPS):
            count = min(STEPS, batches.steps - batch)
            self.captured.run(batch, count)
            if self.captured.why:
                ops.note(f"no CUDA graphs, but launch after launch: {self.captured.why}")
            yield count

    def _compared(self, number: int, batches: Batches, first: int) -> str:
        """In what the captured step on the epoch's batch `first` is another than the plain one; '' if in
        nothing. A driver or a card of which nobody knew may have its own idea of a graph."""
        assert self.captured is not None
        ops: Any = self.model.ops
        if first >= batches.steps:
            return ""
        x, y = next(batches.epoch(number, ops, first, self.optimiser.steps))
        try:
            return beyond(apart(self.captured, self.plain, first, x, y), ops.tf32)
        except OutOfMemory:
            ops.note("no memory to compare the captured step with the plain one")
            return ""


def not_captured(model: LiftModel, optimiser: Optimiser, batches: Batches, sums: Sums) -> str:
    """Why a step of these is done by `TrainStep`, launch by launch; '' where it can be captured."""
    if not hasattr(model.ops, "gpu"):
        return "the model is not on a GPU"
    if model.ops.dtype != "float32":
        return f"the model works in {model.ops.dtype}"
    if not model.usual:
        return "the model has blocks of its own"
    if model.placing is not None:
        return "the model has the head 'place'"
    if (
        type(optimiser) not in (Adam, AdamW)
        or optimiser.parameters != model.parameters()
        or len(optimiser.runs) != 1
    ):
        return "the optimiser is not an Adam of all the model's parameters"
    if not batches.resident(model.ops):
        return f"the data stay {'in their file' if batches.mapped else 'on the host, too large for the GPU'}"
    if sums.loss not in (losses.mpjpe, losses.mse):
        return "a loss of your own"
    if any(getattr(metric, "loss", None) is not losses.mpjpe for metric in sums.metrics.values()):
        return "metrics other than the MPJPE"
    if not (batches.augment is None or isinstance(batches.augment, Augmenter)):
        return "an augmentation of your own"
    if model.input_nodes > RowPlan.INPUTS:
        return f"{model.input_nodes} inputs, more than {RowPlan.INPUTS}"
    return ""
