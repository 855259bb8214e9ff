"""Frames read ahead in a thread of their own, while those before are worked on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

from minilift.video.frame import Frame

DEPTH = 4
"""Frames that wait: 25 MB of 1080p."""


class Ahead:
    """The frames of an iterator, at most DEPTH of them in memory. `seconds` is how long the reading took.

    What the iterator raises is raised here, behind the frames before it.
    """

    def __init__(self, frames: Iterator[Frame], depth: int = DEPTH) -> None:
        self.seconds = 0.0
        self._frames, self._stop = frames, threading.Event()
        self._queue: queue.Queue[Frame | BaseException | None] = queue.Queue(depth)
        self._thread = threading.Thread(target=self._read, name="minilift-frames", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            found = self._queue.get()
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def close(self) -> None:
        """Stop reading, and wait until it has."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)  # the reader may be waiting for room
            except queue.Empty:
                continue
        self._thread.join()

    def _read(self) -> None:
        last: BaseException | None = None
        try:
            begin = time.perf_counter()
            for frame in self._frames:
                self.seconds += time.perf_counter() - begin
                self._queue.put(frame)
                if self._stop.is_set():
                    break
                begin = time.perf_counter()
        except BaseException as problem:  # whoever takes the frames is to know
            last = problem
        self._queue.put(last)
