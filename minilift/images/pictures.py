"""Labelled pictures in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size and their classes.

    pixels    (N, channels, height, width) uint8; 1 channel is grey, 3 are red, green and blue
    labels    (N,) int64, the number of each picture's class
    classes   the names of the classes
    """

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def take(self, rows: Any) -> Pictures:
        """Those pictures: a slice, or row numbers."""
        return Pictures(self.pixels[rows], self.labels[rows], self.classes)

    def floats(self) -> np.ndarray:
        """The pixels as float32 from 0 to 1."""
        return as_floats(self.pixels)

    def split(self, held_out: float, seed: int = 0) -> tuple[Pictures, Pictures]:
        """Two parts drawn at random, the second of the fraction `held_out`; both have a picture at least.

        The first is in the order it had, the second in the order drawn: a set may be sorted by class, and the
        first few of what is held out are to stand for all.
        Raises ValueError for fewer than two pictures.
        """
        if len(self) < 2:
            raise ValueError(f"split: {len(self)} pictures are too few for two parts")
        count = min(max(1, round(held_out * len(self))), len(self) - 1)
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(np.sort(order[count:])), self.take(order[:count])


@dataclass(frozen=True)
class PointPictures:
    """Grey pictures of one size with named points in each.

    pixels    (N, 1, height, width) uint8
    points    (N, P, 2) float32: x to the right and y down, in pixels from the upper left corner
    names     of the P points
    ignored   how many pictures of the file were left out, for they lack points
    """

    pixels: np.ndarray
    points: np.ndarray
    names: tuple[str, ...]
    ignored: int = 0

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: Any) -> PointPictures:
        """Those pictures: a slice, or row numbers."""
        return PointPictures(self.pixels[rows], self.points[rows], self.names)


def as_floats(pixels: np.ndarray) -> np.ndarray:
    """Pixels of 0 to 255 as float32 from 0 to 1."""
    return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)


def padded(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (channels, height, width) of any sizes in one array, with zeros to the right and below.

    (N, channels, H, W) of their type, where H and W are the largest height and width. Raises ValueError
    for none, and for pictures of different channels.
    """
    if len({picture.shape[0] for picture in pictures}) != 1:
        raise ValueError("padded: give pictures, all with as many channels")
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    out = np.zeros((len(pictures), pictures[0].shape[0], height, width), pictures[0].dtype)
    for picture, place in zip(pictures, out, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    return out
