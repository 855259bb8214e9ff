"""Batches of which each process takes its rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from minilift.distributed.group import Group, Place
from minilift.lift.augment.augmenter import Augmenter
from minilift.ops import Array, Ops
from minilift.train.batches import Batches


class SharedBatches(Batches):
    """The rows of this process in each of the `batches`, which are those of one process; len() counts all.

    The other rows are not gathered, nor read from a file, unless the augmentation mixes rows: then it is made
    of the whole batch, and cut. Raises ArgumentError where a batch has too few rows.
    """

    def __init__(self, batches: Batches, group: Group, least: int = 1) -> None:
        rows, augment = (batches.x, batches.y), batches.augment
        super().__init__(*rows, batches.size, batches.seed, augment, classes=batches.classes)
        self.group, self.place = group, Place.of(self.size, group, least)
        alone = isinstance(augment, Augmenter) and augment.row_by_row
        self.whole = augment is not None and not alone
        if not self.whole:
            self.cut = self.place.rows
        if isinstance(augment, Augmenter) and alone:
            self.augment = partial(augment.part, before=self.place.first)

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        mine = self.place.rows if self.whole else slice(None)
        for x, y in super().epoch(number, ops, first, step):
            yield x[mine], y[mine]


class Portion(Batches):
    """Every `group.size`-th of the batches, for evaluation; len() counts the rows of all."""

    def __init__(self, batches: Batches, group: Group) -> None:
        super().__init__(batches.x, batches.y, batches.size, batches.seed, classes=batches.classes)
        self.group = group

    def in_order(self, ops: Ops) -> Iterator[tuple[Array, Array]]:
        return self.cuts(ops, range(self.group.rank * self.size, len(self), self.group.size * self.size))
