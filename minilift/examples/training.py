"""One training of an example: the library's Trainer with the course's lines, resumable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minilift.errors import ArgumentError
from minilift.examples.checks import check_steps
from minilift.examples.options import Options
from minilift.examples.trace import Announcer, Trace
from minilift.files import only_one, read_bytes
from minilift.files.checkpoint import load_checkpoint
from minilift.files.npz import read_npz
from minilift.nn.losses import Loss, cross_entropy
from minilift.nn.metrics import accuracy
from minilift.nn.network import Network
from minilift.ops import Array
from minilift.optim import Optimiser, Schedule
from minilift.show.runs.logs import Rows, read_record
from minilift.train import Batches, Trainer
from minilift.train.step import Metric


@dataclass
class Task:
    """What a network learns, and from what.

    train, val, test   batches; `val` decides which weights are the best, on `test` nothing depends
    sample             some rows of input on the device, for the statistics of layers
    check              gives a figure of now, such as an accuracy, for the curve over every 100 batches
    """

    network: Network
    optimiser: Optimiser
    train: Batches
    sample: Array
    val: Batches | None = None
    test: Batches | None = None
    loss: Loss = cross_entropy
    metrics: Mapping[str, Metric] = field(default_factory=lambda: {"accuracy": accuracy})
    watch: str = "loss"
    best: str = "min"
    check: Callable[[], float] | None = None
    scheduler: Schedule | None = None


@dataclass(frozen=True)
class Done:
    """A finished training: its rows of log.csv, and what the trace has recorded."""

    rows: Rows
    trace: Trace

    @property
    def seconds(self) -> float:
        """Of the whole training: the log's are counted from its beginning."""
        return self.rows[-1]["seconds"]

    def column(self, name: str) -> list[float]:
        return [row[name] for row in self.rows]


def fit(task: Task, options: Options, out: Path) -> Done:
    """Train for `options.epochs`, or go on with what is in `out`; the network has the last epoch's weights.

    Raises ArgumentError for steps of one picture with batch norm, and where the run to resume was another
    one; KeyboardInterrupt where it was stopped.
    """
    say = options.say
    check_steps(task.network, task.train.size)
    trace = Trace(task.network, task.sample, len(task.train), task.train.size, say, task.check)
    part = "val" if task.val else "test" if task.test else "train"
    trainer = Trainer(
        task.network, task.loss, task.optimiser, task.scheduler, metrics=task.metrics, watch=task.watch,
        best=task.best, out=out, patience=options.patience, settings=options.settings(),
        show=lambda line: None, bar=sys.stderr is not None and sys.stderr.isatty(), recorder=trace,
        listeners=[Announcer(say, part)],
    )  # fmt: skip
    trace.sums = trainer.step.sums
    with only_one(out):
        if options.resume and trainer.checkpoint_path.exists():
            _check_same(trainer.checkpoint_path, options)
            trainer.resume()
            _go_on(trainer, trace)
            say(f"resumed after epoch {trainer.progress.epoch}")
        if not trainer.fit(task.train, task.val, task.test, epochs=options.epochs):
            say(f"stopped in epoch {trainer.progress.epoch + 1}; resume goes on from there")
            raise KeyboardInterrupt
    if trainer.given_up:
        say(f"no better {task.watch} for {options.patience} epochs: training ends here")
    rows = [{name: float(value) for name, value in row.items()} for row in trainer.progress.history]
    done = Done(rows, trace)
    say(f"Done!\nTime Taken: {done.seconds:.2f} s")
    return done


def _check_same(path: Path, options: Options) -> None:
    """Raises ArgumentError unless the run to resume has the settings that are asked for."""
    _, meta = load_checkpoint(path)
    had: Any = meta.get("settings")
    for name, value in options.settings().items():
        before = had.get(name) if isinstance(had, dict) else None
        if before != value:
            problem = f"the run in {path.parent} was begun with {before}; give that, or start a new run"
            raise ArgumentError(name, value, problem)


def _go_on(trainer: Trainer, trace: Trace) -> None:
    """Take the curves of the run so far; its sums are those of the batches that are done."""
    state = trainer.progress
    trainer.step.sums.restore(state.batch, state.sums)
    if trainer.record_path.exists():
        path = trainer.record_path
        found = read_npz(path, read_bytes(path)) | read_record(path)
        trace.restore(found, trainer.optimiser.steps, state.epoch)
