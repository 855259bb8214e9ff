"""The files of a training run: each replaced at once, and what an earlier run left kept."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, keep_old, os_error, write_atomically
from minilift.files.checkpoint import load_checkpoint, packed
from minilift.files.npz import write_npz
from minilift.files.runs.writer import Writer
from minilift.files.weights import save_state_dict

Arrays = Mapping[str, np.ndarray]


class RunFiles:
    """Weights, log.csv, checkpoint.npz and record.npz in a folder; with `folder` None nothing is written.

    A kill at any time leaves whole files. What an earlier run left under these names gets the ending .old
    before this one first writes there. The arrays that are given to be written must be copies.
    """

    def __init__(self, folder: PathLike | None, weights: str, show: Callable[[str], None]) -> None:
        place = Path(folder or "")
        self.writes, self.show = folder is not None, show
        self.weights, self.log = place / weights, place / "log.csv"
        self.checkpoint, self.record = place / "checkpoint.npz", place / "record.npz"
        if not weights or self.weights in (self.log, self.checkpoint, self.record):
            raise ValueError(f"Trainer: weights must be a file name of its own, got {weights!r}")
        self.own: set[Path] = set()  # the files that this run has written, or continues
        self.writer: Writer | None = None

    def check(self, settings: Any) -> None:
        """Before hours are spent: raises InputError where a file cannot be written, ValueError for settings
        that JSON cannot say."""
        if not self.writes:
            return
        try:
            json.dumps(settings)
        except (TypeError, ValueError) as problem:
            raise ValueError(f"Trainer: settings must be what JSON can say ({problem})") from None
        for path in self._all:
            if path.exists() and not path.is_file():
                raise file_error(path, "is not a regular file; choose another folder")
        for folder in {self.log.parent, self.weights.parent}:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with TemporaryFile(dir=folder):
                    pass
            except OSError as problem:
                raise os_error(folder, problem, "give a folder that can be written") from None

    @property
    def is_own(self) -> bool:
        """Whether the checkpoint that is there, or will be at once, is this run's."""
        return self.checkpoint in self.own

    def continue_run(self) -> None:
        """The files that are there are this run's own."""
        self.own = set(self._all)

    @contextmanager
    def behind(self) -> Iterator[None]:
        """Within it, files are written while training goes on; when it ends, they are there.

        The checkpoint is the last of those that are written together: its best epoch is never one whose
        weights are not there. What cannot be written is raised by the next `poll` or write, or at the end.
        """
        writer = self.writer = Writer([str(path) for path in self._all])
        try:
            yield
        except BaseException as ending:
            problem = writer.finish()
            if problem is not None and problem is not ending:
                self.show(str(problem))
            raise
        else:
            if (problem := writer.finish()) is not None:
                raise problem
        finally:
            self.writer = None

    @property
    def _all(self) -> tuple[Path, ...]:
        return self.weights, self.log, self.record, self.checkpoint

    def poll(self) -> bool:
        """Whether a checkpoint can be written, and none is on its way. Raises what could not be written."""
        if self.writer is None:
            return self.writes
        self.writer.check()
        return self.writes and not self.writer.busy(str(self.checkpoint))

    def write_weights(self, state: Arrays) -> None:
        self._write(self.weights, lambda: save_state_dict(self.weights, state))

    def write_log(self, rows: list[dict[str, Any]]) -> None:
        text = io.StringIO()
        names = dict.fromkeys(name for row in rows for name in row)  # a resumed run may measure other sets
        writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode()
        self._write(self.log, lambda: write_atomically(self.log, lambda file: file.write(content)))

    def write_record(self, arrays: Arrays) -> None:
        self._write_arrays(self.record, arrays)

    def write_checkpoint(self, arrays: Arrays, meta: Mapping[str, Any]) -> None:
        self._write_arrays(self.checkpoint, packed(arrays, meta))

    def _write_arrays(self, path: Path, arrays: Arrays) -> None:
        self._write(path, lambda: write_atomically(path, lambda file: write_npz(file, arrays)))

    def _write(self, path: Path, job: Callable[[], object]) -> None:
        self._put_aside(path)
        if self.writer is None:
            job()
        else:
            self.writer.put(str(path), job)

    def _put_aside(self, path: Path) -> None:
        """Before a new run first writes one of its files: keep the earlier run's, if it is worth it."""
        if path in self.own:
            return
        self.own.add(path)
        if path.exists() and (path != self.checkpoint or _got_somewhere(path)):
            self.show(f"the {path.name} of an earlier run is kept as {keep_old(path).name}")


def _got_somewhere(checkpoint: Path) -> bool:
    """Whether the run that wrote a checkpoint has finished an epoch."""
    try:
        _, meta = load_checkpoint(checkpoint)
        return bool(meta["progress"]["epoch"])
    except (InputError, KeyError, TypeError):
        return True  # not ours to judge
