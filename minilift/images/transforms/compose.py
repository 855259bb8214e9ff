"""Transforms made of transforms, the change of units, and their place in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minilift.images.pictures import as_floats
from minilift.ops import Array, Ops

Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def on_some(images: np.ndarray, chosen: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The pictures, those of the mask `chosen` (N,) changed together."""
    if not chosen.any():
        return images
    out = images.copy()
    out[chosen] = change(images[chosen])
    return out


def probability(name: str, p: float) -> float:
    """`p`. Raises ValueError unless it is a probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must lie between 0 and 1, got {p}")
    return p


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for transform in self.transforms:
            images = transform(images, rng)
        return images


class RandomChoice:
    """Of several transforms one for each picture, all of them equally likely."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not transforms:
            raise ValueError("RandomChoice: give at least one transform")
        self.transforms = list(transforms)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        choice = rng.integers(len(self.transforms), size=len(images))
        for i, transform in enumerate(self.transforms):
            images = on_some(images, choice == i, lambda part, change=transform: change(part, rng))  # type: ignore[misc]
        return images


class ToTensor:
    """Pixels of 0 to 255 (uint8) as float32 from 0 to 1; floats stay as they are."""

    def __call__(self, images: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        return as_floats(images) if images.dtype == np.uint8 else images


class Normalize:
    """(x - mean) / std, with a mean and a std for each channel; the last transform of a list.

    Raises ValueError for a std of 0 or less, or means and stds of other numbers.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        if len(mean) != len(std) or not min(std, default=0) > 0:
            raise ValueError(f"Normalize: mean {mean} and std {std} must be as many, and std more than 0")
        self.mean, self.std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))

    @classmethod
    def by(cls, images: np.ndarray) -> Normalize:
        """By the mean and the spread of pictures (n, channels, height, width), channel by channel."""
        axes = (0, 2, 3)
        mean, std = images.mean(axes, np.float64), images.std(axes, np.float64)
        return cls(mean.tolist(), std.tolist())

    def __call__(self, images: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        out: np.ndarray = (images - self.mean) / self.std
        return out


class Augment:
    """A transform as Batches wants it: the draws of a training step depend on (seed, its number) alone, so
    that a resumed run sees the pictures that it would have seen.

    `ops` are those of the network; the pictures are changed on the host.
    """

    def __init__(self, transform: Transform, seed: int, ops: Ops) -> None:
        self.transform, self.seed, self.ops = transform, seed, ops

    def __call__(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        rng = np.random.default_rng((self.seed, step))
        images = x if isinstance(x, np.ndarray) else self.ops.to_host(x)
        return self.ops.asarray(self.transform(images, rng)), y
