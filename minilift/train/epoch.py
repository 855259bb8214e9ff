"""One epoch of training steps, and the bar that shows it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

from minilift.optim import Schedule
from minilift.train.batches import Batches
from minilift.train.progress import Recorder
from minilift.train.step import Step, Sums


def train_epoch(
    number: int, batches: Batches, step: Step, scheduler: Schedule | None = None, *, bar: bool = True,
    recorder: Recorder | None = None,
) -> dict[str, float]:  # fmt: skip
    """Train for one epoch, from its beginning. Returns the averages of the loss and the metrics by name.

    A step of the `scheduler` follows every batch or the epoch, as its `per` says.
    """
    step.sums.restore()
    steps = step.epoch(number, batches, scheduler)
    for _ in Bar(steps, f"epoch {number}", batches.steps, step.sums) if bar else steps:
        if recorder is not None:
            recorder.step(step.optimiser.steps)
    return step.sums.averages()


class Bar:
    """A tqdm bar over training steps, with iterations a second and the running loss."""

    def __init__(self, steps: Iterator[int], title: str, total: int, sums: Sums) -> None:
        self.steps, self.title, self.total, self.sums = steps, title, total, sums

    def __iter__(self) -> Iterator[int]:
        from tqdm import tqdm

        shown, done = time.monotonic(), self.sums.batches
        live = sys.stderr is not None and sys.stderr.isatty()
        every = 0.1 if live else 10.0  # seconds: a log file is not to fill with bars
        options: dict[str, Any] = {"unit": "it", "leave": False, "disable": sys.stderr is None}
        options |= {"mininterval": every, "maxinterval": 2 * every}
        with tqdm(total=self.total, initial=done, desc=self.title, **options) as bar:
            for done in self.steps:
                bar.update(done)
                if time.monotonic() - shown > 0.25:  # the loss lies on the device: ask for it now and then
                    shown, loss = time.monotonic(), self.sums.glance()
                    if loss is not None:
                        bar.set_postfix_str(f"loss {loss:.5f}", refresh=False)
                yield done
