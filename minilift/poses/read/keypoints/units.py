"""What the numbers of a file without a word about it are: pixels, fractions of the picture, 3D, no score."""

from __future__ import annotations

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS

_FRACTIONS = 2.0  # a person partly outside the picture has coordinates above 1
_FEW = 0.05
_LARGEST_SCORE = 30.0  # scores of heat maps that are no probabilities reach 20

AS_FRACTIONS = "coordinates lie within 0 and 1: taken for fractions of the picture's width and height"


def unit_of(path: PathLike, xy: np.ndarray) -> str:
    """PIXELS or FRACTION, by the size of coordinates (..., 2).

    Raises InputError, naming the file, for small ones of both signs: neither of the two has those.
    """
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


def third(path: PathLike, joints: np.ndarray) -> np.ndarray | None:
    """The scores (...) of joints (..., 3) whose third number may be one; None where it is 0 throughout.

    MediaPipe's and BlazePose's third of three is a depth, and then there are no scores either. Raises
    InputError, naming the file, where points are 3D.
    """
    values = joints[..., 2]
    known = values[np.isfinite(values)]
    if not known.any():
        return None
    if known.min() >= 0 and known.max() <= _LARGEST_SCORE:
        return values
    if joints.shape[-2] == 33 and unit_of(path, joints[..., :2]):
        return None
    raise file_error(
        path,
        f"3D already: the third number of joints goes from {known.min():.3g} to {known.max():.3g}, which no "
        "score does; give the 2D keypoints that the detector found",
    )


def zeros(xy: np.ndarray) -> np.ndarray:
    """Where a place (..., 2) is 0, 0: how most tools write a joint that was not found."""
    return (xy == 0).all(axis=-1)
