"""A group that `mpirun` or `srun` has started, over MPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from minilift import extras
from minilift.distributed.group import Group, Lost


class MpiGroup(Group):
    """All processes of MPI's world. Raises InputError where mpi4py or an MPI library is missing."""

    def __init__(self) -> None:
        extras.require("mpi4py", "training by several processes")
        try:
            self.mpi: Any = extras.load("mpi4py.MPI", "training by several processes")
        except (ImportError, RuntimeError) as problem:  # mpi4py is there, and no library of MPI
            raise Lost(f"MPI cannot be used ({' '.join(str(problem).split())}); {NO_LIBRARY}") from None
        self.world = self.mpi.COMM_WORLD
        self.rank, self.size = self.world.Get_rank(), self.world.Get_size()
        self.kind = " ".join(self.mpi.Get_library_version().split()[:3]).rstrip(",")

    def _call(self, collective: Callable[..., Any], *given: Any) -> None:
        try:
            collective(*given)
        except self.mpi.Exception as problem:
            raise Lost(f"another process cannot be reached ({problem}); start again with resume") from None

    def add(self, array: Any) -> None:
        self._call(self.world.Allreduce, self.mpi.IN_PLACE, array)

    def gather(self, mine: bytes) -> list[bytes]:
        if not mine:
            self._call(self.world.Barrier)
            return [b""] * self.size
        found = np.empty((self.size, len(mine)), np.uint8)
        self._call(self.world.Allgather, np.frombuffer(mine, np.uint8), found)
        return [row.tobytes() for row in found]

    def copy_first(self, array: Any) -> None:
        self._call(self.world.Bcast, array, 0)

    def abort(self, status: int) -> NoReturn:
        self.world.Abort(status)
        raise SystemExit(status)

    def close(self) -> None:
        self._call(self.world.Barrier)


NO_LIBRARY = "install one of your system's, or: pip install mpich"
