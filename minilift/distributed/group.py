"""The processes that train one network together, and what passes between them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from minilift.errors import ArgumentError, InputError


class Lost(InputError):
    """Another process of the group has ended, or cannot be reached."""


class Group:
    """Processes with the numbers 0 to `size` - 1, of which this one has `rank`.

    All of them call the same methods in the same order: each call waits for the others. Raises Lost where one
    of them is gone.
    """

    rank: int
    size: int
    kind: str  # what it is made of, in a few words

    def add(self, array: Any) -> None:
        """array <- its sum over all processes, with the same bits in each; it is C-contiguous."""
        raise NotImplementedError

    def gather(self, mine: bytes) -> list[bytes]:
        """What each process has given, by rank: a few bytes, as many from each."""
        raise NotImplementedError

    def copy_first(self, array: Any) -> None:
        """array <- that of rank 0, where it is C-contiguous and has the same shape and dtype."""
        raise NotImplementedError

    def abort(self, status: int) -> NoReturn:
        """End this process and, as far as that can be done from here, all others, with this status."""
        os._exit(status)

    def close(self) -> None:
        """Leave, when all others do."""

    # ---- made of those -------------------------------------------------------------------------
    @property
    def first(self) -> bool:
        """Whether this is rank 0, which alone writes files and says anything."""
        return self.rank == 0

    def agreed(self, number: int) -> int:
        """The number that rank 0 gives."""
        found = np.array([number], np.float64)
        self.copy_first(found)
        return int(found[0])

    def all(self, mine: bool) -> bool:
        """Whether every process says so."""
        return all(any(said) for said in self.gather(bytes([mine])))

    def wait(self) -> None:
        """Until all are here."""
        self.gather(b"")


class Alone(Group):
    """One process: nothing to exchange."""

    rank, size, kind = 0, 1, "one process"

    def add(self, array: Any) -> None:
        return

    def gather(self, mine: bytes) -> list[bytes]:
        return [mine]

    def copy_first(self, array: Any) -> None:
        return


@dataclass(frozen=True)
class Place:
    """Where in every batch of `whole` rows the `here` rows of a process lie."""

    first: int
    here: int
    whole: int

    @classmethod
    def of(cls, size: int, group: Group, least: int = 1) -> Place:
        """Neighbouring rows, as many for each process as divides up. Raises ArgumentError for fewer than
        `least`."""
        if size < least * group.size:
            problem = f"{group.size} processes need {least * group.size} rows at least to share a batch"
            raise ArgumentError("batch_size", size, f"{problem}; give a larger one, or fewer processes")
        first, stop = (size * rank // group.size for rank in (group.rank, group.rank + 1))
        return cls(first, stop - first, size)

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.here)

    @property
    def share(self) -> float:
        return self.here / self.whole
