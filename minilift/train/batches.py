"""Batches: rows of inputs and targets in the order that a seed and the number of an epoch give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minilift.errors import InputError, counted
from minilift.files.mapped import MappedRows
from minilift.ops import Array, Ops
from minilift.ops.inlet import Inlet
from minilift.train.progress import whole

# From the number of the training step, x and y of a batch on the device: what the network sees in their place
Augment = Callable[[int, Array, Array], tuple[Array, Array]]
SLOTS = (0, 1)  # of an Inlet


class Batches:
    """Inputs x and targets y, `size` rows at a time, as arrays on a network's device.

    x (N, ...), y (N, ...)   arrays of any shape, or MappedRows, which stay in their file and are read batch
                             by batch. They take the dtype of the network, but for classes.
    size                     rows of a batch (N, where there are fewer)
    seed                     the order of an epoch depends on (seed, number of the epoch) alone
    classes                  whether y are classes, whole numbers or bool, which stay whole numbers for a loss
                             like CrossEntropy (default: those in a y of one axis)
    augment                  a function on a batch in training, see `Augment`; evaluation sees the rows as
                             they are

    In training, batches are full: what is left over is not used in this epoch (it is another remainder in
    the next), so that every step averages over as many rows. Raises ValueError for x and y of different
    lengths, no rows, a size that is no whole number of at least 1, or classes that are not whole numbers.
    """

    def __init__(
        self, x: Any, y: Any, size: int = 64, seed: int = 0, augment: Augment | None = None, *,
        classes: bool | None = None,
    ) -> None:  # fmt: skip
        if len(x) != len(y):
            raise ValueError(f"Batches: x has {len(x)} rows, y has {len(y)}; they must be as many")
        if not len(x):
            raise ValueError("Batches: x and y have no rows; training and evaluation need some")
        if whole("Batches: size", size) < 1:
            raise ValueError(f"Batches: size must be at least 1, got {size}")
        self.x, self.y = x, y
        self.size, self.seed, self.augment = min(size, len(x)), seed, augment
        kept = y if hasattr(y, "dtype") else np.asarray(y)
        counted = kept.dtype.kind in "iub"
        if classes and not counted:
            raise ValueError(f"Batches: classes must be whole numbers or bool, y has {kept.dtype}")
        self.classes = counted and len(kept.shape) == 1 if classes is None else classes
        self.cut = slice(0, self.size)  # the rows of a training batch that are gathered here: all
        self._ops: Ops | None = None
        self._columns: list[_Column] = []

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.x)

    @property
    def steps(self) -> int:
        """Full batches, which are the training steps of an epoch."""
        return batches_per_epoch(len(self), self.size)

    @property
    def mapped(self) -> bool:
        """Whether rows stay in their file."""
        return isinstance(self.x, MappedRows) or isinstance(self.y, MappedRows)

    def order(self, epoch: int, ops: Ops) -> Any:
        """The row numbers of an epoch, on the host."""
        return ops.generator((self.seed, epoch)).permutation(len(self))

    def on(self, ops: Ops) -> tuple[Any, Any]:
        """All of x and y where `ops` works, or in their files."""
        x, y = (c.rows if c.mapped else c.here(c.rows) for c in self._placed(ops))
        return x, y

    def resident(self, ops: Ops) -> bool:
        """Whether all of x and y lie where `ops` works, and no rows have to come there batch by batch."""
        return not any(column.far for column in self._placed(ops))

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        """Training batches `first`, first + 1, ... of an epoch, the first of them for training step `step`.

        The arrays are valid until the next batch. Rows that are far are fetched one batch ahead.
        """
        columns, order = self._placed(ops), self.order(number, ops)
        # what is far is taken by numbers on the host, the rest by numbers on the device
        index = order if all(column.far for column in columns) else ops.asindex(order)
        starts = range(first * self.size, self.steps * self.size, self.size)
        cuts = [slice(start + self.cut.start, start + self.cut.stop) for start in starts]
        for i, slot in enumerate(ahead(columns, cuts, order)):
            x, y = (c.receive(slot) if c.far else c.take(index[cuts[i]]) for c in columns)
            yield (x, y) if self.augment is None else self.augment(step + i, x, y)

    def in_order(self, ops: Ops) -> Iterator[tuple[Array, Array]]:
        """Every row once, as it is: full batches, and then what is left over."""
        return self.cuts(ops, range(0, len(self), self.size))

    def cuts(self, ops: Ops, starts: Sequence[int]) -> Iterator[tuple[Array, Array]]:
        """Rows as they are, `size` or what is left from each of the starts."""
        columns, cuts = self._placed(ops), [slice(start, start + self.size) for start in starts]
        for cut, slot in zip(cuts, ahead(columns, cuts), strict=True):
            x, y = (c.receive(slot) if c.far else c.here(c.rows[cut]) for c in columns)
            yield x, y

    def _placed(self, ops: Ops) -> list[_Column]:
        if self._ops is not ops:
            both, size = ((self.x, False), (self.y, self.classes)), self.cut.stop - self.cut.start
            self._columns = [_Column(rows, ops, size, classes) for rows, classes in both]
            self._ops = ops
        return self._columns


class _Column:
    """x or y on a device, or `far`: in a file, or on the host because the device cannot hold it. And the
    arrays into which its batches come."""

    def __init__(self, rows: Any, ops: Ops, size: int, classes: bool) -> None:
        rows = rows if hasattr(rows, "dtype") else np.asarray(rows)
        self.ops, self.mapped, self.classes = ops, isinstance(rows, MappedRows), classes
        self.dtype = ops.index_dtype if classes else ops.dtype
        nbytes = math.prod(rows.shape) * np.dtype(self.dtype).itemsize
        self.far = self.mapped or not (hasattr(rows, "get") or ops.holds(nbytes))
        self.rows = rows if self.far else self.here(rows)
        self.shape = (size, *rows.shape[1:])
        self.batch: Array | None = None  # made with the first: evaluation needs none
        self.inlet: Inlet | None = None

    def take(self, index: Any) -> Array:
        if self.batch is None:
            self.batch = self.ops.zeros(self.shape, self.dtype)
        return self.ops.take(self.rows, index, out=self.batch)

    def here(self, rows: Any) -> Array:
        return self.ops.asindex(rows) if self.classes else self.ops.asarray(rows)

    def open(self, rows: int) -> None:
        """Before batches of so many rows at most are sent."""
        if self.inlet is None or self.inlet.size < rows:
            self.inlet = self.ops.inlet((rows, *self.shape[1:]), self.dtype)
        for slot in SLOTS:
            self.inlet.free(slot)

    def send(self, slot: int, index: Any) -> None:
        assert self.inlet is not None
        self.inlet.fill(slot, self.rows[index])

    def receive(self, slot: int) -> Array:
        assert self.inlet is not None
        return self.inlet.receive(slot)


def ahead(columns: Sequence[_Column], cuts: Sequence[slice], order: Any = None) -> Iterator[int]:
    """For one cut of the rows, or of the `order` of them, after the other the slot in which the columns that
    are far have it. While it is worked on, a thread fetches the next into the other slot."""
    columns = [column for column in columns if column.far]
    if not columns or not cuts:
        yield from (0 for _ in cuts)
        return
    from concurrent.futures import ThreadPoolExecutor  # only for those who need it

    def fetch(n: int) -> None:
        for column in columns:
            column.send(n % 2, cuts[n] if order is None else order[cuts[n]])

    for column in columns:
        column.open(max(cut.stop - cut.start for cut in cuts))
    pool = ThreadPoolExecutor(1, "minilift-ahead")
    try:
        coming = [pool.submit(fetch, n) for n in SLOTS[: len(cuts)]]
        for n in range(len(cuts)):
            coming[n].result()
            yield n % 2
            for column in columns:
                assert column.inlet is not None
                column.inlet.free(n % 2)
            if len(coming) < len(cuts):
                coming.append(pool.submit(fetch, len(coming)))
    finally:
        pool.shutdown(cancel_futures=True)


def batches_per_epoch(rows: int, size: int) -> int:
    return rows // min(size, rows)


def hold_out(n: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to train on and to validate on, both in order.

    Whole blocks of neighbours are held out, for files are ordered by recording: a single frame's neighbours
    would give it away. Raises InputError where too few rows are left to train on.
    """
    numbers = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    blocks = np.array_split(numbers, min(n, 200))
    count = max(1, round(fraction * len(blocks)))
    chosen = np.zeros(n, bool)
    for block in np.random.default_rng(seed).permutation(len(blocks))[:count]:
        chosen[blocks[block]] = True
    if n - chosen.sum() < 2:
        few = f"{counted(n, 'row')} {'is' if n == 1 else 'are'} too few"
        raise InputError(f"{few} to train on and to validate on; give at least 3")
    return numbers[~chosen], numbers[chosen]
