"""What changes pictures and the points in them together."""

from __future__ import annotations

import numpy as np

from minilift.images.transforms.adjust import brightness, contrast
from minilift.images.transforms.warps import affine_inverse, warp
from minilift.ops import Array, Ops


def mirrored_names(names: tuple[str, ...]) -> list[int]:
    """Of each point, the number of the one that takes its place in a mirror: right for left."""
    other = [n.replace("left", "*").replace("right", "left").replace("*", "right") for n in names]
    return [names.index(n) for n in other]


class MirrorAndWarp:
    """An augmentation of `Batches` of pictures (n, c, side, side) from 0 to 1 and points (n, 2 P), from -1 at
    one edge to 1 at the other: each is mirrored half of the time, left and right points exchanged, turned,
    scaled and moved, and gets another brightness and contrast.

    names     of the P points; those of the right side are called as those of the left, but for that word
    move      most pixels, in each direction
    degrees   most to either side
    scale     most that is added to, or taken off, a size of 1
    light     likewise of brightness and of contrast
    """

    def __init__(
        self, names: tuple[str, ...], seed: int, ops: Ops, *, move: float = 6.0, degrees: float = 15.0,
        scale: float = 0.1, light: float = 0.2,
    ) -> None:  # fmt: skip
        self.swap, self.seed, self.ops = mirrored_names(names), seed, ops
        self.move, self.degrees, self.scale, self.light = move, degrees, scale, light

    def __call__(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        rng = np.random.default_rng((self.seed, step))
        images, points = self.ops.to_host(x).copy(), self.ops.to_host(y).reshape(len(y), -1, 2).copy()
        n, half = len(images), images.shape[2] / 2
        mirrored = rng.random(n) < 0.5
        images[mirrored] = images[mirrored, :, :, ::-1]
        points[mirrored] = points[mirrored][:, self.swap] * [-1, 1]
        move = rng.uniform(-self.move, self.move, (n, 2))
        degrees = rng.uniform(-self.degrees, self.degrees, n)
        inverse = affine_inverse(degrees, move, 1 + rng.uniform(-self.scale, self.scale, n))
        forward = np.linalg.inv(inverse)
        points = points @ forward[:, :2, :2].transpose(0, 2, 1) + forward[:, None, :2, 2] / half
        images = warp(images, inverse)
        for change in (brightness, contrast):
            images = change(images, 1 + rng.uniform(-self.light, self.light, n))
        found = points.reshape(n, -1).astype(np.float32)
        return self.ops.asarray(np.asarray(images, np.float32)), self.ops.asarray(found)
