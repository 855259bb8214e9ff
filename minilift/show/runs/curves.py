"""Charts of a training run, kept up to date while it trains (`minilift train --plot`)."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.lift.model import LiftModel
from minilift.poses.few import evenly
from minilift.poses.poses import Poses
from minilift.show.charts.training import plot_training
from minilift.show.runs.logs import read_record
from minilift.show.runs.record import SAMPLE, Recorder

SHARE = 0.1  # of the time may go into drawing, before the end


class Curves:
    """Draws `path` anew after each epoch, unless drawing would take more than a tenth of the time."""

    def __init__(self, path: str, model: LiftModel, validation: Poses) -> None:
        rows = evenly(len(validation), SAMPLE)
        points = np.asarray(validation.read(rows).joint_2d).reshape(len(rows), -1)
        self.path, self.recorder = path, Recorder(model, model.ops.asarray(points))
        self.ended = time.monotonic()  # the drawing before, or the time of the beginning
        self.cost = 0.0
        if self.recorder.why:
            print(f"note: {self.recorder.why}; {path} will be without them")

    def resume(self, record: Path, steps: int, epochs: int) -> None:
        """Go on with the record of the run so far, if it is there and can be read."""
        if not record.exists():
            return
        try:
            self.recorder.restore(read_record(record), steps, epochs)
        except InputError as error:
            print(f"warning: {self.path} starts without its earlier points ({error})", file=sys.stderr)

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        """Draw if it is time to. What goes wrong is no reason to stop training."""
        if self.cost > SHARE * (time.monotonic() - self.ended):
            return
        try:
            self.draw(history)
        except InputError as error:
            print(f"warning: {error}", file=sys.stderr)

    def draw(self, history: list[dict[str, Any]]) -> None:
        began = time.monotonic()
        try:
            plot_training(history, self.path, self.recorder.arrays())
        finally:
            self.ended = time.monotonic()
            self.cost = self.ended - began
