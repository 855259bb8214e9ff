"""One epoch of training steps, and the evaluation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minilift.errors import InputError
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.fast.captured import STEPS, CapturedSteps, not_captured
from minilift.lift.fast.step import make_step
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.ops import Array
from minilift.optim import Optimiser, Schedule
from minilift.poses.poses import Poses
from minilift.train.record import Recorder

EVALUATION_ROWS = 1024
SPLITS = ("train", "val", "valid", "validation", "test", "eval")

Loss = Callable[..., tuple[Any, Array]]


class Averages(NamedTuple):
    """Means over the poses of an epoch: the loss, and the MPJPE in the data's units."""

    loss: float
    mpjpe: float


class Rows:
    """A data set for a model, a pose a row: x (N, 30), y (N, 45).

    It lies on the model's device; mapped poses stay in their file, and every batch is read from there.
    """

    def __init__(self, data: Poses, model: LiftModel) -> None:
        if not isinstance(data, Poses):
            raise TypeError(f"give poses as load_poses returns them, not a {type(data).__name__}")
        if data.joint_3d is None:
            raise InputError("the data has no joint_3d; training and evaluation need it")
        if not len(data):
            raise InputError("the data holds no poses; training and evaluation need some")
        widths = data.joint_2d[0].size, data.joint_3d[0].size
        if widths != (model.input_nodes, model.joint_nodes):
            raise InputError(
                f"poses of {widths[0]} and {widths[1]} numbers do not fit a model from {model.input_nodes} "
                f"to {model.joint_nodes}"
            )
        self.ops, self.mapped = model.ops, data.mapped
        x: Any = data.joint_2d.reshape(len(data), -1)
        y: Any = data.joint_3d.reshape(len(data), -1)
        self.x, self.y = (x, y) if self.mapped else (model.ops.asarray(x), model.ops.asarray(y))
        self.captured: CapturedSteps | None = None  # of the latest epoch on a GPU

    def __len__(self) -> int:
        return len(self.x)

    def index(self, order: np.ndarray) -> Array:
        """Row numbers, as `take` wants them."""
        return order if self.mapped else self.ops.asindex(order)

    def take(self, index: Array, x: Array, y: Array) -> None:
        """x, y <- the rows of an `index`."""
        for rows, out in ((self.x, x), (self.y, y)):
            if self.mapped:
                self.ops.copy(rows[index], out=out)
            else:
                self.ops.take(rows, index, out=out)

    def part(self, start: int, stop: int) -> tuple[Array, Array]:
        """x and y of neighbouring rows."""
        return self.ops.asarray(self.x[start:stop]), self.ops.asarray(self.y[start:stop])


class Measure:
    """Loss and MPJPE, summed on the device over equal batches and read when somebody asks."""

    def __init__(self, model: LiftModel, loss: Loss, batch_size: int) -> None:
        self.ops, self.loss, self.batches = model.ops, loss, 0
        self.grad = self.ops.empty((batch_size, model.joint_nodes))
        self.totals = [self.ops.zeros((1,), dtype="float64") for _ in range(2)]
        self.spare = None if loss is losses.mpjpe else self.ops.empty(self.grad.shape)

    def add(self, pred: Array, target: Array) -> Array:
        """The gradient of the loss of one batch."""
        grad = self.grad[: len(pred)]
        self.loss(pred, target, self.ops, grad, self.totals[0])
        if self.spare is not None:
            losses.mpjpe(pred, target, self.ops, self.spare[: len(pred)], self.totals[1])
        self.batches += 1
        return grad

    def sums(self) -> tuple[float, float]:
        loss, mpjpe = (float(self.ops.to_host(t)[0]) for t in self.totals)
        return loss, loss if self.spare is None else mpjpe

    def restore(self, batches: int, sums: tuple[float, float]) -> None:
        self.batches = batches
        for total, value in zip(self.totals, sums, strict=True):
            self.ops.copy(np.array([value]), out=total)

    def averages(self) -> Averages:
        loss, mpjpe = self.sums()
        return Averages(loss / max(self.batches, 1), mpjpe / max(self.batches, 1))


def batches_per_epoch(rows: int, batch_size: int) -> int:
    return rows // min(batch_size, rows)


def train_batches(
    epoch_no: int, rows: Rows, model: LiftModel, optimiser: Optimiser, scheduler: Schedule | None,
    batch_size: int, measure: Measure, augmentation: Augmentation | None = None,
) -> Iterator[int]:  # fmt: skip
    """One epoch of training steps; pauses after each, or after the few that a GPU is given at once, and says
    how many they were. Starts behind the batches already measured.

    The order of the rows depends on (model.seed, epoch_no) alone, and what is random in the augmentation on
    model.seed and the number of the step. Batches are full: what is left over is
    not used in this epoch (another remainder in the next), so that every step averages over as many rows.
    """
    ops, batch_size = model.ops, min(batch_size, len(rows))
    if augmentation is not None and augmentation.joint_dropout and model.head == "ray":
        hidden = f"joint_dropout {augmentation.joint_dropout:g}: a hidden joint has no ray"
        raise InputError(f"{hidden} for head 'ray' to put it on; use LiftModel(head='xyz')")
    if batch_size < 2:
        raise InputError(
            f"training needs at least 2 poses in a batch, got {batch_size} of {len(rows)} poses; "
            "give more data or a larger batch_size"
        )
    order = ops.generator((model.seed, epoch_no)).permutation(len(rows))
    first, total = measure.batches, batches_per_epoch(len(rows), batch_size)
    plain = not_captured(model, optimiser, rows, measure.loss)
    if not plain:
        steps = rows.captured
        if steps is not None and steps.fits(model, optimiser, batch_size, measure, augmentation):
            steps.begin(order, scheduler, measure)
        else:
            given = model, optimiser, scheduler, batch_size, measure
            steps = CapturedSteps(rows, order, *given, augmentation=augmentation)
            rows.captured = steps
        for batch in range(first, total, STEPS):
            count = min(STEPS, total - batch)
            steps.run(batch, count)
            if steps.why:
                ops.note(f"no CUDA graphs, but launch after launch: {steps.why}")
            yield count
    else:
        ops.note(f"launch after launch, without CUDA graphs: {plain}")
        arguments = model, optimiser, scheduler, batch_size, measure, augmentation
        for _ in _plain_steps(rows.index(order), first, total, rows, *arguments):
            yield 1
    if scheduler is not None and scheduler.per == "epoch":
        scheduler.step()


def _plain_steps(
    order: Any, first: int, total: int, rows: Rows, model: LiftModel, optimiser: Optimiser,
    scheduler: Schedule | None, batch_size: int, measure: Measure, augmentation: Augmentation | None,
) -> Iterator[None]:  # fmt: skip
    ops = model.ops
    x, y = (ops.empty((batch_size, columns)) for columns in (model.input_nodes, model.joint_nodes))
    step, augment = make_step(model, optimiser, measure), None
    if augmentation is not None and augmentation.active:
        augment = Augmenter(augmentation, ops, batch_size, model.seed)
    for batch in range(first, total):
        index = order[batch * batch_size : (batch + 1) * batch_size]
        if augment is None:
            rows.take(index, x, y)
        else:
            rows.take(index, *augment.sources)
            augment(optimiser.steps, x, y)
        step(x, y)
        if scheduler is not None and scheduler.per == "batch":
            scheduler.step()
        yield


def run_epoch(
    epoch_no: int, data: Poses | Rows, model: LiftModel, optimiser: Optimiser | None = None,
    scheduler: Schedule | None = None, batch_size: int = 64, split: str = "train", *,
    loss: Loss = losses.mpjpe, progress: bool = True, augmentation: Augmentation | None = None,
    recorder: Recorder | None = None,
) -> Averages:  # fmt: skip
    """Train for one epoch, or evaluate; returns the epoch's average (loss, mpjpe).

    split='train': shuffled batches, changed as `augmentation` says, dropout and batch statistics on, a step
    of the optimiser for each, and of the scheduler after each batch or after the epoch as its `per` says. The
    other SPLITS evaluate: the poses as they are, no dropout, running statistics, every pose counted once; the
    optimiser and scheduler are then not used. A `recorder` looks at the gradients of the first steps.
    Raises ValueError for another split or a batch_size below 1, TypeError for data that are no poses,
    InputError for poses without joint_3d, of another width than the model's, or too few for a batch of 2, and
    for joint dropout before head "ray".
    """
    rows = data if isinstance(data, Rows) else Rows(data, model)
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is unknown; use one of {', '.join(SPLITS)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if split != "train":
        return evaluate(model, rows, loss=loss)
    if optimiser is None:
        raise ValueError("run_epoch(split='train') needs an optimiser")
    measure = Measure(model, loss, min(batch_size, len(rows)))
    arguments = model, optimiser, scheduler, batch_size, measure, augmentation
    steps = train_batches(epoch_no, rows, *arguments)
    total = batches_per_epoch(len(rows), batch_size)
    for _ in Bar(steps, f"epoch {epoch_no}", total, measure) if progress else steps:
        if recorder is not None:
            recorder.step(optimiser.steps)
    return measure.averages()


def evaluate(model: LiftModel, data: Poses | Rows, *, loss: Loss = losses.mpjpe) -> Averages:
    """Average loss and MPJPE over every pose, each counted once, however the batches fall."""
    rows = data if isinstance(data, Rows) else Rows(data, model)
    predict = model.predictor()
    pred = model.ops.empty((min(len(rows), EVALUATION_ROWS), model.joint_nodes))
    whole = len(rows) // EVALUATION_ROWS * EVALUATION_ROWS
    sums = np.zeros(2)
    for start, stop, size in ((0, whole, EVALUATION_ROWS), (whole, len(rows), len(rows) - whole)):
        measure = Measure(model, loss, size)
        for i in range(start, stop, max(size, 1)):
            x, y = rows.part(i, i + size)
            predict(x, pred[:size])
            measure.add(pred[:size], y)
        sums += np.array(measure.sums()) * size
    return Averages(*(float(v) for v in sums / len(rows)))


def hold_out(n: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to train on and to validate on, both in order.

    Whole blocks of neighbours are held out, for files are ordered by recording: a single frame's neighbours
    would give it away. Raises InputError where too few poses are left to train on.
    """
    numbers = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    blocks = np.array_split(numbers, min(n, 200))
    count = max(1, round(fraction * len(blocks)))
    chosen = np.zeros(n, bool)
    for block in np.random.default_rng(seed).permutation(len(blocks))[:count]:
        chosen[blocks[block]] = True
    if n - chosen.sum() < 2:
        raise InputError(f"{n} poses are too few to train on and to validate on; give at least 3")
    return numbers[~chosen], numbers[chosen]


class Bar:
    """A tqdm bar over training steps, with iterations a second and the running loss."""

    def __init__(self, steps: Iterator[int], title: str, total: int, measure: Measure) -> None:
        self.steps, self.title, self.total, self.measure = steps, title, total, measure

    def __iter__(self) -> Iterator[int]:
        from tqdm import tqdm

        shown, done = time.monotonic(), self.measure.batches
        live = sys.stderr is not None and sys.stderr.isatty()
        every = 0.1 if live else 10.0  # seconds: a log file is not to fill with bars
        options: dict[str, Any] = {"unit": "it", "leave": False, "disable": sys.stderr is None}
        options |= {"mininterval": every, "maxinterval": 2 * every}
        with tqdm(total=self.total, initial=done, desc=self.title, **options) as bar:
            for done in self.steps:
                bar.update(done)
                if time.monotonic() - shown > 0.25:  # the loss lies on the device: read it now and then
                    shown = time.monotonic()
                    bar.set_postfix_str(f"loss {self.measure.averages().loss:.5f}", refresh=False)
                yield done
