"""The Trainer: strings epochs together, keeps the best weights, and loses nothing."""

from __future__ import annotations

import csv
import io
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from minilift.errors import InputError
from minilift.files import keep_old, write_atomically
from minilift.files.checkpoint import load_checkpoint, save_checkpoint
from minilift.files.npz import write_npz
from minilift.files.weights import save_state_dict
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.optim import Optimiser, Schedule
from minilift.poses.poses import Poses
from minilift.train.epoch import (
    Averages,
    Bar,
    Loss,
    Measure,
    Rows,
    batches_per_epoch,
    evaluate,
    train_batches,
)
from minilift.train.patience import epochs_without_gain
from minilift.train.record import Recorder

SAVE_SECONDS = 60.0  # an epoch longer than this also saves its checkpoint on the way


@dataclass
class Progress:
    """What a Trainer has done: enough, with the model and the optimiser, to go on from there."""

    epoch: int = 0  # epochs finished
    batch: int = 0  # batches of the next one that are done already
    sums: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = 0
    schedule_t: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)  # the rows of log.csv


class Diverged(InputError):
    """A loss became infinite or undefined."""


class Listener(Protocol):
    """What is told of every epoch."""

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        """The rows of log.csv, when the last of them is written."""


class Trainer:
    """Epochs of training with validation, the best weights, a log and a checkpoint kept in `out`.

    liftModel          the weights of the epoch with the lowest validation MPJPE
    log.csv            a row per epoch
    checkpoint.npz     all that is needed to continue, to the bit
    record.npz         what a `recorder` has found, if there is one

    Every file is replaced at once, so that a kill at any time leaves whole files. What an earlier run left
    under these names is kept with the ending .old, once there is something to put in its place.
    Each of `listeners` is told of every epoch that is finished, when its files are written.
    With `patience` above 0, training ends where the validation MPJPE has not fallen by more than `min_delta`
    (units) for so many epochs.
    With `out` None nothing is written, and the best weights are found in `best_weights`.
    """

    def __init__(
        self, model: LiftModel, optimiser: Optimiser, scheduler: Schedule | None, train: Poses,
        validation: Poses, test: Poses | None = None, *, epochs: int, batch_size: int, out: Path | None,
        loss: Loss = losses.mpjpe, augmentation: Augmentation | None = None,
        settings: dict[str, Any] | None = None, weights: str = "liftModel",
        show: Callable[[str], None] = print, bar: bool = True, recorder: Recorder | None = None,
        listeners: Sequence[Listener] = (), patience: int = 0, min_delta: float = 0.0,
    ) -> None:  # fmt: skip
        self.model, self.optimiser, self.scheduler = model, optimiser, scheduler
        self.rows = Rows(train, model)
        self.watched = {"val": Rows(validation, model)}
        if test is not None:
            self.watched["test"] = Rows(test, model)
        self.epochs, self.batch_size, self.loss = epochs, min(batch_size, len(train)), loss
        self.augmentation = augmentation
        self.settings, self.show, self.bar = settings or {}, show, bar
        self.listeners, self.patience, self.min_delta = list(listeners), patience, min_delta
        self.writes, folder = out is not None, out or Path()
        self.weights_path, self.log_path = folder / weights, folder / "log.csv"
        self.checkpoint_path, self.record_path = folder / "checkpoint.npz", folder / "record.npz"
        self.best_weights: dict[str, np.ndarray] = {}
        self.recorder = recorder
        self.progress = Progress()
        self.own: set[Path] = set()  # the files that this run has written, or goes on with
        self.signal = 0  # the number of the signal that asked to finish the batch, save and return

    def fit(self) -> bool:
        """Train to the last epoch. False if a signal (Ctrl-C, or a request to terminate) came first."""
        # Overflow on the way to a loss of NaN needs no warnings of NumPy's: _check says it in one line
        with self._signals(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.recorder is not None and not self.optimiser.steps:
                self.recorder.epoch(0)
            while self.progress.epoch < self.epochs and not self.given_up:
                if not self._epoch():
                    return False
        return True

    def _epoch(self) -> bool:
        state, began = self.progress, time.monotonic()
        before, first, saved = state.seconds, state.batch, began
        measure = Measure(self.model, self.loss, self.batch_size)
        measure.restore(state.batch, state.sums)
        arguments = self.model, self.optimiser, self.scheduler, self.batch_size, measure, self.augmentation
        steps = train_batches(state.epoch, self.rows, *arguments)
        total = batches_per_epoch(len(self.rows), self.batch_size)
        title = f"epoch {state.epoch + 1}/{self.epochs}"
        for _ in Bar(steps, title, total, measure) if self.bar else steps:
            if self.recorder is not None:
                self.recorder.step(self.optimiser.steps)
            now = time.monotonic()
            if measure.batches < total and (self.signal or now - saved > SAVE_SECONDS):
                self._check(measure.averages().loss)
                state.batch, state.sums, state.seconds = measure.batches, measure.sums(), before + now - began
                if self.writes:
                    self.save_checkpoint()
                saved = now
                if self.signal:
                    return False
        rate = (measure.batches - first) / max(time.monotonic() - began, 1e-9)
        self._finish_epoch(measure.averages(), rate, before, began)
        return not self.signal or state.epoch >= self.epochs or self.given_up

    @property
    def given_up(self) -> bool:
        """Whether patience is at an end."""
        errors = [row["val_mpjpe"] for row in self.progress.history]
        return bool(self.patience) and epochs_without_gain(errors, self.min_delta) >= self.patience

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            epoch = self.progress.epoch
            kept = f"the files of epoch {epoch} are kept" if epoch else "no epoch was finished"
            raise Diverged(
                f"training diverged: the loss of epoch {epoch + 1} is {loss}; lower --lr "
                f"(now {self.optimiser.lr:g}); {kept}"
            )

    def _finish_epoch(self, train: Averages, rate: float, before: float, began: float) -> None:
        state = self.progress
        self._check(train.loss)
        measured = {name: evaluate(self.model, rows, loss=self.loss) for name, rows in self.watched.items()}
        watched = {name: found.mpjpe for name, found in measured.items()}
        self._check(watched["val"])
        state.epoch, state.batch, state.sums = state.epoch + 1, 0, (0.0, 0.0)
        state.seconds = before + time.monotonic() - began
        better = watched["val"] < state.best
        if better:
            state.best, state.best_epoch = watched["val"], state.epoch
            self._keep_weights()
        errors = {f"{name}_mpjpe": value for name, value in {"train": train.mpjpe, **watched}.items()}
        row = {"epoch": state.epoch, "steps": self.optimiser.steps, "lr": self.optimiser.lr}
        row |= {"train_loss": train.loss, **errors, "seconds": round(state.seconds, 2)}
        if self.loss is not losses.mpjpe:
            row |= {f"{name}_loss": found.loss for name, found in measured.items()}
        state.history.append(row)
        if self.recorder is not None:
            self.recorder.epoch(state.epoch)
        if self.writes:
            self._write_log()
            self.save_checkpoint()
        told = "  ".join(f"{name} {value:.5f}" for name, value in {"train": train.mpjpe, **watched}.items())
        width = len(str(self.epochs))
        self.show(
            f"epoch {state.epoch:{width}d}/{self.epochs}  mpjpe: {told}  lr {row['lr']:.1e}  "
            f"{rate:.1f} it/s  {state.seconds:.0f} s{'  *' if better else ''}"
        )
        for listener in self.listeners:
            listener.after_epoch(state.history)

    def _keep_weights(self) -> None:
        if not self.writes:
            self.best_weights = self.model.state_dict()
            return
        self._put_aside(self.weights_path)
        save_state_dict(self.weights_path, self.model.state_dict())

    def _write_log(self) -> None:
        text = io.StringIO()
        rows = self.progress.history
        names = dict.fromkeys(name for row in rows for name in row)  # a resumed run may watch other poses
        writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self._put_aside(self.log_path)
        write_atomically(self.log_path, lambda file: file.write(text.getvalue().encode()))

    def save_checkpoint(self) -> None:
        if self.recorder is not None:
            found = self.recorder.arrays()
            self._put_aside(self.record_path)
            write_atomically(self.record_path, lambda file: write_npz(file, found))
        state = self.progress
        state.schedule_t = self.scheduler.t if self.scheduler else 0
        arrays = {f"model.{k}": v for k, v in self.model.snapshot().items()}
        arrays |= {f"optimiser.{k}": v for k, v in self.optimiser.state_dict().items()}
        self._put_aside(self.checkpoint_path)
        meta = {"settings": self.settings, "progress": vars(state), "epochs": self.epochs}
        save_checkpoint(self.checkpoint_path, arrays, meta)

    def _put_aside(self, path: Path) -> None:
        """Before a new run first writes one of its files: keep the earlier run's, if it is worth it."""
        if path in self.own:
            return
        self.own.add(path)
        if path.exists() and (path != self.checkpoint_path or _got_somewhere(path)):
            keep_old(path)
            self.show(f"the {path.name} of an earlier run is kept as {path.name}.old")

    def restore(self, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        """Go to where a checkpoint was written. Raises InputError if it is of another model."""
        try:
            found = {**meta["progress"], "sums": tuple(meta["progress"]["sums"])}
            for name, default in vars(Progress()).items():
                if not of_kind(found[name], default):
                    raise ValueError(f"{name} is {found[name]!r}")
            self.progress = Progress(**found)
            parts: dict[str, dict[str, np.ndarray]] = {"model": {}, "optimiser": {}}
            for name, value in arrays.items():
                part, key = name.split(".", 1)
                parts[part][key] = value
            self.model.restore(parts["model"])
            self.optimiser.load_state_dict(parts["optimiser"])
        except (KeyError, TypeError, ValueError) as problem:
            raise InputError(
                f"{self.checkpoint_path}: not a checkpoint of this model ({problem}); start anew"
            ) from problem
        self.own = {self.weights_path, self.log_path, self.checkpoint_path, self.record_path}
        if not self.weights_path.exists():
            self.progress.best = math.inf  # whatever they were, they are lost: the next epoch's are better
        if self.scheduler is not None:
            self.scheduler.seek(self.progress.schedule_t)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Within it, Ctrl-C and SIGTERM ask `fit` to stop after the batch; a second one stops at once."""

        def ask(number: int, frame: Any) -> None:
            if self.signal:
                raise KeyboardInterrupt
            self.signal = number

        try:
            before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: signals are somebody else's
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def of_kind(value: Any, default: Any) -> bool:
    """Whether a value out of a file has the type of the default in whose place it shall stand."""
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _got_somewhere(checkpoint: Path) -> bool:
    """Whether the run that wrote a checkpoint has finished an epoch."""
    try:
        _, meta = load_checkpoint(checkpoint)
        return bool(meta["progress"]["epoch"])
    except (InputError, KeyError, TypeError):
        return True  # not ours to judge
