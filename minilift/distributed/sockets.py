"""A group over TCP alone, for launchers that set addresses instead of starting an MPI, as torchrun does."""

from __future__ import annotations

import selectors
from itertools import pairwise
from typing import Any

import numpy as np

from minilift.distributed.group import Group, Lost
from minilift.distributed.meeting import Meeting
from minilift.errors import InputError


class SocketGroup(Group):
    """A ring: what passes goes from each process to the next.

    A sum takes two rounds (Patarasuk & Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
    workstations", 2009): each of `size` parts of the array is added up on its way round, and then handed
    round. So each process sends 2 (size - 1) / size times the array's bytes, and all get the same bits.
    Raises InputError for a rank that is none, and Lost as `Meeting`.
    """

    kind = "TCP"

    def __init__(self, rank: int, size: int, address: str, port: int, job: int = 0) -> None:
        if not 0 <= rank < size:
            raise InputError(f"rank {rank} of {size} processes: ranks are 0 to {size - 1}")
        self.rank, self.size = rank, size
        if size == 1:
            return
        self.left, self.right = Meeting(rank, size, address, port, job).ring()
        self.waiting = selectors.DefaultSelector()
        self.waiting.register(self.left, selectors.EVENT_READ)
        self.waiting.register(self.right, selectors.EVENT_WRITE)

    def _pass(self, send: Any, into: Any) -> None:
        """Send these bytes on and take those that come, both at once."""
        out, back = memoryview(send).cast("B"), memoryview(into).cast("B")
        while out or back:
            try:
                sent = self.right.send(out) if out else 0
            except BlockingIOError:
                sent = 0
            except OSError as problem:
                raise self._lost(self.rank + 1, problem.strerror) from None
            out = out[sent:]
            try:
                got = self.left.recv_into(back) if back else -1
            except BlockingIOError:
                got = -1
            except OSError as problem:
                raise self._lost(self.rank - 1, problem.strerror) from None
            if not got:
                raise self._lost(self.rank - 1, "it has ended")
            back = back[max(got, 0) :]
            if not sent and got < 0:
                self._wait(bool(out), bool(back))

    def _wait(self, writing: bool, reading: bool) -> None:
        for end, event, wanted in (
            (self.right, selectors.EVENT_WRITE, writing),
            (self.left, selectors.EVENT_READ, reading),
        ):
            known = end in self.waiting.get_map()
            if wanted and not known:
                self.waiting.register(end, event)
            elif known and not wanted:
                self.waiting.unregister(end)
        self.waiting.select()

    def _lost(self, rank: int, reason: str | None) -> Lost:
        return Lost(f"the process of rank {rank % self.size} is gone ({reason}); start all again, and resume")

    def add(self, array: Any) -> None:
        if self.size == 1:
            return
        flat = array.reshape(-1)
        bounds = [flat.size * part // self.size for part in range(self.size + 1)]
        parts = [flat[a:b] for a, b in pairwise(bounds)]
        room = np.empty(max(part.size for part in parts), flat.dtype)
        for turn in range(self.size - 1):
            own = parts[(self.rank - turn - 1) % self.size]
            self._pass(parts[(self.rank - turn) % self.size], room[: own.size])
            np.add(own, room[: own.size], out=own)
        for turn in range(self.size - 1):
            self._pass(parts[(self.rank - turn + 1) % self.size], parts[(self.rank - turn) % self.size])

    def gather(self, mine: bytes) -> list[bytes]:
        found = [bytearray(mine or b"\0") for _ in range(self.size)]
        for turn in range(self.size - 1):
            into = (self.rank - turn - 1) % self.size
            self._pass(found[(self.rank - turn) % self.size], found[into])
        return [bytes(part) if mine else b"" for part in found]

    def copy_first(self, array: Any) -> None:
        if self.size == 1:
            return
        flat, nothing = array.reshape(-1), bytearray()
        if self.rank:
            self._pass(nothing, flat)
        if self.rank < self.size - 1:
            self._pass(flat, nothing)

    def close(self) -> None:
        if self.size == 1:
            return
        self.wait()
        self.waiting.close()
        for end in (self.left, self.right):
            end.close()
