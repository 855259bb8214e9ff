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
from minilift.poses.few import quantile
from minilift.poses.lens.distortion import Coefficients, distorted, undistorted

ASSUMED = 1.2
"""Focal length as a multiple of the longer side, where nothing is known: 45 degrees from side to side of a
wide picture, a lens of 43 mm in the terms of 35 mm film. It is what COLMAP takes
(`default_focal_length_factor`), and within 5 percent of the picture's diagonal, which CLIFF (Li et al., ECCV
2022) takes, where pictures are 16:9. Human3.6M's cameras have 1.15; phones' main cameras 0.7 to 0.8.
docs/cameras.md says what a wrong one costs."""

_LENGTHS = (4, 5, 8)  # of OpenCV's distortion coefficients: without k3, with it, with k4, k5, k6
_WIDEST = 170.0  # degrees: beyond it a straight-line camera makes no sense, and a focal length is no pixels
_FARTHEST = 100.0  # of a ray: 89.4 degrees to the side
_MOST_PIXELS = 100_000
_FEWEST_PIXELS = 16
_SHORTEST = 5.0  # pixels of a focal length: pictures have more of them than that
_USUAL = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (4096, 3072), (7680, 4320))


@dataclass(frozen=True)
class Camera:
    """Focal lengths fx, fy and principal point cx, cy in pixels; distortion (k1, k2, p1, p2[, k3[, k4, k5,
    k6]]).

    `distortion` is kept with 5 numbers, or with 8 where k4, k5 or k6 is not 0. `size` is that of the
    pictures, None where it is not known; `source` says how all of this is known. Raises ArgumentError for
    numbers that no camera has.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Coefficients = (0.0, 0.0, 0.0, 0.0, 0.0)
    size: tuple[int, int] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        upwards = (self.fx, self.fy) == (1.0, -1.0)  # rays, `identity`
        for name in ("fx", "fy"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 1e-3 < value < 1e7) and not upwards:
                raise ArgumentError(name, value, "a focal length in pixels must be more than 0")
            if abs(value) < _SHORTEST and not upwards:
                problem = "is too short for pixels: a share of the picture's width, or metres?"
                raise ArgumentError(name, value, f"{problem} Give it in pixels, cx and cy too")
        for name in ("cx", "cy"):
            if not (math.isfinite(getattr(self, name)) and abs(getattr(self, name)) < 1e7):
                raise ArgumentError(name, getattr(self, name), "the middle of a picture is not there")
        object.__setattr__(self, "distortion", _coefficients(self.distortion))
        if self.size is not None and not all(1 < side <= _MOST_PIXELS for side in self.size):
            raise ArgumentError("size", self.size, f"pictures have 2 to {_MOST_PIXELS} pixels a side")

    @classmethod
    def from_focal(
        cls, focal: float, size: tuple[int, int] | None, points: np.ndarray | None = None
    ) -> Camera:
        """A focal length in pixels; the principal point is the middle of the picture.

        Raises ArgumentError for one that is not above 0, or that is so short that it must be in millimetres.
        """
        size, how = known_size(size, points)
        if not focal > 0:
            raise ArgumentError("focal", focal, "must be more than 0 pixels")
        degrees = 2 * math.degrees(math.atan(size[0] / 2 / focal))
        if degrees > _WIDEST:
            problem = f"pixels would be a view of {degrees:.0f} degrees in pictures {size[0]} pixels wide"
            remedy = "multiply millimetres by the picture's width in pixels / the sensor's in millimetres"
            raise ArgumentError("focal", focal, f"{problem}; {remedy}")
        return cls._centred(focal, size, f"focal length {focal:g} px{how}")

    @classmethod
    def from_fov(
        cls, degrees: float, size: tuple[int, int] | None, points: np.ndarray | None = None
    ) -> Camera:
        """A HORIZONTAL field of view: focal = width / (2 tan(fov / 2)). Raises ArgumentError."""
        if not 1 <= degrees <= _WIDEST:
            raise ArgumentError("fov", degrees, f"must be from 1 to {_WIDEST:g} degrees, from side to side")
        size, how = known_size(size, points)
        focal = size[0] / 2 / math.tan(math.radians(degrees) / 2)
        return cls._centred(focal, size, f"{degrees:g} degrees wide, focal length {focal:.0f} px{how}")

    @classmethod
    def assumed(cls, size: tuple[int, int] | None, points: np.ndarray | None = None) -> Camera:
        """A camera for pictures of which nothing else is known: ASSUMED times the longer side.

        Without a size it is guessed from `points` (..., 2) pixels; ArgumentError where they show none.
        """
        size, how = known_size(size, points)
        focal = ASSUMED * max(size)
        told = f"assumed, focal length {focal:.0f} px ({ASSUMED:g} x the longer side){how}"
        return cls._centred(focal, size, told)

    @classmethod
    def identity(cls) -> Camera:
        """For points that are rays already: focal length 1, y up."""
        return cls(1.0, -1.0, 0.0, 0.0, source="focal length 1, as in the course's files")

    @classmethod
    def _centred(cls, focal: float, size: tuple[int, int], source: str) -> Camera:
        width, height = size
        return cls(float(focal), float(focal), width / 2, height / 2, size=size, source=source)

    def fitted(self, size: tuple[int, int] | None) -> Camera:
        """The camera for pictures of `size`: scaled, where they have its pictures' shape in another size.

        Raises InputError naming both sizes where the shapes differ, and for a camera of unknown size whose
        principal point lies outside of the pictures.
        """
        if size is None or size == self.size:
            return self
        if self.size is None:
            return self._taken_for(size)
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

    def _taken_for(self, size: tuple[int, int]) -> Camera:
        """This camera, of pictures of unknown size, as that of pictures of `size`."""
        if self.fy > 0 and not (0 < self.cx < size[0] and 0 < self.cy < size[1]):
            middle = f"its principal point ({self.cx:.0f}, {self.cy:.0f}) lies outside of them"
            problem = f"it does not say for which size it is, and these are {size[0]}x{size[1]}: {middle}"
            raise InputError(f"camera ({self.source}): {problem}; add its image_width and image_height")
        return replace(self, size=size)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Rays (..., 2) of pixels (..., 2), undistorted; NaN for a pixel that the lens cannot have shown."""
        pixels = np.asarray(pixels, np.float64)
        seen = np.stack([(pixels[..., 0] - self.cx) / self.fx, (pixels[..., 1] - self.cy) / self.fy], axis=-1)
        seen[~(np.abs(seen) <= _FARTHEST).all(axis=-1)] = np.nan
        if any(self.distortion):
            seen = undistorted(seen, self._padded)
        seen[..., 1] *= -1
        return seen

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) in the camera's axes.

        NaN for what is not in front of the camera, or so far to the side that the lens model has no place for
        it.
        """
        points = np.asarray(points, np.float64)
        depth = np.where(points[..., 2] < 0, -points[..., 2], np.nan)
        seen = np.stack([points[..., 0] / depth, -points[..., 1] / depth], axis=-1)
        if any(self.distortion):
            seen = distorted(seen, self._padded)
        return np.stack([seen[..., 0] * self.fx + self.cx, seen[..., 1] * self.fy + self.cy], axis=-1)

    def as_dict(self) -> dict[str, Any]:
        """All of it, fit for JSON, and for `load_camera` again."""
        return {**asdict(self), "distortion": list(self.distortion), "size": self.size and list(self.size)}

    @property
    def _padded(self) -> Coefficients:
        return (*self.distortion, 0.0, 0.0, 0.0)[:8]


def _coefficients(given: Coefficients) -> Coefficients:
    """Distortion as it is kept: 5 numbers, or 8. Raises ArgumentError for others."""
    numbers = tuple(float(value) for value in given)
    while len(numbers) > 8 and numbers[-1] == 0:  # of OpenCV's 12 and 14, thin prism and tilt, if unused
        numbers = numbers[:-1]
    if len(numbers) not in _LENGTHS and any(numbers):
        problem = f"has {len(numbers)} numbers; give k1 k2 p1 p2, and k3, and k4 k5 k6"
        raise ArgumentError("distortion", numbers[:14], problem)
    if not all(math.isfinite(value) and abs(value) < 1e7 for value in numbers):
        raise ArgumentError("distortion", numbers, "has a number that no lens has")
    padded = (*numbers, *(0.0,) * 8)[:8]
    return padded if any(padded[5:]) else padded[:5]


def known_size(size: tuple[int, int] | None, points: np.ndarray | None) -> tuple[tuple[int, int], str]:
    """The size of the pictures, and what to say of it.

    A size that is not known is guessed: the smallest usual one that holds 999 of 1,000 `points` (..., 2),
    wide or tall as they are. Raises ArgumentError where they show none.
    """
    if size is not None:
        return size, ""
    far = np.zeros(2)
    if points is not None and np.isfinite(points).all(axis=-1).any():
        known = points.reshape(-1, 2)
        far = quantile(known[np.isfinite(known).all(axis=1)], 0.999)
    if not _FEWEST_PIXELS <= far.max() <= _MOST_PIXELS:
        problem = "is needed: the keypoints do not show how large pictures are; give that, such as 1280x720"
        raise ArgumentError("size", "WxH", problem)
    width, height = (max(2, math.ceil(side)) for side in far)
    long, short = max(width, height), min(width, height)
    shape = next((s for s in _USUAL if s[0] >= long and s[1] >= short), (long, short))
    size = shape if width >= height else shape[::-1]
    return size, f"; pictures taken to have {size[0]}x{size[1]} pixels, the smallest usual size that fits"
