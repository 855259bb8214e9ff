"""Augmentation of training batches: more people, cameras and noise than the data have."""

from __future__ import annotations

from minilift.ops import Array, Ops
from minilift.ops.augmentation import ROLES, Augmentation
from minilift.ops.base import dropout_key

__all__ = ["Augmentation", "Augmenter"]

STREAM = 1 << 20  # of dropout_key: no layer has such a number


class Augmenter:
    """Augments batches of up to `rows` poses. Gather a batch into `sources`, x (rows, 30) and y (rows, 45),
    and call it: what it writes depends on them, the settings, the seed and the step, on any device."""

    def __init__(self, settings: Augmentation, ops: Ops, rows: int, seed: int) -> None:
        self.settings, self.ops, self.seed = settings, ops, seed
        joints = len(ROLES)
        self.sources: tuple[Array, Array] = ops.empty((rows, 2 * joints)), ops.empty((rows, 3 * joints))

    def key(self, step: int) -> tuple[int, int]:
        """The key of the random numbers of a step."""
        return dropout_key(self.seed, STREAM, step)

    def __call__(self, step: int, x: Array, y: Array) -> None:
        """x (n, 30), y (n, 45) <- the first n poses of `sources`, augmented."""
        n = len(y)
        source_x, source_y = (source[:n] for source in self.sources)
        self.ops.augment(source_x, source_y, self.settings, self.key(step), x, y)
