"""Synthetic colour pictures of ten simple things, as a stand-in for CIFAR-10."""

from __future__ import annotations

import numpy as np

from minilift.images.made.ink import area, as_pixels, labels_of, placed, strokes
from minilift.images.pictures import Pictures

SIDE = 32
CLASSES = ("disk", "ring", "square", "triangle", "cross", "star", "bar", "arrow", "zigzag", "hourglass")


def _regular(corners: int, radius: float = 0.36, inner: float = 0.0) -> list[tuple[float, float]]:
    """A regular polygon, or with `inner` a star, with a corner at the top."""
    count = corners * (2 if inner else 1)
    angles = np.arange(count) * 2 * np.pi / count
    radii = np.where(np.arange(count) % 2 == 1, inner or radius, radius)
    return list(zip(radii * np.sin(angles), -radii * np.cos(angles), strict=True))


# Outlines in a square from -0.5 to 0.5; `zigzag` is a line
OUTLINES: dict[str, list[tuple[float, float]]] = {
    "disk": _regular(20),
    "ring": _regular(20),
    "square": [(-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3)],
    "triangle": _regular(3, 0.4),
    "cross": [(-0.11, -0.38), (0.11, -0.38), (0.11, -0.11), (0.38, -0.11), (0.38, 0.11), (0.11, 0.11),
              (0.11, 0.38),
              (-0.11, 0.38), (-0.11, 0.11), (-0.38, 0.11), (-0.38, -0.11), (-0.11, -0.11)],
    "star": _regular(5, 0.42, 0.17),
    "bar": [(-0.42, -0.1), (0.42, -0.1), (0.42, 0.1), (-0.42, 0.1)],
    "arrow": [(-0.4, -0.08), (0.05, -0.08), (0.05, -0.26), (0.42, 0.0), (0.05, 0.26), (0.05, 0.08),
              (-0.4, 0.08)],
    "zigzag": [(-0.38, 0.22), (-0.18, -0.24), (0.02, 0.22), (0.2, -0.24), (0.38, 0.22)],
    "hourglass": [(-0.28, -0.36), (0.28, -0.36), (0.05, 0.0), (0.28, 0.36), (-0.28, 0.36), (-0.05, 0.0)],
}  # fmt: skip


def made_things(n: int, seed: int = 0) -> Pictures:
    """n synthetic things of 32 x 32 pixels in any colours. The same seed gives the same pictures."""
    rng = np.random.default_rng(seed)
    labels = labels_of(n, len(CLASSES), rng)
    pixels = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for number, name in enumerate(CLASSES):
        rows = np.flatnonzero(labels == number)
        pixels[rows] = _coloured(_cover(name, len(rows), rng), rng)
    return Pictures(pixels, labels, CLASSES)


def _cover(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    corners = np.array(OUTLINES[name]) * rng.uniform(0.8, 1.1, (n, 1, 2))
    shape = placed(corners, rng, 25, 0.12, 0.08)
    at = shape * SIDE + SIDE / 2
    if name == "zigzag":
        return strokes(at[:, :-1], at[:, 1:], rng.uniform(2, 4, n), SIDE)
    cover = area(at, SIDE)
    if name == "ring":
        middle = shape.mean(axis=1, keepdims=True)
        hole = middle + (shape - middle) * rng.uniform(0.45, 0.65, (n, 1, 1))
        cover = cover - area(hole * SIDE + SIDE / 2, SIDE)
    return cover


def _coloured(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 3, side, side) uint8: two colours that differ enough to be seen, light from a side, noise."""
    n = len(cover)
    ground = rng.uniform(0.05, 0.95, (n, 3))
    away = np.where(ground < 0.5, 1, -1) * rng.uniform(0.05, 0.6, (n, 3))
    strongest = rng.integers(3, size=n)
    away[np.arange(n), strongest] = np.where(ground[np.arange(n), strongest] < 0.5, 0.45, -0.45)
    image = ground[:, :, None, None] + away[:, :, None, None] * cover[:, None]
    slope = np.linspace(-1, 1, SIDE)
    light = (
        rng.uniform(-0.15, 0.15, (n, 1, 1, 1)) * slope
        + rng.uniform(-0.15, 0.15, (n, 1, 1, 1)) * slope[:, None]
    )
    return as_pixels(image + light + 0.06 * rng.standard_normal(image.shape))
