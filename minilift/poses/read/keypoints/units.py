"""What the numbers of a file without a word about it are: pixels, or fractions of the picture."""

from __future__ import annotations

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS

_FRACTIONS = 2.0  # a person partly outside the picture has coordinates above 1
_FEW = 0.05
_LOOKED_AT = 100_000  # points

AS_FRACTIONS = "coordinates lie within 0 and 1: taken for fractions of the picture's width and height"


def unit_of(path: PathLike, xy: np.ndarray) -> str:
    """PIXELS or FRACTION, by the size of coordinates (..., 2).

    Raises InputError, naming the file, for small ones of both signs: neither of the two has those.
    """
    xy = sample(xy)
    places = xy[np.isfinite(xy).all(axis=-1) & (xy != 0).any(axis=-1)]
    if not len(places) or np.mean(np.abs(places) > _FRACTIONS) > _FEW:
        return PIXELS
    if np.mean((places < 0).any(axis=-1)) > 0.1:
        raise file_error(
            path,
            f"coordinates from {places.min():.3g} to {places.max():.3g} about zero: 3D already, or "
            "divided by an unknown number; give the detector's pixels, or fractions of the picture",
        )
    return FRACTION


def sample(points: np.ndarray) -> np.ndarray:
    """Points (..., k) as (m, k): all of them, or so many of a large array as show what it holds."""
    flat = points.reshape(-1, points.shape[-1])
    return flat[:: -(-len(flat) // _LOOKED_AT) or 1]


def zeros(xy: np.ndarray) -> np.ndarray:
    """Where a place (..., 2) is 0, 0: how most tools write a joint that was not found."""
    return (xy == 0).all(axis=-1)
