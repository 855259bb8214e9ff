"""What a Trainer has done so far, what it watches, and who asks it to stop."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from minilift.errors import InputError
from minilift.train.patience import epochs_without_gain


@dataclass
class Progress:
    """What a Trainer has done: enough, with the network and the optimiser, to go on from there."""

    epoch: int = 0  # epochs finished
    batch: int = 0  # batches of the next one that are done already
    sums: dict[str, float] = field(default_factory=dict)  # of these batches
    seconds: float = 0.0
    best: float = math.nan  # the watched metric of the best epoch; not a number before the first
    best_epoch: int = 0
    schedule_t: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)  # the rows of log.csv

    @classmethod
    def read(cls, found: dict[str, Any]) -> Progress:
        """Out of a checkpoint. Raises KeyError for what is missing, ValueError for what has another type."""
        for name, default in vars(cls()).items():
            if not of_kind(found[name], default):
                raise ValueError(f"{name} is {found[name]!r}")
        return cls(**found)


@dataclass(frozen=True)
class Watch:
    """The metric that decides: which epoch is the best, and when patience is at an end."""

    metric: str
    best: str  # "min" or "max"
    patience: int = 0
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.best not in ("min", "max"):
            raise ValueError(f"best must be 'min' or 'max', got {self.best!r}")
        if whole("patience", self.patience) < 0:
            raise ValueError(f"patience must be at least 0, got {self.patience}")
        if not 0 <= self.min_delta < math.inf:
            raise ValueError(f"min_delta must be a number of at least 0, got {self.min_delta}")

    def better(self, value: float, than: float) -> bool:
        """Whether it is better; than nothing (not a number), everything is."""
        return math.isnan(than) or (value < than if self.best == "min" else value > than)

    def given_up(self, history: list[dict[str, Any]]) -> bool:
        sign = 1 if self.best == "min" else -1
        errors = [sign * self.of(row) for row in history]
        return bool(self.patience) and epochs_without_gain(errors, self.min_delta) >= self.patience

    def of(self, row: dict[str, Any]) -> float:
        """Its value in a row of the log: of the validation rows, or else of the training rows."""
        return float(row.get(f"val_{self.metric}", row[f"train_{self.metric}"]))

    def check_same(self, before: Any, history: list[dict[str, Any]], path: Any) -> None:
        """The best so far, and patience, are of one metric: another one cannot go on from them.

        Raises InputError where the checkpoint at `path` has watched another one, or has not measured this.
        """
        now = [self.metric, self.best]
        if before is not None and before != now:
            had, has = (" ".join(map(str, pair)) for pair in (before, now))
            raise InputError(f"{path}: watches {had}, not {has}; watch that, or start anew")
        if not all({f"val_{now[0]}", f"train_{now[0]}"} & row.keys() for row in history):
            raise InputError(f"{path}: has not measured {now[0]}; watch another metric")


class Diverged(InputError):
    """A loss became infinite or undefined."""

    @classmethod
    def in_epoch(cls, epoch: int, loss: float, lr: float) -> Diverged:
        kept = "the log and the best weights are kept" if epoch > 1 else "no epoch was finished"
        return cls(
            f"training diverged: the loss of epoch {epoch} is {loss}; use a lower learning rate "
            f"(it was {lr:g}); {kept}"
        )


class Recorder(Protocol):
    """What looks at a network while it is trained, and changes nothing (`minilift.show.runs.record`)."""

    def step(self, done: int) -> None:
        """After step number `done`, counted from 1."""

    def epoch(self, done: int) -> None:
        """After so many epochs."""

    def arrays(self) -> dict[str, Any]:
        """What it has found so far: arrays for record.npz."""


class Listener(Protocol):
    """What is told of every epoch."""

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        """The rows of log.csv, of which the last may still be on its way into the file."""


class Signals:
    """Ctrl-C and SIGTERM as a question: `number` is that of the signal that came, 0 before."""

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Within it, the first signal sets `number`; a second one stops at once."""
        self.number = 0  # what came before was for an earlier call

        def ask(number: int, frame: Any) -> None:
            if self.number:
                raise KeyboardInterrupt
            self.number = number

        try:
            before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: signals are somebody else's
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def whole(name: str, value: Any) -> int:
    """`value`. Raises ValueError unless it is a whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    return int(value)


def of_kind(value: Any, default: Any) -> bool:
    """Whether a value out of a file has the type of the default in whose place it shall stand."""
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))
