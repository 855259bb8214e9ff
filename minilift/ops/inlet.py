"""The way of rows from the host to where the work is, one batch behind another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minilift.ops.arrays import Array, ArrayOps


class Inlet:
    """Two slots for rows that come from the host: one is filled while the other one is in use.

    A thread of its own may `fill` a slot, when `free` was called for it, or nothing has used it yet. A device
    copies then in a queue of its own. This one is a CPU's, which works on what was filled.
    """

    def __init__(self, ops: ArrayOps, shape: tuple[int, ...], dtype: str | None = None) -> None:
        self.ops, self.rooms, self.rows = ops, [ops.zeros(shape, dtype) for _ in range(2)], [0, 0]

    @property
    def size(self) -> int:
        """The rows of a slot."""
        return len(self.rooms[0])

    def fill(self, slot: int, rows: Any) -> None:
        """The first rows of a slot <- rows, a NumPy array of any type of number that fits."""
        self.rows[slot] = len(rows)
        self.ops.copy(rows, out=self.rooms[slot][: len(rows)])

    def receive(self, slot: int) -> Array:
        """What it was filled with, for all work that is asked for from now on."""
        return self.rooms[slot][: self.rows[slot]]

    def free(self, slot: int) -> None:
        """No work that is asked for from now on uses what was received from it."""
