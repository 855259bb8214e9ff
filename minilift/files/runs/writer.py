"""Files that are written while the program goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

Job = Callable[[], object]


class Writer:
    """Writes files in a thread of its own, which the first of them starts.

    A job writes one file, out of what nobody else changes. Jobs wait under `names`, and of each name only the
    latest: nobody has seen what it replaces. All that wait are done together, in the order of the names, so
    that a file which tells of another is never the newer of the two. A job that fails is the last one: its
    problem is raised by the next `put` or `check`, or returned by `finish`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._waiting: dict[str, Job] = {}
        self._under_way: tuple[str, ...] = ()
        self._ending = False
        self._problem: BaseException | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def put(self, name: str, job: Job) -> None:
        """Let the thread do this, too. Raises what an earlier job has raised."""
        self.check()
        with self._changed:
            self._waiting[name] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="minilift-writer", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def busy(self, name: str) -> bool:
        """Whether a job of this name waits or is under way."""
        with self._changed:
            return name in self._waiting or name in self._under_way

    def check(self) -> None:
        """Raise what a job has raised, if one has."""
        if self._problem is not None:
            raise self._problem

    def finish(self) -> BaseException | None:
        """Wait until all is written, and end the thread; what a job has raised, or None.

        In a process that was forked from the one which writes there is no such thread, and nothing to do; not
        even the lock can be taken, if the thread had it just then.
        """
        if self._thread is None or os.getpid() != self._process:
            return None
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()
        return self._problem

    def _work(self) -> None:
        while jobs := self._next():
            try:
                for name in self.names:
                    if name in jobs:
                        jobs.pop(name)()
            except BaseException as problem:
                self._problem = problem
                return

    def _next(self) -> dict[str, Job]:
        """What waits, when there is something; nothing when it ends."""
        with self._changed:
            self._under_way = ()
            self._changed.wait_for(lambda: self._waiting or self._ending)
            jobs, self._waiting = self._waiting, {}
            self._under_way = tuple(jobs)
            return jobs
