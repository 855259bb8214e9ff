"""Augmentation of training batches: more people, cameras and noise than the data have."""

from __future__ import annotations

from minilift.ops import Array, Ops
from minilift.ops.augmentation import ROLES, Augmentation
from minilift.ops.base import dropout_key

__all__ = ["Augmentation", "Augmenter"]

STREAM = 1 << 20  # of dropout_key: no layer has such a number


class Augmenter:
    """The augmentation of `Batches` of up to `rows` poses: augment(step, x, y), x (n, 30) and y (n, 45).

    It returns two arrays of its own, valid until the next call. They depend on the poses, the settings, the
    seed and the step, on any device.
    """

    def __init__(self, settings: Augmentation, ops: Ops, rows: int, seed: int) -> None:
        self.settings, self.ops, self.seed = settings, ops, seed
        self.x, self.y = ops.empty((rows, 2 * len(ROLES))), ops.empty((rows, 3 * len(ROLES)))

    def key(self, step: int) -> tuple[int, int]:
        """The key of the random numbers of a step."""
        return dropout_key(self.seed, STREAM, step)

    def __call__(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        made = self.x[: len(x)], self.y[: len(y)]
        self.ops.augment(x, y, self.settings, self.key(step), *made)
        return made
