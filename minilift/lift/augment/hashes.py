"""The random numbers of the augmentation, for NumPy: hashes without state, as augment.cu has them."""

from __future__ import annotations

import math

import numpy as np

from minilift.lift.augment import tables as table


def hashes(key: tuple[int, int], n: int, first: int, count: int, before: int = 0) -> np.ndarray:
    """Hashes (count, n) of pose * SLOTS + slot: lowbias32, as in `Ops.dropout_mask`, here to its end.

    Poses are counted from `before` on."""
    h = np.arange(before, before + n, dtype=np.uint32) * np.uint32(table.SLOTS)
    h = h + np.arange(first, first + count, dtype=np.uint32)[:, None]
    h ^= np.uint32(key[0])
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h ^= np.uint32(key[1])
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


def uniform(h: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return (h >> np.uint32(8)).astype(dtype) * 2.0**-24 + 2.0**-25


def normals(u: np.ndarray) -> np.ndarray:
    """Normal numbers from uniform ones (2 k, n), two neighbouring rows at a time (Box & Muller, 1958)."""
    radius, angle = np.sqrt(-2 * np.log(u[0::2])), 2 * math.pi * u[1::2]
    out = np.empty_like(u)
    np.multiply(radius, np.cos(angle), out=out[0::2])
    np.multiply(radius, np.sin(angle), out=out[1::2])
    return out


class Draws:
    """The numbers of n poses of a batch, by slot; those of a bank are made when they are asked for.

    `before` poses of the batch come before these."""

    def __init__(self, key: tuple[int, int], n: int, dtype: np.dtype, before: int = 0) -> None:
        self.key, self.n, self.dtype, self.before = key, n, dtype, before
        self.hashes = hashes(key, n, 0, table.NOISE, before)
        self.u = uniform(self.hashes, dtype)

    def uniform(self, first: int, count: int) -> np.ndarray:
        """Uniform numbers (count, n) of slots from `first` on."""
        return uniform(hashes(self.key, self.n, first, count, self.before), self.dtype)

    def one(self, slot: int) -> np.ndarray:
        """Uniform numbers (n,) of a slot."""
        return self.uniform(slot, 1)[0]

    def normals(self, first: int, count: int) -> np.ndarray:
        """Normal numbers (count, n) of slots from `first` on; count is even."""
        return normals(self.uniform(first, count))
