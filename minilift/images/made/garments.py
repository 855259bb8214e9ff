"""Synthetic garments, as a stand-in for Fashion-MNIST: an outline for each class, in many sizes and greys."""

from __future__ import annotations

import numpy as np

from minilift.images.made.ink import area, as_pixels, labels_of, placed, strokes
from minilift.images.pictures import Pictures
from minilift.images.read.idx import GARMENTS

SIDE = 28
GREY_NOISE = 0.05


# Outlines in a square from -0.5 to 0.5, x to the right and y down: hundredths, x and y of a corner in turn.
# Of those that are the same on both sides the right half, from top to bottom.
HALVES = {
    "T-shirt/top": "10 -42  24 -40  46 -20  36 -8  25 -16  24 44",
    "Trouser": "17 -47  20 0  19 47  6 47  0 -15",
    "Pullover": "10 -40  24 -38  40 -10  46 38  35 40  26 -2  25 42",
    "Dress": "10 -47  15 -46  16 -28  10 -8  24 47",
    "Coat": "8 -47  26 -42  38 -10  40 30  31 31  29 0  28 47",
    "Shirt": "5 -34  13 -45  26 -38  43 2  33 8  24 -10  23 46",
}
WHOLE = {
    "Sandal": "-45 10  -20 4  10 16  42 -10  46 -8  44 26  38 26  37 8  10 28  -45 22",
    "Sneaker": "-47 12  -30 3  -8 -12  12 -10  42 -13  46 20  -46 22",
    "Bag": "-40 -14  40 -14  45 40  -45 40",
    "Ankle boot": "-45 20  -14 4  -4 -40  38 -42  40 36  20 36  16 30  -44 36",
}


def outline(name: str) -> np.ndarray:
    """The corners (V, 2) of a garment's outline."""
    corners = np.array((HALVES.get(name) or WHOLE[name]).split(), float).reshape(-1, 2) / 100
    return np.concatenate([corners, corners[::-1] * [-1, 1]]) if name in HALVES else corners


def made_garments(n: int, seed: int = 0) -> Pictures:
    """n synthetic garments of 28 x 28 pixels, light on black. The same seed gives the same pictures."""
    rng = np.random.default_rng(seed)
    labels = labels_of(n, len(GARMENTS), rng)
    pixels = np.empty((n, 1, SIDE, SIDE), np.uint8)
    for number, name in enumerate(GARMENTS):
        rows = np.flatnonzero(labels == number)
        pixels[rows, 0] = _drawn(name, len(rows), rng)
    return Pictures(pixels, labels, GARMENTS)


def _drawn(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    corners = outline(name)
    shape = corners * rng.uniform(0.85, 1.08, (n, 1, 2)) + 0.014 * rng.standard_normal((n, *corners.shape))
    shape = placed(shape, rng, 4, 0.04, 0.02) * (SIDE - 2) + SIDE / 2
    cover = area(shape, SIDE)
    if name == "Bag":  # its handle
        top = np.array([[(-0.2, -0.14), (-0.14, -0.36), (0.14, -0.36), (0.2, -0.14)]]) * (SIDE - 2) + SIDE / 2
        top = top + rng.normal(0, 0.5, (n, 1, 2))
        cover = np.maximum(cover, strokes(top[:, :-1], top[:, 1:], rng.uniform(1, 2, n), SIDE))
    x = np.linspace(-1, 1, SIDE, dtype=np.float32)
    light = rng.uniform(0.3, 0.95, (n, 1, 1)) + rng.uniform(-0.15, 0.15, (n, 1, 1)) * x
    stripes = rng.uniform(0, 0.25, (n, 1, 1)) * (rng.random((n, 1, 1)) < 0.3)
    light = light * (1 - stripes * (np.sin(rng.uniform(4, 20, (n, 1, 1)) * x[:, None]) > 0))
    light = light + GREY_NOISE * rng.standard_normal((n, SIDE, SIDE))
    return as_pixels(cover * light)
