"""The focal length of a photo, from what the camera wrote into it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FOCAL, _FOCAL_35 = 0x920A, 0xA405  # FocalLength in mm, FocalLengthIn35mmFilm
_WIDTH, _HEIGHT = 0xA002, 0xA003  # of the picture as the camera took it
_ACROSS, _UNIT = 0xA20E, 0xA210  # FocalPlaneXResolution: pixels of that picture in a unit
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_DIAGONAL = math.hypot(36, 24)
"""Of a frame of 35 mm film. That length is said for equal diagonals (CIPA DCG-001), not for equal widths: on
a sensor of 4:3 it makes 4 percent."""
_SHORTEST, _LONGEST = 0.3, 40.0  # of the longer side: a view of 118 degrees, one of 1.4
_SAME_SHAPE = 0.01


@dataclass(frozen=True)
class Focal:
    """What a photo says of its lens."""

    pixels: float | None = None
    """The focal length, in pixels of the whole picture; None where it is not said, or cannot be."""
    source: str = ""
    """How it is known."""
    note: str = ""
    """Why what is said is not used."""


def focal_of(exif: Mapping[int, Any], size: tuple[int, int]) -> Focal:
    """The focal length by the Exif tags of a photo of `size`, in pixels."""
    taken = _number(exif.get(_WIDTH)), _number(exif.get(_HEIGHT))
    known = taken[0] is not None and taken[1] is not None
    by_film, millimetres = _number(exif.get(_FOCAL_35)), _number(exif.get(_FOCAL))
    across, unit = _number(exif.get(_ACROSS)), _number(exif.get(_UNIT)) or 2
    if by_film is not None:
        pixels, source = by_film * math.hypot(*size) / _DIAGONAL, f"{by_film:g} mm of 35 mm film"
    elif millimetres is not None and across is not None and int(unit) in _MILLIMETRES:
        scale = max(size) / max(taken[0] or 0, taken[1] or 0) if known else 1.0
        pixels = millimetres * across / _MILLIMETRES[int(unit)] * scale
        source = f"{millimetres:g} mm, and the sensor's pixels"
    else:
        return Focal()
    if known and not _same_shape(taken, size):
        shape = f"{taken[0]:.0f}x{taken[1]:.0f}"
        return Focal(note=f"the focal length in its EXIF is that of the picture before it was cut ({shape})")
    if not _SHORTEST <= pixels / max(size) <= _LONGEST:
        return Focal(note=f"the focal length in its EXIF ({source}) is that of no lens")
    return Focal(pixels, f"by EXIF: {source}")


def _same_shape(taken: tuple[float | None, float | None], size: tuple[int, int]) -> bool:
    long, short = max(taken[0] or 1, taken[1] or 1), min(taken[0] or 1, taken[1] or 1)
    return abs(long / short / (max(size) / min(size)) - 1) < _SAME_SHAPE


def _number(value: Any) -> float | None:
    """A number above 0; None for anything else that may stand in a tag."""
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return found if math.isfinite(found) and found > 0 else None
