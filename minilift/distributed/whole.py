"""What the operations of every device have in common where the rows of a batch are divided."""

from __future__ import annotations

from typing import Any

from minilift.distributed.group import Group, Place
from minilift.ops import Array


class WholeBatch:
    """Sums over the rows of all processes, of which those of `place` are here. Mixed into an `Ops`.

    Memory and threads are those of `ops`. With `sync` off, statistics are of the rows here.
    """

    def __init__(self, ops: Any, group: Group, place: Place, sync: bool) -> None:
        self._begin(ops)
        self.group, self.place, self.sync = group, place, sync

    def _begin(self, ops: Any) -> None:
        """Make these operations those of `ops`."""
        raise NotImplementedError

    def whole_batch(self: Any, n: int, *sums: Array) -> int:
        if not self.sync:
            return n
        if n % self.place.here:
            raise ValueError(f"{n} rows of a shared batch, of which {self.place.here} are here")
        if sums:
            both = self.scratch("exchanged", (len(sums), sums[0].size))
            for i, mine in enumerate(sums):
                self.copy(mine, out=both[i])
            self.group.add(both)
            for i, mine in enumerate(sums):
                self.copy(both[i], out=mine)
        return int(n // self.place.here * self.place.whole)

    def count_once(self: Any, *gradients: Array) -> None:
        """Of gradients that are sums over all already, leave one process's."""
        if self.sync and not self.group.first:
            for gradient in gradients:
                self.fill(gradient, 0.0)
