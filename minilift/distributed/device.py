"""What passes between GPUs: by NCCL, by an MPI that reads their memory, or by way of the host.

    way     needs                                              a sum
    NCCL    CuPy with NCCL, and a card for each process        in the stream, nobody waits for it
    MPI     a library that says it knows CUDA                  waits for the card, then card to card
    host    nothing                                            to pinned memory, there as on the CPU, and back

All processes take the same way: the first that every one of them has.
"""

from __future__ import annotations

import ctypes
import os
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np

from minilift.distributed.group import Group, Lost
from minilift.distributed.mpi import MpiGroup
from minilift.ops.cuda.backend import one_line

ID_BYTES = 128  # of NCCL's name for a communicator
AWARE = ("MPICH_GPU_SUPPORT_ENABLED", "MV2_USE_CUDA")  # set to 1 where the library is to


class DeviceGroup(Group):
    """A group whose sums may be of arrays on this process's GPU; arrays on the host go as they did."""

    def __init__(self, host: Group, gpu: Any) -> None:
        self.host, self.gpu, self.rank, self.size = host, gpu, host.rank, host.size
        self.way: Way = _way(host, gpu)
        self.kind = f"{host.kind}, between GPUs {self.way.kind}"

    def add(self, array: Any) -> None:
        if isinstance(array, self.gpu.array_type):
            self.way.add(array)
        else:
            self.host.add(array)

    def copy_first(self, array: Any) -> None:
        if isinstance(array, self.gpu.array_type):
            self.way.copy_first(array)
        else:
            self.host.copy_first(array)

    def gather(self, mine: bytes) -> list[bytes]:
        return self.host.gather(mine)

    def abort(self, status: int) -> NoReturn:
        self.host.abort(status)

    def close(self) -> None:
        self.way.close()
        self.host.close()


class Way:
    """How arrays of a GPU get to the others. Calls are in the order of the GPU's stream."""

    kind: str

    def __init__(self, host: Group, gpu: Any) -> None:
        self.host, self.gpu = host, gpu

    def add(self, array: Any) -> None:
        raise NotImplementedError

    def copy_first(self, array: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class Nccl(Way):
    """Raises what CuPy raises where NCCL does not begin."""

    def __init__(self, host: Group, gpu: Any) -> None:
        super().__init__(host, gpu)
        self.nccl = gpu.backend.xp.cuda.nccl
        name = np.zeros(ID_BYTES, np.int8)  # CuPy has it as C's chars, which have signs
        if host.first:
            with suppress(RuntimeError):  # told to all, who wait for it
                name[:] = self.nccl.get_unique_id()
        host.copy_first(name)
        if not name.any():
            raise Lost("NCCL gives no name for a group")
        with gpu.turn():
            self.all = self.nccl.NcclCommunicator(host.size, tuple(name.tolist()), host.rank)
        version = self.nccl.get_version()
        self.kind = f"NCCL {version // 10000}.{version // 100 % 100}"
        self.types = {"f": self.nccl.NCCL_FLOAT32, "d": self.nccl.NCCL_FLOAT64}

    @staticmethod
    def there(host: Group, gpu: Any) -> bool:
        """Whether CuPy has NCCL, and each process a card of its own: NCCL refuses two on one."""
        has = False
        with suppress(Exception):  # what is missing, CuPy says in many ways
            nccl = gpu.backend.xp.cuda.nccl
            has = bool(nccl.available) and nccl.get_version() > 0
        cards = host.gather(_card(gpu))
        return host.all(has) and len(set(cards)) == host.size

    def _call(self, collective: Callable[..., None], *given: Any) -> None:
        try:
            with self.gpu.turn():
                collective(*given, self.gpu.stream.ptr)
        except RuntimeError as problem:  # NcclError is such
            raise Lost(
                f"another GPU cannot be reached ({one_line(problem)}); start again with resume"
            ) from None

    def add(self, array: Any) -> None:
        place, kind = array.data.ptr, self.types[array.dtype.char]
        self._call(self.all.allReduce, place, place, array.size, kind, self.nccl.NCCL_SUM)

    def copy_first(self, array: Any) -> None:
        self._call(self.all.bcast, array.data.ptr, array.size, self.types[array.dtype.char], 0)

    def close(self) -> None:
        self.gpu.synchronize()
        self.all.destroy()


class CudaMpi(Way):
    """MPI does not know of streams: the GPU has to have done what was asked before."""

    kind = "MPI that knows CUDA"

    @staticmethod
    def there(host: Group, gpu: Any) -> bool:
        return host.all(isinstance(host, MpiGroup) and _knows_cuda(host))

    def add(self, array: Any) -> None:
        self.gpu.synchronize()
        self.host.add(array)

    def copy_first(self, array: Any) -> None:
        self.gpu.synchronize()
        self.host.copy_first(array)


class ByHost(Way):
    """By pinned memory of the host, which the GPU reads and writes by itself."""

    kind = "by way of the host"

    def __init__(self, host: Group, gpu: Any) -> None:
        super().__init__(host, gpu)
        self.rooms: dict[tuple[int, str], np.ndarray] = {}

    def _room(self, array: Any) -> np.ndarray:
        key = array.size, array.dtype.char
        if key not in self.rooms:
            self.rooms[key] = self.gpu.pinned(array.size, str(array.dtype))
        self.gpu.download_into(array, self.rooms[key])
        return self.rooms[key]

    def add(self, array: Any) -> None:
        room = self._room(array)
        self.host.add(room)
        self.gpu.upload(room, array)

    def copy_first(self, array: Any) -> None:
        room = self._room(array)
        self.host.copy_first(room)
        self.gpu.upload(room, array)


def _way(host: Group, gpu: Any) -> Way:
    if Nccl.there(host, gpu):
        began: Nccl | None = None
        with suppress(Exception):  # no network between the cards, say: the others do as well
            began = Nccl(host, gpu)
        if host.all(began is not None):
            assert began is not None
            return began
    return CudaMpi(host, gpu) if CudaMpi.there(host, gpu) else ByHost(host, gpu)


def _card(gpu: Any) -> bytes:
    """What tells a card of all machines from others."""
    machine = zlib.crc32(socket.gethostname().encode())
    return machine.to_bytes(4, "little") + zlib.crc32(gpu.backend.identity().encode()).to_bytes(4, "little")


def _knows_cuda(host: MpiGroup) -> bool:
    """Whether the MPI library takes addresses on a GPU: one that does not ends the program with them."""
    if any(os.environ.get(name) == "1" for name in AWARE):
        return True
    with suppress(OSError, AttributeError):  # Open MPI and MPICH say it; mpi4py's module finds their library
        return ctypes.CDLL(host.mpi.__file__).MPIX_Query_cuda_support() == 1
    return False
