"""Event files for TensorBoard, one point of every curve for each epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minilift.extras import load
from minilift.files import PathLike, os_error

SETS = ("train", "val", "test")


class EventFiles:
    """Writes what a Trainer tells after each epoch into a folder of event files.

    Tags are loss/train, loss/val, loss/test, mpjpe/... (units) and learning_rate; steps are epochs, counted
    from 1; the time of a point is that at which its epoch ended, pauses of the run left out.

    A run that is resumed begins a new file, with all its epochs: TensorBoard forgets what earlier files of
    the folder have (it is told to by a START at step 0), so that epochs that were lost with a kill, or made
    before the folder was asked for, are there once. Raises InputError where tensorboardX is missing.
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder).absolute()
        self.files: Any = _tensorboard("event_file_writer")
        self.event: Any = _tensorboard("proto.event_pb2")
        self.summary: Any = _tensorboard("summary")
        self.writer: Any = None
        self.written = 0  # rows of the history

    def after_epoch(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows that are new. A full disk is no reason to stop training: it is a warning."""
        began = time.time() - float(history[-1]["seconds"])
        try:
            if self.writer is None:
                self._open()
            for row in history[self.written :]:
                self._write(row, began + float(row["seconds"]))
            self.writer.flush()
            self.written = len(history)
        except OSError as error:
            self.writer, self.written = None, 0  # the next epoch tries again, with a file of its own
            problem = os_error(self.folder, error, "training goes on")
            print(f"warning: {problem}", file=sys.stderr)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.writer = self.files.EventsWriter(str(self.folder / "events"))
        start = {"status": self.event.SessionLog.START}
        self.writer.write_event(self.event.Event(step=0, wall_time=time.time(), session_log=start))

    def _write(self, row: Mapping[str, Any], when: float) -> None:
        for tag, value in scalars(row).items():
            made = self.summary.scalar(tag, value)
            event = self.event.Event(step=int(row["epoch"]), wall_time=when, summary=made)
            self.writer.write_event(event)


def scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """The points of one row of log.csv, by tag."""
    found = {"learning_rate": float(row["lr"])}
    for column, value in row.items():
        part, _, metric = column.partition("_")
        if part in SETS:
            found[f"{metric}/{part}"] = float(value)
    return found


def _tensorboard(module: str) -> Any:
    return load(f"tensorboardX.{module}", "a TensorBoard log")
