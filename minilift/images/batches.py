"""Batches for pictures: in the order of the file, of several resolutions, and of any sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minilift.images.pictures import as_floats, padded
from minilift.ops import Array, Ops
from minilift.train import Batches
from minilift.train.batches import Augment


class InOrder(Batches):
    """Batches that are not shuffled: every epoch has all rows as they are, the last batch what is left."""

    @property
    def steps(self) -> int:
        return -(-len(self) // self.size)

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        for i, batch in enumerate(self.cuts(ops, range(first * self.size, len(self), self.size))):
            yield batch if self.augment is None else self.augment(step + i, *batch)


class Several(Batches):
    """The batches of several sets, each of pictures of one resolution.

    mixed     whether the batches of all sets come in random order; else those of one set follow those of
              the one before

    Every set's batches are full, and shuffled within the set. Raises ValueError for no sets, and sets that
    have an augmentation of their own: `augment` is for all of them.
    """

    def __init__(self, parts: Sequence[Batches], mixed: bool = True, augment: Augment | None = None) -> None:
        if not parts or any(part.augment is not None for part in parts):
            raise ValueError("Several: give sets of batches, and their augmentation here")
        self.parts, self.mixed, self.augment = list(parts), mixed, augment
        self.size, self.seed = max(part.size for part in parts), parts[0].seed

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def steps(self) -> int:
        return sum(part.steps for part in self.parts)

    @property
    def mapped(self) -> bool:
        return any(part.mapped for part in self.parts)

    def order(self, epoch: int, ops: Ops) -> Any:
        """The set of each batch of an epoch, by number."""
        which = np.repeat(np.arange(len(self.parts)), [part.steps for part in self.parts])
        return ops.generator((self.seed, epoch, 1)).permutation(which) if self.mixed else which

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        which = self.order(number, ops)
        done = np.bincount(which[:first], minlength=len(self.parts)).tolist()
        epochs = [part.epoch(number, ops, begun) for part, begun in zip(self.parts, done, strict=True)]
        for i in range(first, len(which)):
            batch = next(epochs[which[i]])
            yield batch if self.augment is None else self.augment(step + i - first, *batch)

    def in_order(self, ops: Ops) -> Iterator[tuple[Array, Array]]:
        for part in self.parts:
            yield from part.in_order(ops)


class Padded(Batches):
    """Pictures of any sizes, each batch with zeros around them up to its largest; of size 1 as they are.

    x   pictures (channels, height, width) uint8, whose floats from 0 to 1 the network gets
    y   (N,) their classes
    """

    def __init__(self, x: Sequence[np.ndarray], y: np.ndarray, size: int = 16, seed: int = 0) -> None:
        super().__init__(np.arange(len(x)), y, size, seed)
        self.pictures = list(x)

    def epoch(self, number: int, ops: Ops, first: int = 0, step: int = 0) -> Iterator[tuple[Array, Array]]:
        order = self.order(number, ops)
        for i in range(first, self.steps):
            yield self._batch(order[i * self.size : (i + 1) * self.size], ops)

    def in_order(self, ops: Ops) -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(self), self.size):
            yield self._batch(np.arange(start, min(start + self.size, len(self))), ops)

    def _batch(self, rows: np.ndarray, ops: Ops) -> tuple[Array, Array]:
        images = as_floats(padded([self.pictures[row] for row in rows]))
        return ops.asarray(images), ops.asindex(np.asarray(self.y)[rows])
