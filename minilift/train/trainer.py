"""The Trainer: strings epochs together, and keeps the best weights and what it needs to go on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike
from minilift.files.checkpoint import load_checkpoint
from minilift.files.runs.every import Every
from minilift.files.runs.files import RunFiles
from minilift.nn.network import Network
from minilift.optim import Optimiser, Schedule
from minilift.train.batches import Batches
from minilift.train.epoch import Bar
from minilift.train.measure import Measure
from minilift.train.progress import Diverged, Listener, Progress, Recorder, Signals, Watch, whole
from minilift.train.put_back import put_back
from minilift.train.step import Loss, Metric, PlainStep, Step, check_fit


class Trainer:
    """Epochs of training with validation, the best weights, a log and a checkpoint kept in `out`.

        trainer = Trainer(net, CrossEntropy(), Adam(net.parameters()), metrics={"accuracy": accuracy},
                          watch="accuracy", best="max", out="run")
        trainer.fit(Batches(x, y), validation=Batches(x_val, y_val, size=256), epochs=10)

    network, loss, optimiser, scheduler   any Network, a loss of `minilift.nn.losses` or like them
    metrics           what is measured besides the loss, by name
    watch, best       the metric (or "loss") that decides, for the validation rows (where there are none, the
                      training rows), and whether its best is "min" or "max"
    step              how a batch is trained on (default: `PlainStep`), made of the same network, loss,
                      optimiser and metrics; and `measure`, how one is evaluated (`Measure`)
    out               the folder of the files below; None writes nothing, and the best weights are found in
                      `best_weights`
    patience          above 0, training ends where the watched metric has not become better by more than
                      `min_delta` for so many epochs
    listeners         are told of every epoch
    checkpoint_every  how often checkpoint.npz is replaced: "30s", "5m", "1h" or, at the ends of epochs alone,
                      "1epoch"; a kill costs what came after it
    settings          kept in the checkpoint for whoever resumes: anything that JSON can say

    `weights` (its name)   the weights of the best epoch
    log.csv                a row per epoch
    checkpoint.npz         all that is needed to continue, to the bit: `resume`
    record.npz             what a `recorder` has found, if there is one
    They are written while training goes on; when `fit` returns or raises, they are there.
    """

    def __init__(
        self, network: Network, loss: Loss, optimiser: Optimiser, scheduler: Schedule | None = None, *,
        metrics: Mapping[str, Metric] | None = None, watch: str = "loss", best: str = "min",
        step: Step | None = None, measure: Measure | None = None, out: PathLike | None = None,
        weights: str = "weights.pt", patience: int = 0, min_delta: float = 0.0,
        settings: dict[str, Any] | None = None,
        show: Callable[[str], None] = print, bar: bool = True, recorder: Recorder | None = None,
        listeners: Sequence[Listener] = (), checkpoint_every: str | float = "30s",
    ) -> None:  # fmt: skip
        if not isinstance(network, Network):
            kind = type(network).__name__
            raise TypeError(f"Trainer: network is a {kind}, which is no Network; wrap it in Sequential")
        if watch not in ("loss", *(metrics or {})):
            known = ", ".join(("loss", *(metrics or {})))
            raise ValueError(f"Trainer: watch {watch!r} is not measured; use one of {known}")
        self.network, self.optimiser, self.scheduler = network, optimiser, scheduler
        self.step = step or PlainStep(network, loss, optimiser, metrics)
        self.measure = measure or Measure(network, loss, metrics)
        same = self.step.network is network and self.step.optimiser is optimiser
        if not same or self.step.sums.totals.keys() != self.measure.sums.totals.keys():
            raise ValueError("Trainer: step is made of another network, optimiser or metrics than given here")
        self.watch = Watch(watch, best, patience, min_delta)
        self.settings, self.show, self.bar = settings or {}, show, bar
        self.listeners, self.recorder = list(listeners), recorder
        self.files = RunFiles(out, weights, show)
        self.weights_path, self.log_path = self.files.weights, self.files.log
        self.checkpoint_path, self.record_path = self.files.checkpoint, self.files.record
        self.every, self._saved = Every.of(checkpoint_every), (0.0, 0, 0)  # when, epoch, batch
        self.best_weights: dict[str, np.ndarray] = {}
        self.progress, self.signals, self.epochs = Progress(), Signals(), 0
        self.cut: dict[str, Any] = {}  # rows, size and seed of the batches of the latest epoch

    @property
    def signal(self) -> int:
        """The number of the signal that asked to finish the batch, save and return; 0 for none."""
        return self.signals.number

    @property
    def given_up(self) -> bool:
        """Whether patience is at an end."""
        return self.watch.given_up(self.progress.history)

    def fit(
        self, train: Batches, validation: Batches | None = None, test: Batches | None = None, *, epochs: int
    ) -> bool:  # fmt: skip
        """Train until so many epochs are done in all. False if a signal (Ctrl-C, or a request to terminate)
        came first: then the checkpoint is written, and `resume` goes on from there.

        `validation` is measured after every epoch, and so is `test`, on which nothing depends. Raises
        Diverged where a loss is not finite, InputError where `out` cannot be written or an epoch that was
        begun would be ended with other batches, and ValueError for a network that was moved or changed since.
        """
        if whole("Trainer: epochs", epochs) < 0:
            raise ValueError(f"Trainer: epochs must be at least 0, got {epochs}")
        check_fit(self.network, self.step.optimiser)
        self.files.check(self.settings)
        self._check_middle(train)
        others = {"val": validation, "test": test}
        measured = {name: batches for name, batches in others.items() if batches is not None}
        self.epochs = epochs
        # Overflow on the way to a loss of NaN needs no warnings of NumPy's: _check says it in one line
        quiet, stopped = np.errstate(over="ignore", invalid="ignore", divide="ignore"), False
        with self.signals.caught(), quiet, self.files.behind():
            self._mark()
            if self.recorder is not None and not self.optimiser.steps:
                self.recorder.epoch(0)
            while self.progress.epoch < epochs and not self.given_up:
                if stopped := not self._epoch(train, measured):
                    break
            if self._saved[1:] != (self.progress.epoch, self.progress.batch):
                self.save_checkpoint()
        return not stopped

    def _check_middle(self, train: Batches) -> None:
        """Raises InputError where the batches of a begun epoch would not be the rest of those it had."""
        now = {"rows": len(train), "size": train.size, "seed": train.seed}
        if self.progress.batch and self.cut not in ({}, now):
            had, has = (", ".join(f"{k} {v}" for k, v in cut.items()) for cut in (self.cut, now))
            epoch = self.progress.epoch + 1
            raise InputError(f"epoch {epoch} was begun with batches of {had}, not {has}; end it with those")
        self.cut = now

    def _epoch(self, train: Batches, measured: Mapping[str, Batches]) -> bool:
        state, sums, began = self.progress, self.step.sums, time.monotonic()
        before, first = state.seconds, state.batch
        sums.restore(state.batch, state.sums)
        steps = self.step.epoch(state.epoch, train, self.scheduler)
        title = f"epoch {state.epoch + 1}/{self.epochs}"
        for _ in Bar(steps, title, train.steps, sums) if self.bar else steps:
            if self.recorder is not None:
                self.recorder.step(self.optimiser.steps)
            if sums.batches < train.steps and (self._due() or self.signal):
                state.batch, state.sums = sums.batches, sums.read()
                self._check(state.sums["loss"])
                state.seconds = before + time.monotonic() - began
                self.save_checkpoint()
                if self.signal:
                    return False
        rate = (sums.batches - first) / max(time.monotonic() - began, 1e-9)
        found = {"train": sums.averages()}
        self._check(found["train"]["loss"])
        found |= {name: self.measure(batches) for name, batches in measured.items()}
        self._finish_epoch(found, rate, before + time.monotonic() - began)
        return not self.signal or state.epoch >= self.epochs or self.given_up

    def _check(self, value: float) -> None:
        if not math.isfinite(value):
            lr = getattr(self.scheduler, "base_lr", self.optimiser.lr)
            raise Diverged.in_epoch(self.progress.epoch + 1, value, lr)

    def _finish_epoch(self, found: dict[str, dict[str, float]], rate: float, seconds: float) -> None:
        state = self.progress
        row = {"epoch": state.epoch + 1, "steps": self.optimiser.steps, "lr": self.optimiser.lr}
        row |= {f"{name}_{key}": value for name, values in found.items() for key, value in values.items()}
        row["seconds"] = round(seconds, 2)
        watched = self.watch.of(row)
        self._check(watched)
        state.epoch, state.batch, state.sums, state.seconds = state.epoch + 1, 0, {}, seconds
        better = self.watch.better(watched, than=state.best)
        row["kept"] = int(better)  # the last epoch with a 1 is the one of the weights
        if better:
            state.best, state.best_epoch = watched, state.epoch
            self._keep_weights()
        state.history.append(row)
        if self.recorder is not None:
            self.recorder.epoch(state.epoch)
        if self.files.writes:
            self.files.write_log(state.history)
            if self._due(state.epoch) or not self.files.is_own:  # else another run's would lie beside these
                self.save_checkpoint()
        metric, width = self.watch.metric, len(str(self.epochs))
        told = "  ".join(f"{name} {values[metric]:.5f}" for name, values in found.items())
        pace = f"lr {row['lr']:.1e}  {rate:.1f} it/s  {seconds:.0f} s{'  *' if better else ''}"
        self.show(f"epoch {state.epoch:{width}d}/{self.epochs}  {metric}: {told}  {pace}")
        for listener in self.listeners:
            listener.after_epoch(state.history)

    def _keep_weights(self) -> None:
        if self.files.writes:
            self.files.write_weights(self.network.state_dict())
        else:
            self.best_weights = self.network.state_dict()

    def save_checkpoint(self) -> None:
        """Write checkpoint.npz, and record.npz if there is a recorder."""
        self._mark()
        if not self.files.writes:
            return
        if self.recorder is not None:
            self.files.write_record(self.recorder.arrays())
        state = self.progress
        state.schedule_t = self.scheduler.t if self.scheduler else 0
        arrays = {f"network.{k}": v for k, v in self.network.snapshot().items()}
        arrays |= {f"optimiser.{k}": v for k, v in self.optimiser.state_dict().items()}
        meta = {"settings": self.settings, "progress": vars(state), "epochs": self.epochs}
        meta |= {"watch": [self.watch.metric, self.watch.best], "batches": self.cut}
        meta["optimiser"] = type(self.optimiser).__name__
        self.files.write_checkpoint(arrays, meta)

    def _mark(self) -> None:
        self._saved = time.monotonic(), self.progress.epoch, self.progress.batch

    def _due(self, epoch: int = 0) -> bool:
        """Whether a checkpoint is due, here or at the end of epoch number `epoch`."""
        free = self.files.poll()  # one that waits to be written is replaced at the end of an epoch only
        return (free or epoch > 0) and self.every.after(time.monotonic() - self._saved[0], epoch)

    def resume(self) -> bool:
        """Go to where the checkpoint in `out` was written; False where there is none. Raises as `restore`."""
        if not self.files.writes or not self.checkpoint_path.exists():
            return False
        self.restore(*load_checkpoint(self.checkpoint_path))
        return True

    def restore(self, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        """Go to where a checkpoint was written.

        Raises InputError if it is of another network, optimiser, watch or best; then nothing has changed.
        """
        try:
            state = Progress.read(meta["progress"])
            if state.sums and state.sums.keys() != self.step.sums.totals.keys():
                raise ValueError(f"it measures {', '.join(state.sums)}")
            self.watch.check_same(meta.get("watch"), state.history, self.checkpoint_path)
            put_back(self.network, self.optimiser, arrays, meta.get("optimiser"))
        except (KeyError, TypeError, ValueError) as problem:
            raise InputError(
                f"{self.checkpoint_path}: not a checkpoint of this network ({problem}); start anew"
            ) from problem
        self.progress, self.cut = state, dict(meta.get("batches") or {})
        self.files.continue_run()
        if not self.weights_path.exists():
            state.best = math.nan  # whatever they were, they are lost: the next epoch's are better
        if self.scheduler is not None:
            self.scheduler.seek(state.schedule_t)
