"""Batches of which each process takes its rows."""

from __future__ import annotations

from collections.abc import Iterator

from minilift.distributed.group import Group, Place
from minilift.ops import Array, Ops
from minilift.train.batches import Batches


class SharedBatches(Batches):
    """The rows of this process in each of the `batches`, which are those of one process; len() counts all.

    An augmentation sees the whole batch, since it may mix its rows, and what it makes is cut then.
    Evaluation takes every `size`-th batch. Raises ArgumentError where a batch has too few rows.
    """

    def __init__(self, batches: Batches, group: Group, least: int = 1) -> None:
        rows = batches.x, batches.y
        super().__init__(*rows, batches.size, batches.seed, batches.augment, classes=batches.classes)
        self.group, self.place = group, Place.of(self.size, group, least)

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        mine = self.place.rows
        for x, y in super().epoch(number, ops, first, step):
            yield x[mine], y[mine]


class Portion(Batches):
    """Every `group.size`-th of the batches, for evaluation; len() counts the rows of all."""

    def __init__(self, batches: Batches, group: Group) -> None:
        super().__init__(batches.x, batches.y, batches.size, batches.seed, classes=batches.classes)
        self.group = group

    def in_order(self, ops: Ops) -> Iterator[tuple[Array, Array]]:
        x, y = self._placed(ops)
        for start in range(self.group.rank * self.size, len(self), self.group.size * self.size):
            rows = slice(start, start + self.size)
            yield x.here(x.rows[rows]), y.here(y.rows[rows])
