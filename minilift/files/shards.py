"""Rows in several files, one after the other, that stay there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.files.mapped import Index, MappedRows


class ShardedRows(MappedRows):
    """The rows of `parts`, MappedRows of one shape: those of the first, then those of the second, and so on.

    `chosen` are numbers among all of them; None: all, in order.
    """

    def __init__(self, parts: Sequence[MappedRows], chosen: np.ndarray | None = None) -> None:
        self.parts = list(parts)
        self.ends = np.cumsum([len(part) for part in self.parts])
        n = int(self.ends[-1]) if chosen is None else len(chosen)
        first = self.parts[0]
        super().__init__(first.file, first.start, (n, *first.shape[1:]), chosen)

    def take(self, index: Index) -> ShardedRows:
        return ShardedRows(self.parts, super().take(index).chosen)

    def reshape(self, n: int, *row: int) -> ShardedRows:
        super().reshape(n, *row)
        return ShardedRows([part.reshape(len(part), *row) for part in self.parts], self.chosen)

    def _read(self, numbers: np.ndarray) -> np.ndarray:
        which = np.searchsorted(self.ends, numbers, side="right")
        found = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for k in np.unique(which):
            here = which == k
            found[here] = self.parts[k][numbers[here] - (self.ends[k - 1] if k else 0)]
        return found
