"""Words on a picture: drawn by Pillow once, kept as masks, and laid on with NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minilift.extras import load
from minilift.show.clip.overlay.strokes import Colour

PURPOSE, EXTRA = "drawing over a photo or video", "video"


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    """The one inside Pillow: alike on every machine."""
    return load("PIL.ImageFont", PURPOSE, EXTRA).load_default(size)


@lru_cache(maxsize=512)
def _mask(words: str, size: int) -> np.ndarray:
    """How much of each pixel (h, w) words cover, 0 to 1; its height is the same for all words of a size."""
    font = _font(size)
    width = max(1, round(font.getlength(words)))
    image = load("PIL.Image", PURPOSE, EXTRA).new("L", (width, round(1.3 * size)))
    pen = load("PIL.ImageDraw", PURPOSE, EXTRA).Draw(image)
    pen.text((0, round(1.02 * size)), words, 255, font, anchor="ls")
    return np.asarray(image, np.float32) / 255


def wide(words: str, size: int) -> int:
    """How many pixels words are wide."""
    return int(_mask(words, size).shape[1])


def write(picture: np.ndarray, words: str, x: int, y: int, size: int, colour: Colour) -> None:
    """Write words with their upper left corner at (x, y), `size` pixels high; beyond the edges is cut off."""
    mask = _mask(words, size)
    (top, left), (height, width) = (max(0, -y), max(0, -x)), picture.shape[:2]
    mask = mask[top : max(height - y, 0), left : max(width - x, 0)]
    if mask.size:
        rows, columns = y + top, x + left
        under = picture[rows : rows + mask.shape[0], columns : columns + mask.shape[1]]
        under[:] = under + mask[..., None] * (np.array(colour, np.float32) - under) + np.float32(0.5)


def tag(picture: np.ndarray, words: str, x: int, y: int, size: int, ground: Colour) -> None:
    """White words on a box of a colour, whose lower edge has its middle at (x, y); the box stays inside."""
    margin = max(2, size // 4)
    width, height = wide(words, size) + 2 * margin, round(1.3 * size) + margin // 2
    left = min(max(x - width // 2, 0), max(picture.shape[1] - width, 0))
    top = min(max(y - height, 0), max(picture.shape[0] - height, 0))
    picture[top : top + height, left : left + width] = ground
    write(picture, words, left + margin, top + margin // 4, size, (255, 255, 255))
