"""A square piece of a picture, turned, as a network looks at it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minilift.extras import load


@dataclass(frozen=True)
class Region:
    """Middle and side in pixels; the angle in radians, clockwise, from the picture's down to the square's."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def inside(self, unit: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the picture in pixels, for those of the square, 0 to 1 from its upper left."""
        right, down = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[right, down], [-down, right]])
        return np.asarray((np.asarray(unit, np.float64) - 0.5) * self.size @ turn + (self.x, self.y))

    def scaled(self, times: float) -> Region:
        """The same piece of a picture that is so many times as large."""
        return Region(self.x * times, self.y * times, self.size * times, self.angle)

    def near(self, other: Region, share: float) -> bool:
        """Whether the other one is as good as this one: no further away than a share of its size, and no
        more than half as large again, or two thirds as large."""
        apart = math.hypot(self.x - other.x, self.y - other.y)
        larger, smaller = max(self.size, other.size), min(self.size, other.size)
        return apart <= share * larger and larger <= 1.5 * smaller


def around(middle: np.ndarray, end: np.ndarray, width: float = 2.5) -> Region | None:
    """The square around a person whose mid-hip and other end (2,) are known: upright in it, `width` times as
    wide as those are apart. None where they are one point, or not finite."""
    x, y = (float(value) for value in middle)
    right, down = float(end[0]) - x, float(end[1]) - y
    size = width * math.hypot(right, down)
    if not (math.isfinite(size) and math.isfinite(x + y) and size >= 1):
        return None
    return Region(x, y, size, math.atan2(right, -down))


def cut(image: np.ndarray, region: Region, n: int) -> np.ndarray:
    """The region of a picture (H, W, 3) uint8 as (n, n, 3) uint8, black where the picture ends.

    Pixels are averaged before the picture is made smaller, so that no detail turns into noise.
    """
    pillow = load("PIL.Image", "a detector", "video")
    height, width = image.shape[:2]
    half = region.size * (abs(math.cos(region.angle)) + abs(math.sin(region.angle))) / 2 + 2
    left, right = (int(np.clip(region.x + side * half, 0, width)) for side in (-1, 1))
    top, bottom = (int(np.clip(region.y + side * half, 0, height)) for side in (-1, 1))
    if left >= right or top >= bottom:
        return np.zeros((n, n, 3), np.uint8)
    part = pillow.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    coarser = max(1, min(int(region.size / n), right - left, bottom - top))
    if coarser > 1:
        part = part.reduce(coarser)
    step = region.size / n / coarser
    a, b = step * math.cos(region.angle), step * math.sin(region.angle)
    x, y = (region.x - left) / coarser, (region.y - top) / coarser
    corner = x - (a - b) * n / 2, y - (a + b) * n / 2
    turned = part.transform((n, n), pillow.AFFINE, (a, -b, corner[0], b, a, corner[1]), pillow.BILINEAR)
    return np.asarray(turned)


def smaller(image: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """The picture with its pixels averaged, so that it is at most `most` pixels wide and high, and how many
    times as large the given one is."""
    times = -(-max(image.shape[:2]) // most)
    if times <= 1:
        return image, 1
    pillow = load("PIL.Image", "a detector", "video")
    return np.asarray(pillow.fromarray(image).reduce(times)), times
