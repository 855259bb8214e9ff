"""Pinhole cameras with distortion: from pixels to rays, and from points in space to pixels.

Pixels have x to the right and y down. Rays are (u, v) = (X/-Z, Y/-Z) in the camera's own axes: X to the
right, Y up, looking down -Z, as everywhere in minilift.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from minilift.errors import ArgumentError, InputError

ASSUMED = 1.2
"""Focal length as a multiple of the longer side, where nothing is known: a horizontal view of 45 degrees for
wide pictures. Phones' main cameras have 65 to 75 degrees (0.65 to 0.8), lenses that people film sport with
less than 40 (above 1.4); Human3.6M's cameras have 1.15. docs/cameras.md says what a wrong one costs."""

_ROUNDS = 50
_CLOSE = 1e-10  # in units of rays: 1e-7 pixels at a focal length of 1000


@dataclass(frozen=True)
class Camera:
    """Focal lengths fx, fy and principal point cx, cy in pixels; distortion (k1, k2, p1, p2, k3).

    `size` is that of its pictures, None where it is not known; `source` says how all of this is known.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    size: tuple[int, int] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("fx", "fy"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 1e-3 < abs(value) < 1e7):
                raise ArgumentError(name, value, "a focal length in pixels must be more than 0")
        for value in (self.cx, self.cy, *self.distortion):
            if not (math.isfinite(value) and abs(value) < 1e7):
                raise ArgumentError("camera", value, "has a number that no camera has")

    @classmethod
    def from_focal(
        cls, focal: float, size: tuple[int, int] | None, points: np.ndarray | None = None
    ) -> Camera:
        """A focal length in pixels; the principal point is the middle of the picture."""
        size, how = _size(size, points)
        width, height = size
        return cls(focal, focal, width / 2, height / 2, size=size, source=f"focal length {focal:g} px{how}")

    @classmethod
    def from_fov(
        cls, degrees: float, size: tuple[int, int] | None, points: np.ndarray | None = None
    ) -> Camera:
        """A horizontal field of view: focal = width / (2 tan(fov / 2)). Raises ArgumentError."""
        if not 1 <= degrees < 179:
            raise ArgumentError("fov", degrees, "must be from 1 to less than 179 degrees")
        size, how = _size(size, points)
        focal = size[0] / 2 / math.tan(math.radians(degrees) / 2)
        width, height = size
        told = f"{degrees:g} degrees wide, focal length {focal:,.0f} px{how}"
        return cls(focal, focal, width / 2, height / 2, size=size, source=told)

    @classmethod
    def assumed(cls, size: tuple[int, int] | None, points: np.ndarray | None = None) -> Camera:
        """A camera for pictures of which nothing else is known: ASSUMED times the longer side."""
        size, how = _size(size, points)
        focal = ASSUMED * max(size)
        width, height = size
        told = f"assumed, focal length {focal:,.0f} px ({ASSUMED:g} x the longer side){how}"
        return cls(focal, focal, width / 2, height / 2, size=size, source=told)

    @classmethod
    def identity(cls) -> Camera:
        """For points that are rays already: focal length 1, y up."""
        return cls(1.0, -1.0, 0.0, 0.0, source="focal length 1, as in the course's files")

    def fitted(self, size: tuple[int, int] | None) -> Camera:
        """The camera for pictures of `size`: scaled, where they have its pictures' shape in another size.

        Raises InputError naming both sizes where the shapes differ.
        """
        if size is None or self.size is None or size == self.size:
            return self if self.size or not size else replace(self, size=size)
        (width, height), (own_width, own_height) = size, self.size
        scale = width / own_width
        if abs(own_height * scale - height) > 1.5:
            own, given = f"{own_width}x{own_height}", f"{width}x{height}"
            problem = f"it is of pictures of {own}, and these have {given}"
            raise InputError(
                f"camera ({self.source}): {problem}; give the one that took them, or another size"
            )
        source = f"{self.source}, scaled by {scale:g} to {width}x{height}"
        return replace(
            self, fx=self.fx * scale, fy=self.fy * scale, cx=self.cx * scale, cy=self.cy * scale,
            size=size, source=source,
        )  # fmt: skip

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Rays (..., 2) of pixels (..., 2), undistorted; NaN for a pixel that the lens cannot have shown."""
        pixels = np.asarray(pixels, np.float64)
        seen = np.stack([(pixels[..., 0] - self.cx) / self.fx, (pixels[..., 1] - self.cy) / self.fy], axis=-1)
        if any(self.distortion):
            seen = self._undistorted(seen)
        seen[..., 1] *= -1
        return seen

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) in the camera's axes; NaN for what is not in front of it."""
        points = np.asarray(points, np.float64)
        depth = np.where(points[..., 2] < 0, -points[..., 2], np.nan)
        seen = np.stack([points[..., 0] / depth, -points[..., 1] / depth], axis=-1)
        if any(self.distortion):
            seen = self._distorted(seen)
        return np.stack([seen[..., 0] * self.fx + self.cx, seen[..., 1] * self.fy + self.cy], axis=-1)

    def as_dict(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {**asdict(self), "distortion": list(self.distortion), "size": self.size and list(self.size)}

    def _distorted(self, seen: np.ndarray) -> np.ndarray:
        """Brown and Conrady's model, as OpenCV has it (its y points down, and so does that of `seen`):

        x' = x (1 + k1 r2 + k2 r2^2 + k3 r2^3) + 2 p1 x y + p2 (r2 + 2 x^2)
        y' = y (1 + k1 r2 + k2 r2^2 + k3 r2^3) + p1 (r2 + 2 y^2) + 2 p2 x y
        """
        k1, k2, p1, p2, k3 = self.distortion
        x, y = seen[..., 0], seen[..., 1]
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        return np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
                y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=-1,
        )

    def _undistorted(self, wanted: np.ndarray) -> np.ndarray:
        """The inverse by Newton's method, whose Jacobian is that of the formula above."""
        found = wanted.copy()
        with np.errstate(all="ignore"):
            for _ in range(_ROUNDS):
                off = self._distorted(found) - wanted
                if not np.nanmax(np.abs(off), initial=0) > _CLOSE:
                    break
                found = found - self._solved(found, off)
            bad = ~(np.abs(self._distorted(found) - wanted).max(axis=-1) < 1e-6) | self._folded(found)
        return np.where(bad[..., None], np.nan, found)

    def _jacobian(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """dx'/dx, dx'/dy = dy'/dx, dy'/dy."""
        k1, k2, p1, p2, k3 = self.distortion
        x, y = seen[..., 0], seen[..., 1]
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        slope = 2 * (k1 + square * (2 * k2 + square * 3 * k3))
        return (
            radial + slope * x * x + 2 * p1 * y + 6 * p2 * x,
            slope * x * y + 2 * p1 * x + 2 * p2 * y,
            radial + slope * y * y + 6 * p1 * y + 2 * p2 * x,
        )

    def _solved(self, seen: np.ndarray, off: np.ndarray) -> np.ndarray:
        a, b, d = self._jacobian(seen)
        det = a * d - b * b
        return (
            np.stack([d * off[..., 0] - b * off[..., 1], a * off[..., 1] - b * off[..., 0]], axis=-1)
            / (det[..., None])
        )

    def _folded(self, seen: np.ndarray) -> np.ndarray:
        """Beyond the circle where the model turns back: two rays would have one pixel."""
        a, b, d = self._jacobian(seen)
        return np.asarray((a <= 0) | (a * d - b * b <= 0))  # not positive definite


def _size(size: tuple[int, int] | None, points: np.ndarray | None) -> tuple[tuple[int, int], str]:
    """The size of the pictures, and what to say of it; guessed from where people are if it is not known."""
    if size is not None:
        return size, ""
    if points is None or not len(points):
        raise ArgumentError("size", None, "is not known; give width and height of the pictures in pixels")
    width, height = (max(2, math.ceil(float(side))) for side in np.nanmax(points.reshape(-1, 2), axis=0))
    long, short = max(width, height), min(width, height)
    shape = next((s for s in _USUAL if s[0] >= long and s[1] >= short), (long, short))
    size = shape if width >= height else shape[::-1]
    return size, f"; pictures taken to have {size[0]}x{size[1]} pixels, the smallest usual size that fits"


_USUAL = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (4096, 3072), (7680, 4320))
