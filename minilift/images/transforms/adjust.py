"""Changes of pixel values by an amount for each picture: what a policy of AutoAugment is made of.

All take pictures (N, channels, height, width) from 0 to 1 and amounts (N,); definitions as in torchvision,
which works on whole numbers of 0 to 255.
"""

from __future__ import annotations

import numpy as np

GREY = np.array([0.2989, 0.587, 0.114], np.float32).reshape(3, 1, 1)
LEVELS = 256


def _blend(images: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """(1 - amount) of `other` and `amount` of the pictures; over 1 it goes away from the other."""
    factor = amount.astype(np.float32).reshape(-1, 1, 1, 1)
    return np.clip(factor * images + (1 - factor) * other, 0, 1)


def _grey(images: np.ndarray) -> np.ndarray:
    return images if images.shape[1] == 1 else (images * GREY).sum(axis=1, keepdims=True)


def brightness(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return _blend(images, np.zeros_like(images), amount)


def contrast(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return _blend(images, _grey(images).mean(axis=(1, 2, 3), keepdims=True), amount)


def colour(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return _blend(images, _grey(images), amount)


def sharpness(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Against the mean of 3 x 3 pixels in which the middle one counts five times; the edge stays."""
    smooth = images.copy()
    height, width = images.shape[2:]
    total = 4 * images[:, :, 1:-1, 1:-1]
    for dy in range(3):
        for dx in range(3):
            total = total + images[:, :, dy : height - 2 + dy, dx : width - 2 + dx]
    smooth[:, :, 1:-1, 1:-1] = total / 13
    return _blend(images, smooth, amount)


def posterize(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """`amount` bits of each of the levels."""
    mask = 256 - (1 << (8 - amount.astype(np.int64)))
    return ((levels(images) & mask.reshape(-1, 1, 1, 1)) / np.float32(255)).astype(np.float32)


def solarize(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """What is not below `amount`, a level from 0 to 255, inverted."""
    threshold = (amount / 255).astype(np.float32).reshape(-1, 1, 1, 1)
    return np.where(images >= threshold, 1 - images, images)


def invert(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return 1 - images


def autocontrast(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Each channel spread from 0 to 1."""
    low, high = images.min(axis=(2, 3), keepdims=True), images.max(axis=(2, 3), keepdims=True)
    width = high - low
    return np.where(width > 0, (images - low) / np.where(width > 0, width, 1), images)


def equalize(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Each channel with all its levels about as frequent."""
    values = levels(images)
    n, channels = values.shape[:2]
    flat = values.reshape(n * channels, -1)
    first = np.arange(n * channels)[:, None] * LEVELS
    counts = np.bincount((flat + first).ravel(), minlength=n * channels * LEVELS).reshape(-1, LEVELS)
    of_highest = np.take_along_axis(counts, flat.max(axis=1)[:, None], axis=1)
    step = (flat.shape[1] - of_highest) // (LEVELS - 1)
    before = counts.cumsum(axis=1) - counts  # pixels of lower levels
    table = np.clip((before + step // 2) // np.maximum(step, 1), 0, LEVELS - 1)
    table = np.where(step > 0, table, np.arange(LEVELS))
    out = np.take_along_axis(table, flat, axis=1).reshape(values.shape)
    return out.astype(np.float32) / np.float32(255)


def levels(images: np.ndarray) -> np.ndarray:
    """The pixels as whole numbers from 0 to 255."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.int64)
