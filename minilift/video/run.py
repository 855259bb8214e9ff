"""People found in a video, frame after frame, in threads beside the one that lifts them.

One thread reads and decodes, one finds people and keeps them in a file, and whoever asks for `parts` has the
frames so far: all three work at the same time, and no more than a few frames are in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.poses.read.keypoints.numeric.kept import ROWS, raw_of
from minilift.poses.read.keypoints.raw import Raw
from minilift.video.ahead import Ahead
from minilift.video.frame import Frame, Frames, Mark, fingerprint
from minilift.video.kept.arrays import arrays_of, write_kept
from minilift.video.kept.records import Record, RecordFile
from minilift.video.person import Detector, Person, Remembers


@dataclass
class Speed:
    """What was done in this run, and how long each part of it was at work."""

    frames: int = 0
    reading: float = 0.0
    """Seconds of the thread that decodes."""
    finding: float = 0.0
    """Seconds of the detector."""


class Detection:
    """The people of a clip, while they are found. `file` may hold the first of the frames already.

    Only every `every`-th frame is looked at. `progress` is told the number of frames done, each time.
    """

    def __init__(
        self, frames: Frames, detector: Detector, file: RecordFile, every: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> None:  # fmt: skip
        self.frames, self.detector, self.file, self.every = frames, detector, file, every
        self.speed, self.complete = Speed(), False
        self.light = 0.0
        self._progress, self._stop = progress, threading.Event()
        self._change, self._done = threading.Condition(), False
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="minilift-detector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No further frame is looked at: `parts` ends with those that are done."""
        self._stop.set()

    def close(self) -> None:
        self.stop()
        self._thread.join()
        self.file.close()

    def parts(self, rows: int = ROWS) -> Iterator[Raw]:
        """What is found, from the first frame on, `rows` detections at a time, as soon as they are there.

        Raises what reading or finding raised, behind the parts before it.
        """
        some, n = list[Record](), 0
        light, count = 0.0, 0
        for record in self._records():
            some.append(record)
            n += len(record.weight)
            light, count = light + record.light, count + 1
            self.light = light / count
            if n >= rows:
                yield self._raw(some)
                some, n = [], 0
        if some:
            yield self._raw(some)

    def keep(self, path: Path) -> None:
        """Write NAME_2d.npz of all frames that are done. Raises InputError."""
        write_kept(path, self.file, self.complete, self.frames.notes, self.frames.warnings)

    def _raw(self, records: list[Record]) -> Raw:
        found = arrays_of(self.file.about, records, self.frames.notes, self.frames.warnings)
        return raw_of(found, slice(None), slice(None))

    def _records(self) -> Iterator[Record]:
        given, source = 0, self.file.records()
        while True:
            with self._change:
                while self.file.count <= given and not self._done:
                    self._change.wait()
            if self.file.count <= given:
                break
            yield next(source)
            given += 1
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            self.complete = self._all_frames()
        except BaseException as problem:  # told to whoever asks for parts
            self._problem = problem
        finally:
            with self._change:
                self._done = True
                self._change.notify_all()

    def _all_frames(self) -> bool:
        """Whether they are all done."""
        last = self.file.last
        if isinstance(self.detector, Remembers):
            if last is None:
                self.detector.reset()
            else:
                self.detector.recall(last.remembered)
        start = 0 if last is None else last.number + 1
        mark = None if last is None else Mark(last.time, last.print)
        ahead = Ahead(self.frames.frames(start, mark))
        try:
            for frame in self._readable(ahead):
                if self._stop.is_set():
                    return False
                if frame.number % self.every == 0:
                    self._look(frame)
                self.speed.reading = ahead.seconds
        finally:
            ahead.close()
        return True

    def _readable(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames up to the first that cannot be read: what is before it is used, with a warning."""
        try:
            yield from frames
        except InputError as problem:
            if not self.file.count:
                raise
            self.frames.warnings.append(str(problem))

    def _look(self, frame: Frame) -> None:
        begin = time.perf_counter()
        people = self.detector(frame)
        self.speed.finding += time.perf_counter() - begin
        self.speed.frames += 1
        with self._change:
            known = self.detector.remembered() if isinstance(self.detector, Remembers) else b""
            self.file.append(replace(record_of(frame, people, self.frames.size), remembered=known))
            self._change.notify_all()
        if self._progress is not None:
            self._progress(1)


def record_of(frame: Frame, people: list[Person], size: tuple[int, int]) -> Record:
    """What was found in a frame, in pixels of the whole picture of `size`."""
    height, width = frame.image.shape[:2]
    scale = np.array([size[0] / width, size[1] / height])
    rows = []
    for person in people:
        xy = np.where(person.missing[:, None], np.nan, person.xy * scale)
        rows.append(np.concatenate([xy, np.asarray(person.score)[:, None]], axis=1))
    weights = [np.nan if person.weight is None else person.weight for person in people]
    return Record(
        frame.number, frame.time, fingerprint(frame.image), float(frame.image[::16, ::16].mean()),
        np.array(rows, np.float32).reshape(len(rows), -1, 3) if rows else np.zeros((0, 0, 3), np.float32),
        np.array(weights, np.float32),
    )  # fmt: skip
