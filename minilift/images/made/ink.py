"""Lines and areas as pixels: for each pixel how much of it is covered, from 0 to 1."""

from __future__ import annotations

import numpy as np

SHAPES_AT_ONCE = 64  # pictures, so that the arrays of distances stay in the processor's cache


def pixel_centres(side: int) -> np.ndarray:
    """(side * side, 2): x and y of the pixels, in pixels from the upper left corner."""
    y, x = np.mgrid[:side, :side] + 0.5
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def strokes(starts: np.ndarray, ends: np.ndarray, width: np.ndarray, side: int) -> np.ndarray:
    """(N, side, side): S lines from starts (N, S, 2) to ends, `width` (N,) pixels wide, with soft edges."""
    at = pixel_centres(side)
    out = np.empty((len(starts), side * side), np.float32)
    for first in range(0, len(starts), SHAPES_AT_ONCE):
        part = slice(first, first + SHAPES_AT_ONCE)
        nearest = np.full((len(starts[part]), side * side), np.inf, np.float32)
        for a, b in zip(starts[part].swapaxes(0, 1), ends[part].swapaxes(0, 1), strict=True):
            nearest = np.minimum(nearest, _squared_distance(at, a, b))
        out[part] = np.clip(width[part, None] / 2 + 0.5 - np.sqrt(nearest), 0, 1)
    return out.reshape(-1, side, side)


def _squared_distance(at: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, pixels): of each pixel from the lines a (N, 2) to b."""
    along = (b - a).astype(np.float32)
    length = np.maximum((along**2).sum(axis=1), 1e-9)[:, None]
    dx, dy = (at[:, i] - a[:, i, None].astype(np.float32) for i in range(2))
    share = np.clip((dx * along[:, :1] + dy * along[:, 1:]) / length, 0, 1)
    found: np.ndarray = (dx - share * along[:, :1]) ** 2 + (dy - share * along[:, 1:]) ** 2
    return found


def area(corners: np.ndarray, side: int) -> np.ndarray:
    """(N, side, side): polygons (N, V, 2) in pixels, with soft edges.

    A pixel counts as inside where a ray from it crosses the outline an odd number of times.
    """
    at, n = pixel_centres(side), len(corners)
    out = np.empty((n, side * side), np.float32)
    following = np.roll(corners, -1, axis=1)
    for first in range(0, n, SHAPES_AT_ONCE):
        part = slice(first, first + SHAPES_AT_ONCE)
        nearest = np.full((len(corners[part]), side * side), np.inf, np.float32)
        inside = np.zeros(nearest.shape, bool)
        for a, b in zip(corners[part].swapaxes(0, 1), following[part].swapaxes(0, 1), strict=True):
            nearest = np.minimum(nearest, _squared_distance(at, a, b))
            between = (a[:, 1:] > at[:, 1]) != (b[:, 1:] > at[:, 1])
            rise = b[:, 1:] - a[:, 1:]
            slope = (b[:, :1] - a[:, :1]) / np.where(rise == 0, 1, rise)
            inside ^= between & (at[:, 0] < a[:, :1] + slope * (at[:, 1] - a[:, 1:]))
        out[part] = np.clip(0.5 + np.where(inside, 1, -1) * np.sqrt(nearest), 0, 1)
    return out.reshape(-1, side, side)


def ellipse(axes: np.ndarray, side: int) -> np.ndarray:
    """(N, side, side): ellipses with soft edges; axes (N, 3, 2): the middle, the ends of two half axes."""
    middle = axes[:, :1]
    across = np.linalg.inv(axes[:, 1:] - middle).astype(np.float32)
    at = (pixel_centres(side) - middle.astype(np.float32)) @ across  # in half axes
    size = np.sqrt(np.abs(np.linalg.det(axes[:, 1:] - middle)))[:, None].astype(np.float32)
    cover: np.ndarray = np.clip(0.5 + (1 - np.sqrt((at**2).sum(axis=2))) * size, 0, 1)
    return cover.reshape(-1, side, side)


def placed(
    points: np.ndarray, rng: np.random.Generator, tilt: float, scale: float, move: float
) -> np.ndarray:
    """Points (N, P, 2) around 0, each picture's turned, scaled and moved together: by up to `tilt` degrees,
    a factor of 1 +- `scale`, and up to `move` in both directions."""
    n = len(points)
    angle = np.radians(rng.uniform(-tilt, tilt, n))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
    size = rng.uniform(1 - scale, 1 + scale, (n, 1, 1))
    moved: np.ndarray = size * (points @ turn) + rng.uniform(-move, move, (n, 1, 2))
    return moved


def labels_of(n: int, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Classes in random order, each as often as the others, or once less."""
    return rng.permutation(np.arange(n) % classes)


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 as uint8."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
