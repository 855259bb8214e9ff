"""Mirroring, moving and quarter turns: every pixel stays what it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.images.transforms.compose import on_some, probability


class RandomHorizontalFlip:
    """Left and right exchanged, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability("RandomHorizontalFlip", p)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return on_some(images, rng.random(len(images)) < self.p, lambda part: part[..., ::-1])


class RandomTranslation:
    """Moved by whole pixels, with probability p: up to `share` of the height and the width in each direction.

    What comes in from outside is `fill`.
    """

    def __init__(self, p: float = 0.5, share: float = 0.125, fill: float = 0.0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"RandomTranslation: share must lie between 0 and 1, got {share}")
        self.p, self.share, self.fill = probability("RandomTranslation", p), share, fill

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, (height, width) = len(images), images.shape[2:]
        chosen = rng.random(n) < self.p
        most = [int(self.share * side) for side in (height, width)]
        by = rng.integers(np.negative(most), np.add(most, 1), (n, 2))[chosen]
        return on_some(images, chosen, lambda part: moved(part, by[:, 1], by[:, 0], self.fill))


def moved(images: np.ndarray, dx: np.ndarray, dy: np.ndarray, fill: float) -> np.ndarray:
    """Each picture moved by dx to the right and dy down, whole pixels (N,)."""
    for by, axis in ((dy, 2), (dx, 3)):
        out, side = np.full_like(images, fill), images.shape[axis]
        by = np.clip(by, -side, side)
        for step in np.unique(by):  # all that move alike at once
            rows = np.flatnonzero(by == step)
            to, source = (slice(max(by, 0), side + min(by, 0)) for by in (step, -step))
            out.swapaxes(1, axis)[rows, to] = images.swapaxes(1, axis)[rows, source]
        images = out
    return images


class RandomQuarterTurn:
    """Turned to the left by one of `turns`, numbers of 90 degrees (-1 is to the right), with probability p.

    Only square pictures keep their shape. Raises ValueError for others.
    """

    def __init__(self, turns: Sequence[int] = (1, -1, 2), p: float = 1.0) -> None:
        if not turns:
            raise ValueError("RandomQuarterTurn: give at least one number of turns")
        self.turns, self.p = tuple(turns), probability("RandomQuarterTurn", p)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if images.shape[2] != images.shape[3]:
            raise ValueError(f"RandomQuarterTurn: pictures of {images.shape[2:]} are not square")
        chosen = rng.random(len(images)) < self.p
        choice = rng.integers(len(self.turns), size=len(images))
        for i, turns in enumerate(self.turns):
            this = chosen & (choice == i)
            images = on_some(images, this, lambda part, k=turns: np.rot90(part, k, (2, 3)))  # type: ignore[misc]
        return images
