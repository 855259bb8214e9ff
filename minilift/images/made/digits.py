"""Synthetic handwritten digits, a stand-in for MNIST: ten glyphs of strokes, each drawn a bit otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.images.made.ink import as_pixels, labels_of, placed, strokes
from minilift.images.pictures import Pictures

CLASSES = tuple("0123456789")
SIDE = 28
GLYPH = 20.0  # pixels high, in the middle of a picture, as MNIST has them

Points = list[tuple[float, float]]


def _arc(x: float, y: float, across: float, down: float, start: float, stop: float, parts: int = 7) -> Points:
    """Points on an ellipse about (x, y), clockwise from `start` to `stop` degrees, 0 being to the right."""
    angles = np.radians(np.linspace(start, stop, parts + 1))
    return list(zip(x + across * np.cos(angles), y + down * np.sin(angles), strict=True))


# Lines of a pen in a square from -0.5 to 0.5, x to the right and y down
GLYPHS: dict[str, list[Points]] = {
    "0": [_arc(0, 0, 0.3, 0.48, -90, 270, 12)],
    "1": [[(-0.14, -0.3), (0.04, -0.48), (0.02, 0.48)]],
    "2": [[*_arc(0, -0.22, 0.28, 0.26, -165, 45), (-0.3, 0.46), (0.33, 0.44)]],
    "3": [[*_arc(-0.02, -0.25, 0.26, 0.23, -150, 80), *_arc(-0.02, 0.22, 0.3, 0.26, -80, 150)]],
    "4": [[(0.02, -0.48), (-0.33, 0.14), (0.34, 0.12)], [(0.16, -0.2), (0.12, 0.48)]],
    "5": [[(0.3, -0.46), (-0.2, -0.45), (-0.24, -0.05), *_arc(-0.02, 0.17, 0.28, 0.29, -110, 150)]],
    "6": [[(0.2, -0.47), (-0.14, -0.16), *_arc(-0.01, 0.2, 0.26, 0.27, -180, 180, 10)]],
    "7": [[(-0.3, -0.44), (0.3, -0.46), (-0.08, 0.48)]],
    "8": [_arc(0, -0.24, 0.22, 0.23, 90, 450, 10), _arc(0, 0.23, 0.27, 0.25, -90, 270, 10)],
    "9": [[*_arc(0, -0.2, 0.25, 0.26, 0, 360, 10), (0.22, 0.1), (0.12, 0.48)]],
}  # fmt: skip


def made_digits(n: int, seed: int = 0) -> Pictures:
    """n synthetic digits of 28 x 28 pixels, white on black. The same seed gives the same pictures."""
    rng = np.random.default_rng(seed)
    labels = labels_of(n, len(CLASSES), rng)
    pixels = np.empty((n, 1, SIDE, SIDE), np.uint8)
    for number, name in enumerate(CLASSES):
        rows = np.flatnonzero(labels == number)
        pixels[rows, 0] = _drawn(GLYPHS[name], len(rows), rng)
    return Pictures(pixels, labels, CLASSES)


def _drawn(lines: list[Points], n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 28, 28) uint8 of one glyph."""
    points = np.concatenate([np.array(line) for line in lines])
    wobble = 0.022 * rng.standard_normal((n, *points.shape))
    shape = points * rng.uniform([0.75, 0.9], [1.15, 1.05], (n, 1, 2)) + wobble
    shape[..., 0] -= rng.uniform(-0.1, 0.35, (n, 1)) * shape[..., 1]  # handwriting leans to the right
    shape = placed(shape, rng, 12, 0.08, 0.06) * GLYPH + SIDE / 2
    ends = np.cumsum([len(line) for line in lines])
    first = np.setdiff1d(np.arange(len(points)), ends - 1)  # the pen is lifted after each line
    image = strokes(shape[:, first], shape[:, first + 1], rng.uniform(1.6, 3.2, n), SIDE)
    return as_pixels(image * rng.uniform(0.85, 1, (n, 1, 1)))


def made_digits_of_sizes(n: int, seed: int = 0, sides: Sequence[int] = (32, 48, 64)) -> list[Pictures]:
    """n synthetic digits, each somewhere on a black square of one of these sides: a set for each side."""
    made, rng = made_digits(n, seed), np.random.default_rng((seed, 1))
    which = labels_of(n, len(sides), rng)
    found = []
    for number, side in enumerate(sides):
        part = made.take(np.flatnonzero(which == number))
        pixels = np.zeros((len(part), 1, side, side), np.uint8)
        for picture, out in zip(part.pixels, pixels, strict=True):
            top, left = rng.integers(0, side - SIDE + 1, 2)
            out[:, top : top + SIDE, left : left + SIDE] = picture
        found.append(Pictures(pixels, part.labels, CLASSES))
    return found
