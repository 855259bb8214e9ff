"""Rotation, affine maps and perspective: pixels are looked up between those that are there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minilift.images.transforms.compose import on_some, probability

Range = tuple[float, float]


def warp(images: np.ndarray, inverse: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """Pictures whose pixel (x, y) is what they have at `inverse` (x, y, 1), between pixels bilinearly.

    inverse (N, 3, 3); x to the right and y down, in pixels from the picture's middle. Outside is `fill`.
    """
    n, channels, height, width = images.shape
    middle = (width - 1) / 2, (height - 1) / 2
    y, x = np.meshgrid(np.arange(height) - middle[1], np.arange(width) - middle[0], indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)]).astype(np.float32)
    at = np.asarray(inverse, np.float32) @ points  # (N, 3, pixels)
    # Behind the eye of a perspective there is nothing: it goes far outside
    depth = np.where(at[:, 2] > 1e-6, at[:, 2], np.float32(1e-6))
    # One pixel of `fill` all around, which is what everything further out is
    wide = np.full((n, height + 2, width + 2, channels), fill, images.dtype)
    wide[:, 1:-1, 1:-1] = images.transpose(0, 2, 3, 1)
    flat = wide.reshape(-1, channels)  # a pixel a row: one index looks up all of its channels
    x, y = (
        np.clip(at[:, i] / depth + np.float32(middle[i] + 1), 0, size)
        for i, size in ((0, width + 1), (1, height + 1))
    )
    left, top = (np.minimum(v.astype(np.int32), size) for v, size in ((x, width), (y, height)))
    dx, dy = ((v - low.astype(v.dtype))[..., None] for v, low in ((x, left), (y, top)))
    corner = top * (width + 2) + left + np.arange(n, dtype=np.intp)[:, None] * ((height + 2) * (width + 2))

    def between(offset: int) -> np.ndarray:
        """The pixels of that row of corners, between the left and the right one."""
        first = flat.take(corner + offset, axis=0)
        return first + dx * (flat.take(corner + (offset + 1), axis=0) - first)

    upper = between(0)
    out = upper + dy * (between(width + 2) - upper)
    return np.ascontiguousarray(out.reshape(n, height, width, channels).transpose(0, 3, 1, 2))


def affine_inverse(
    degrees: np.ndarray, move: np.ndarray, scale: np.ndarray, shear: np.ndarray | float = 0.0
) -> np.ndarray:
    """The (N, 3, 3) `inverse` of: shear along x by that many degrees, scale, turn clockwise, move.

    degrees, scale (N,), move (N, 2) pixels to the right and down.
    """
    turn = np.radians(degrees)
    cos, sin, tan = np.cos(turn), np.sin(turn), np.tan(np.radians(shear))
    forward = np.zeros((len(turn), 3, 3))
    forward[:, 0, 0], forward[:, 0, 1] = scale * cos, scale * (cos * tan - sin)
    forward[:, 1, 0], forward[:, 1, 1] = scale * sin, scale * (sin * tan + cos)
    forward[:, :2, 2], forward[:, 2, 2] = move, 1
    return np.linalg.inv(forward)


def _range(name: str, degrees: float | Range) -> Range:
    low, high = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"{name}: degrees {degrees} are no range")
    return low, high


class RandomRotation:
    """Turned about the middle by an angle drawn from `degrees`: a range, or the largest to either side."""

    def __init__(self, degrees: float | Range = 30.0, fill: float = 0.0) -> None:
        self.degrees, self.fill = _range("RandomRotation", degrees), fill

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n = len(images)
        angles = rng.uniform(*self.degrees, n)
        return warp(images, affine_inverse(angles, np.zeros((n, 2)), np.ones(n)), self.fill)


class RandomAffine:
    """Turned clockwise by `degrees`, moved by up to shares (x, y) of width and height, scaled, sheared.

    degrees   a range, or the largest to either side; shear likewise
    scale     a range of factors
    """

    def __init__(
        self, degrees: float | Range = (0.0, 30.0), translate: Sequence[float] = (0.1, 0.3),
        scale: Range = (1.0, 1.5), shear: float | Range = 0.0, fill: float = 0.0,
    ) -> None:  # fmt: skip
        if not 0 < scale[0] <= scale[1] or not all(0 <= share <= 1 for share in translate):
            raise ValueError(
                f"RandomAffine: scale {scale} must be above 0, translate {translate} from 0 to 1"
            )
        self.degrees, self.shear = _range("RandomAffine", degrees), _range("RandomAffine: shear", shear)
        self.translate, self.scale, self.fill = tuple(translate), scale, fill

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, size = len(images), np.array(images.shape[:1:-1])  # width, height
        move = np.rint(rng.uniform(-1, 1, (n, 2)) * self.translate * size)
        drawn = (rng.uniform(*bounds, n) for bounds in (self.degrees, self.scale, self.shear))
        degrees, scale, shear = drawn
        return warp(images, affine_inverse(degrees, move, scale, shear), self.fill)


class RandomPerspective:
    """Each corner moved inwards by up to half of `distortion` of the width and the height, with
    probability p."""

    def __init__(self, distortion: float = 0.5, p: float = 0.5, fill: float = 0.0) -> None:
        if not 0 <= distortion <= 1:
            raise ValueError(f"RandomPerspective: distortion must lie between 0 and 1, got {distortion}")
        self.distortion, self.p, self.fill = distortion, probability("RandomPerspective", p), fill

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, half = len(images), (np.array(images.shape[:1:-1]) - 1) / 2
        chosen = rng.random(n) < self.p
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        inwards = rng.uniform(0, self.distortion, (n, 4, 2)) * half
        inverse = homography(corners - np.sign(corners) * inwards, corners)
        return on_some(images, chosen, lambda part: warp(part, inverse[chosen], self.fill))


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The (N, 3, 3) maps of perspective that take four points (N, 4, 2) to four others."""
    target = np.broadcast_to(target, source.shape)
    ones, zeros = np.ones((*source.shape[:2], 1)), np.zeros((*source.shape[:2], 3))
    point = np.concatenate([source, ones], axis=2)
    rows = [
        np.concatenate([point, zeros, -target[..., :1] * source], axis=2),
        np.concatenate([zeros, point, -target[..., 1:] * source], axis=2),
    ]
    unknown = np.linalg.solve(
        np.concatenate(rows, axis=1), np.concatenate([target[..., :1], target[..., 1:]], axis=1)
    )
    return np.concatenate([unknown[..., 0], np.ones((len(source), 1))], axis=1).reshape(-1, 3, 3)
