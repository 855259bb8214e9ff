"""What the course prints and draws while a network is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minilift.nn.network import Network
from minilift.ops import Array
from minilift.show.runs.record import FIRST_STEPS, Recorder
from minilift.train.step import Sums


class Trace(Recorder):
    """A Recorder that also tells the loss of every hundredth batch, and keeps the course's curves:

    gradient_sum   (steps,) of the first 100: the sum over the parameters of the mean of each one's gradient.
                   Signed means cancel; `gradient_mean` is that of |g|
    points         (k, 3): after every 100 batches of all epochs, the number of the step, the mean loss of
                   these batches, and what `check` gives (NaN without it)

    rows, batch    of an epoch and of a batch: what the lines show
    """

    def __init__(
        self, network: Network, sample: Array, rows: int, batch: int, say: Callable[[str], None],
        check: Callable[[], float] | None = None, every: int = 100,
    ) -> None:  # fmt: skip
        super().__init__(network, sample)
        self.rows, self.batch, self.say, self.check, self.every = rows, batch, say, check, every
        self.sums: Sums | None = None  # of the training step; a Trainer has it once it is made
        self.signed: list[float] = []
        self.points: list[tuple[float, float, float]] = []
        # Batches of this epoch and their losses when the latest hundred began; negative: before the epoch
        self.began = 0, 0.0
        self.finished = 0  # epochs
        self.before = 0.0  # the sum of losses up to the batch before

    def step(self, done: int) -> None:
        """After step number `done`: every batch's own loss is the growth of the sum."""
        super().step(done)
        assert self.sums is not None, "set `sums` to those of the Trainer's step"
        batches = self.sums.batches
        if batches == 1:
            self.say(f"Epoch {self.finished + 1}\n{'-' * 31}")
            self.before = 0.0
        if not self.why and done == len(self.signed) + 1 <= FIRST_STEPS:
            means = (float(np.mean(p.grad, dtype=np.float64)) for p in self.network.parameters())
            self.signed.append(sum(means))
        if batches % self.every > 1 and done % self.every:  # nothing to tell: a device need not be waited for
            return
        total = self.sums.read()["loss"]
        if (batches - 1) % self.every == 0:
            self.say(f"loss: {total - self.before:>7f}  [{(batches - 1) * self.batch:>5d}/{self.rows:>5d}]")
        self.before = total
        if done % self.every == 0:
            count = batches - self.began[0]
            mean = (total - self.began[1]) / count if count > 0 else math.nan
            self.points.append((done, mean, self.check() if self.check else math.nan))
            self.began = batches, total

    def epoch(self, done: int) -> None:
        super().epoch(done)
        self.finished = done
        if self.sums is not None:  # what is left over goes into the next epoch's first hundred
            batches, total = self.began
            self.began = batches - self.sums.batches, total - self.sums.read()["loss"]

    def arrays(self) -> dict[str, np.ndarray]:
        points = np.reshape(self.points, (-1, 3))
        curves = {"gradient_sum": self.signed, "points": points, "began": self.began}
        return super().arrays() | {name: np.array(c, np.float64) for name, c in curves.items()}

    def restore(self, arrays: Mapping[str, np.ndarray], steps: int, epochs: int) -> None:
        super().restore(arrays, steps, epochs)
        self.finished = epochs
        if {"gradient_sum", "points"} <= arrays.keys() and arrays["points"].shape[1:] == (3,):
            self.signed = arrays["gradient_sum"][:steps].tolist()
            self.points = [tuple(p) for p in arrays["points"].tolist() if p[0] <= steps]
        assert self.sums is not None
        self.before = self.sums.read()["loss"]
        self.began = self.sums.batches, self.before
        began = arrays.get("began", np.zeros(0))
        if began.shape == (2,) and began[0] == self.sums.batches - steps % self.every:
            self.began = int(began[0]), float(began[1])


class Announcer:
    """A listener that tells every epoch as the course does; `rate` is the metric shown as a percentage."""

    def __init__(self, say: Callable[[str], None], part: str, rate: str = "accuracy") -> None:
        self.say, self.part, self.rate = say, part, rate

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        row = history[-1]
        rate, loss = row.get(f"{self.part}_{self.rate}"), row[f"{self.part}_loss"]
        title = {"val": "Validation", "test": "Test", "train": "Training"}[self.part]
        told = "" if rate is None else f"Accuracy: {100 * rate:>0.1f}%, "
        self.say(f"{title} Error:\n {told}Avg loss: {loss:>8f}\n")
