"""Which way a file writes its cameras: found by how nearly the rays of both views meet."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.views.triangulate import meet, person_miss

SAMPLE = 2000  # people who are looked at
HIPS = [COURSE15.index("left_hip"), COURSE15.index("right_hip")]
FACTORS = np.exp(np.linspace(-np.log(4), np.log(4), 33))
"""That a focal length is tried to be wrong by."""
EXACT = 1e-3
"""Of a person's size in the image: rays that miss by less are those of images without noise."""
FIRST = 0.995
"""Of two conventions the later in the list is believed where its rays miss by less than this of the other's
miss."""

_TRANSLATIONS = ("{} P1 + T", "{} P1 - T", "{} (P1 - T)", "{} (P1 + T)")
"""P2 = ..., with R or R^T; the second half has T in the axes of view 1."""


@dataclass(frozen=True)
class Convention:
    """What R, T and the image points of a file mean."""

    transposed: bool
    """R is stored column by column, or leads from view 2 to view 1."""
    form: int
    """A row of _TRANSLATIONS."""
    undivided: bool
    """The image points are still to be divided by the focal lengths."""
    miss: float = 1.0
    """`person_miss`, median over people."""

    def cameras(self, rotation: np.ndarray, translation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R (n, 3, 3) and t (n, 3) of P2 = R P1 + t from those of the file, float64."""
        turn = rotation.astype(np.float64)
        turn = turn.transpose(0, 2, 1) if self.transposed else turn
        moved = translation.astype(np.float64) * (-1 if self.form in (1, 2) else 1)
        return turn, (np.einsum("nkl,nl->nk", turn, moved) if self.form >= 2 else moved)

    def said(self) -> str:
        """For people to read."""
        formula = _TRANSLATIONS[self.form].format("R^T" if self.transposed else "R")
        points = "divided by focal_len here" if self.undivided else "taken as divided by focal_len already"
        miss = f"rays miss by {self.miss:.2%} of a person"
        return f"P2 = {formula} with rot row by row, 2D points {points}; {miss}"


@dataclass(frozen=True)
class Stored:
    """Some people as a file has them: image points (n, 15, 2) and focal lengths (n, 2) of both views, R
    (n, 3, 3), T (n, 3)."""

    images: tuple[np.ndarray, np.ndarray]
    focal: tuple[np.ndarray, np.ndarray]
    rotation: np.ndarray
    translation: np.ndarray

    def points(self, convention: Convention) -> tuple[np.ndarray, np.ndarray]:
        """The image points at focal length 1, float64."""
        one, other = (
            (image / focal[:, None] if convention.undivided else image).astype(np.float64)
            for image, focal in zip(self.images, self.focal, strict=True)
        )
        return one, other

    def miss(self, convention: Convention, factors: tuple[float, float] = (1, 1)) -> float:
        """`person_miss`, median over people, with both focal lengths smaller by factors; 1 where no two rays
        of anyone tell a depth."""
        one, other = (x * factor for x, factor in zip(self.points(convention), factors, strict=True))
        met = meet(one, other, *convention.cameras(self.rotation, self.translation))
        each = person_miss(met, one, other)
        return float(np.nanmedian(each)) if np.isfinite(each).any() else 1.0


def find_convention(stored: Stored, divided: bool | None = None) -> Convention:
    """The convention by which the rays of both views meet best; of equal ones the first of `_all`.

    `divided` says whether the image points are divided by the focal lengths already; None finds that, too.
    """
    best: Convention | None = None
    for one in _all():
        if divided is not None and one.undivided == divided:
            continue
        miss = stored.miss(one)
        if best is None or miss < FIRST * best.miss:
            best = Convention(one.transposed, one.form, one.undivided, miss)
    assert best is not None
    return best


def wrong_focal(stored: Stored, convention: Convention) -> str:
    """Which focal lengths are wrong by how much, in words; empty where none of other size is much better."""
    if convention.miss < EXACT:
        return ""
    tried = [(k, 1.0, "focal_len_1") for k in FACTORS] + [(1.0, k, "focal_len_2") for k in FACTORS]
    tried += [(k, k, "focal_len_1 and focal_len_2") for k in FACTORS]
    found = [
        (stored.miss(convention, (k, m)), name, max(k, m) if k * m > 1 else min(k, m)) for k, m, name in tried
    ]
    miss, name, factor = min(found)
    if miss > convention.miss / 2:
        return ""
    return f"{name} too {'large' if factor > 1 else 'small'} by about {max(factor, 1 / factor):.2g}"


def depth_of_hips(stored: Stored, convention: Convention) -> np.ndarray:
    """How far the mid-hip (n,) is from camera 1 in the unit of T, by its two images."""
    met = meet(*stored.points(convention), *convention.cameras(stored.rotation, stored.translation))
    return np.asarray(met.depth[:, HIPS].mean(axis=1))


def _all() -> Iterator[Convention]:
    for form in range(len(_TRANSLATIONS)):
        for transposed in (False, True):
            for undivided in (True, False):
                yield Convention(transposed, form, undivided)
