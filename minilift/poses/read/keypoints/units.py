"""What the numbers of a file without a word about it are: pixels, or parts of the picture."""

from __future__ import annotations

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.read.keypoints.raw import CENTRED, FRACTION, PIXELS, Asked, Raw

_FRACTIONS = 2.0  # a person partly outside the picture has coordinates above 1
_FEW = 0.05
_LOOKED_AT = 100_000  # points

_MIDDLE = 1.2  # half a picture and a little more, in its own halves
_AS_FRACTIONS = "coordinates lie within 0 and 1: taken for fractions of the picture's width and height"


def find_unit(raw: Raw, path: PathLike, asked: Asked) -> None:
    """Set the unit of a file that says nothing of it, and note what was found. Raises InputError."""
    raw.unit = unit_of(path, raw.xy, asked)
    if raw.unit == FRACTION and asked.unit is None:
        raw.notes.append(_AS_FRACTIONS)


def unit_of(path: PathLike, xy: np.ndarray, asked: Asked) -> str:
    """What is asked for, or PIXELS, FRACTION or CENTRED, by the size of coordinates (..., 2).

    Raises InputError, naming the file, for small ones of both signs that reach farther than a picture.
    """
    if asked.unit is not None:
        return asked.unit
    xy = sample(xy)
    places = xy[np.isfinite(xy).all(axis=-1) & (xy != 0).any(axis=-1)]
    if not len(places) or np.mean(np.abs(places) > _FRACTIONS) > _FEW:
        return PIXELS
    if np.mean((places < 0).any(axis=-1)) <= 0.1:
        return FRACTION
    if np.mean(np.abs(places) > _MIDDLE) <= _FEW:
        return CENTRED
    raise file_error(
        path,
        f"coordinates from {places.min():.3g} to {places.max():.3g} about zero: 3D already, or "
        "divided by an unknown number; give the detector's pixels, or fractions of the picture",
    )


def sample(points: np.ndarray) -> np.ndarray:
    """Points (..., k) as (m, k): all of them, or so many of a large array as show what it holds."""
    flat = points.reshape(-1, points.shape[-1])
    return flat[:: -(-len(flat) // _LOOKED_AT) or 1]


def zeros(xy: np.ndarray) -> np.ndarray:
    """Where a place (..., 2) is 0, 0: how most tools write a joint that was not found."""
    return (xy == 0).all(axis=-1)
