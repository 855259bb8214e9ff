"""What changes pictures and the points in them together."""

from __future__ import annotations

import numpy as np

from minilift.images.transforms.turns import moved
from minilift.ops import Array, Ops


def mirrored_names(names: tuple[str, ...]) -> list[int]:
    """Of each point, the number of the one that takes its place in a mirror: right for left."""
    other = [n.replace("left", "*").replace("right", "left").replace("*", "right") for n in names]
    return [names.index(n) for n in other]


class MirrorAndMove:
    """An augmentation of `Batches` of pictures (n, c, side, side) and points (n, 2 P), from -1 at one edge to
    1 at the other: each is mirrored half of the time, left and right points exchanged, and moved by up to
    `most` whole pixels in each direction.

    names   of the P points; those of the right side are called as those of the left, but for that word
    """

    def __init__(self, names: tuple[str, ...], most: int, seed: int, ops: Ops) -> None:
        self.swap, self.most = mirrored_names(names), most
        self.seed, self.ops = seed, ops

    def __call__(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        rng = np.random.default_rng((self.seed, step))
        images, points = self.ops.to_host(x), self.ops.to_host(y).reshape(len(y), -1, 2)
        mirrored = rng.random(len(images)) < 0.5
        images[mirrored] = images[mirrored, :, :, ::-1]
        points[mirrored] = points[mirrored][:, self.swap] * [-1, 1]
        by = rng.integers(-self.most, self.most + 1, (len(images), 2))
        points += (by[:, None] * 2 / images.shape[2]).astype(points.dtype)
        images = moved(images, by[:, 0], by[:, 1], 0.0)
        return self.ops.asarray(images), self.ops.asarray(points.reshape(len(points), -1))
