"""NCCL as CuPy has it, between stand-ins for GPUs in the threads of one process."""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fake_cuda import FakeCuda

TYPES = {7: ctypes.c_float, 8: ctypes.c_double}  # ncclDataType_t
ROOMS: dict[tuple[int, ...], Room] = {}


class NcclError(RuntimeError):
    """As cupy.cuda.nccl.NcclError."""


class Room:
    """Where the ranks of a communicator meet."""

    def __init__(self, size: int) -> None:
        self.barrier, self.table = threading.Barrier(size, timeout=30), [None] * size

    def all(self, rank: int, mine: Any) -> list[Any]:
        self.table[rank] = mine
        try:
            self.barrier.wait()
            found = list(self.table)
            self.barrier.wait()
        except threading.BrokenBarrierError:
            raise NcclError("NCCL_ERROR_SYSTEM_ERROR: a rank is gone") from None
        return found


class FakeNccl:
    """The module `cupy.cuda.nccl`, on one device."""

    available = True
    NcclError = NcclError
    NCCL_FLOAT32, NCCL_FLOAT64, NCCL_SUM = 7, 8, 0
    made = 0

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda = cuda

    def get_version(self) -> int:
        return 22105

    def get_unique_id(self) -> tuple[int, ...]:
        """C's chars, with signs, as Cython gives them."""
        FakeNccl.made += 1
        return tuple(np.random.default_rng(FakeNccl.made).integers(-128, 128, 128).tolist())

    def NcclCommunicator(self, ndev: int, commId: tuple[int, ...], rank: int) -> Communicator:
        if type(commId) is not tuple or len(commId) != 128 or not all(type(c) is int for c in commId):
            raise TypeError("a communicator's id is a tuple of 128 numbers")
        if not all(-128 <= char < 128 for char in commId):
            raise OverflowError("value too large to convert to char")
        return Communicator(self.cuda, ROOMS.setdefault(commId, Room(ndev)), rank)


class Communicator:
    """Checks addresses, sizes and streams; every rank must ask for the same, and gets the same bits."""

    def __init__(self, cuda: FakeCuda, room: Room, rank: int) -> None:
        self.cuda, self.room, self.rank, self.open = cuda, room, rank, True
        self.calls: list[str] = []
        if len(set(room.all(rank, cuda.identity()))) < len(room.table):
            raise NcclError("NCCL_ERROR_INVALID_USAGE: duplicate GPU detected")

    def _array(self, pointer: int, count: int, datatype: int) -> np.ndarray:
        kind = TYPES[datatype]
        self.cuda.memory_at(pointer, count * ctypes.sizeof(kind))
        return np.ctypeslib.as_array((kind * count).from_address(pointer))

    def _begin(self, name: str, stream: int, *same: int) -> None:
        if not self.open or not self.cuda.stream.entered:
            raise NcclError(f"{name} on a closed communicator, or where another device is current")
        if stream != self.cuda.stream.ptr:
            raise NcclError(f"{name} on stream {stream:#x}, on which nothing is asked of this device")
        if any(type(value) is not int for value in same):
            raise TypeError(f"{name} takes whole numbers")
        asked = self.room.all(self.rank, (name, same))
        if len(set(asked)) > 1:
            raise NcclError(f"NCCL_ERROR_INVALID_USAGE: ranks ask for {asked}")
        self.calls.append(name)

    def _send(self, name: str, target: np.ndarray, pointer: int, found: np.ndarray) -> None:
        def act() -> None:
            target[...] = found

        self.cuda.enqueue(name, act, [self.cuda.memory_at(pointer, target.nbytes)])

    def allReduce(self, sendbuf: int, recvbuf: int, count: int, datatype: int, op: int, stream: int) -> None:
        self._begin("allReduce", stream, count, datatype, op)
        assert op == FakeNccl.NCCL_SUM
        parts = self.room.all(self.rank, self._array(sendbuf, count, datatype).copy())
        self._send("allReduce", self._array(recvbuf, count, datatype), recvbuf, np.add.reduce(parts))

    def bcast(self, buff: int, count: int, datatype: int, root: int, stream: int) -> None:
        self._begin("bcast", stream, count, datatype, root)
        array = self._array(buff, count, datatype)
        found = self.room.all(self.rank, array.copy())[root]
        self._send("bcast", array, buff, found)

    def destroy(self) -> None:
        self.open = False
