"""All cores for NumPy: a team of threads, and BLAS held to one thread a call while the team works.

Two pools do not share two cores: a worker of OpenBLAS spins for some 25 ms after each product, and NumPy's
ufuncs, which know no threads, are slowed by it more than a second thread of ours would help. So the products
are split here as well, a part for each thread, which also leaves nothing to chance in the order of sums.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from queue import SimpleQueue

import numpy as np

from minilift.ops.blas.bundled import blas

LARGEST_TEAM = 8  # the interpreter lock serves more threads badly: every ufunc call takes it for about 1 us


class _Helper:
    """What passes between the caller and one helper: numbers of calls, each larger than the one before."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[int] = SimpleQueue()
        self.asked = self.finished = 0
        self.news: SimpleQueue[None] = SimpleQueue()  # something each time that `finished` has changed


class Team:
    """The calling thread and `size - 1` helpers, which sleep until there is work."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._process = 0
        self._free = threading.Lock()
        self._helpers: list[_Helper] = []
        self._call = 0
        self._job: Callable[[int], None] | None = None
        self._numbers: Iterator[int] = iter(())
        self._problem: BaseException | None = None

    def run(self, job: Callable[[int], None], count: int) -> None:
        """job(0) ... job(count - 1), each once, on whichever thread is free; returns when all are done.

        They must not write into what another reads. Raises what a job raised. Where the team is already at
        work, for another thread or for the job that asks, the caller does it all alone.
        """
        if count < 2 or self.size < 2 or not self._free.acquire(blocking=False):
            for i in range(count):
                job(i)
            return
        try:
            if self._process != os.getpid():  # the threads of a process do not follow it through a fork
                self._start()
            self._job, self._numbers, self._problem = job, iter(range(count)), None
            self._call += 1
            called = self._helpers[: count - 1]
            while True:
                # Ctrl-C may come at any line, and waits for the helpers, who write into the caller's arrays.
                # So all of it can be done again, as a new call; who is asked twice finds nothing to do.
                try:
                    for helper in called:
                        if helper.asked < self._call:
                            helper.calls.put(self._call)
                            helper.asked = self._call
                    self._work()
                    for helper in called:
                        while helper.finished < self._call or not helper.news.empty():
                            helper.news.get()
                    break
                except BaseException as problem:
                    self._problem = problem
                    self._call += 1
            found, self._job, self._problem = self._problem, None, None
            if found is not None:
                raise found
        finally:
            self._free.release()

    def _start(self) -> None:
        helpers = [_Helper() for _ in range(self.size - 1)]
        for helper in helpers:
            threading.Thread(target=self._help, args=(helper,), name="minilift", daemon=True).start()
        self._helpers, self._process = helpers, os.getpid()  # last: Ctrl-C may come while threads are started

    def _help(self, helper: _Helper) -> None:
        with np.errstate(all="ignore"):  # the calling thread has its share of the work, and warns
            while True:
                call = helper.calls.get()
                self._work()
                helper.finished = call
                helper.news.put(None)

    def _work(self) -> None:
        try:
            for i in self._numbers:  # one iterator for all: each number is taken once
                self._job(i)  # type: ignore[misc]
        except BaseException as problem:
            self._problem = problem


@lru_cache
def team() -> Team:
    """The process's team: as many threads as BLAS would use, alone where its threads cannot be held."""
    return Team(min(blas().threads or 1, LARGEST_TEAM))


@contextmanager
def limited(count: int) -> Iterator[None]:
    """Within it, the process computes on at most `count` threads: BLAS, and the team.

    For programs that train several networks at once. How work is cut, and so its rounding, depends on the
    number of threads: the same number, the same bits. Where BLAS's threads cannot be held, the team is of one
    and BLAS follows its environment variable (OMP_NUM_THREADS), set before Python starts.
    """
    before = blas().threads
    if before is None:
        yield
        return
    blas().hold(min(count, before))
    team.cache_clear()
    try:
        yield
    finally:
        blas().hold(before)
        team.cache_clear()
