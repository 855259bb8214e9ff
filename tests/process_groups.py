"""Groups whose processes are threads of this one: all of the exchange but the wires."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from minilift.distributed.group import Group


class Meeting:
    """Where the threads of a group lay down what they have."""

    def __init__(self, size: int) -> None:
        self.size, self.barrier = size, threading.Barrier(size, timeout=60)
        self.table: list[Any] = [None] * size


class ThreadGroup(Group):
    kind = "threads"

    def __init__(self, meeting: Meeting, rank: int) -> None:
        self.meeting, self.rank, self.size = meeting, rank, meeting.size
        self.added: list[int] = []  # bytes of each `add`

    def _all(self, mine: Any) -> list[Any]:
        self.meeting.table[self.rank] = mine
        self.meeting.barrier.wait()
        found = list(self.meeting.table)
        self.meeting.barrier.wait()
        return found

    def add(self, array: Any) -> None:
        self.added.append(array.nbytes)
        assert array.flags.c_contiguous
        parts = self._all(array.copy())
        array[...] = np.add.reduce(parts)

    def gather(self, mine: bytes) -> list[bytes]:
        return self._all(mine)

    def copy_first(self, array: Any) -> None:
        array[...] = self._all(array.copy())[0]


def together(size: int, work: Callable[[Group], Any]) -> list[Any]:
    """work(group) in each of `size` threads; what each has returned. Raises what one of them raised."""
    meeting, found, problems = Meeting(size), [None] * size, []

    def one(rank: int) -> None:
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                found[rank] = work(ThreadGroup(meeting, rank))
        except BaseException as problem:
            problems.append(problem)
            meeting.barrier.abort()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    real = [problem for problem in problems if not isinstance(problem, threading.BrokenBarrierError)]
    if problems:
        raise (real or problems)[0]
    return found
