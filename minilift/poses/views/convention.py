"""Which way a file writes its cameras: found by how nearly the rays of both views meet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.views.triangulate import image_miss, meet, person_miss

SAMPLE, MANY = 2000, 4000  # people who are looked at, and where small differences count
HIPS = [COURSE15.index("left_hip"), COURSE15.index("right_hip")]
FACTORS = 4 ** np.linspace(-1, 1, 17)
"""That focal lengths are tried to be wrong by; then FINER ones next to the best of them."""
FINER = 4 ** np.linspace(-1 / 8, 1 / 8, 13)
EXACT = 2e-6
"""Of the distance: rays that miss by less are as good as numbers of 32 bits can be."""
WRONG = 1.06
"""A focal length that is wrong by less is let pass: detectors' own errors can look like 3%."""
SURE = 4.0
"""Standard errors by which rays of people must meet better with another focal length for this one to be
wrong."""
FARTHEST = 0.4
"""Of a person's size in the image: rays that miss by more are not of one person. Errors of 10 pixels at a
focal length of 1000 make them miss by 0.1."""
CLOSE = 1.5
"""Noise can hide which of two conventions it is where the worse misses by less than this of the other's."""
FIRST = 0.995
"""Of two conventions the later in the list is believed where its rays miss by less than this of the other's
miss."""

_TRANSLATIONS = ("{} P1 + T", "{} P1 - T", "{} (P1 - T)", "{} (P1 + T)")
"""P2 = ..., with R or R^T; the second half has T in the axes of view 1."""
_NAMED = ((1, 0, "focal_len_1"), (0, 1, "focal_len_2"), (1, 1, "focal_len_1 and focal_len_2"))
"""Which focal lengths a factor is of: its power for view 1 and 2."""


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

    def image_miss(self, convention: Convention, factors: tuple[float, float] = (1, 1)) -> np.ndarray:
        """`triangulate.image_miss` (n,), mean over joints, in the unit of the stored points at focal length
        1, with both focal lengths smaller by factors."""
        one, other = (x * factor for x, factor in zip(self.points(convention), factors, strict=True))
        found = image_miss(one, other, *convention.cameras(self.rotation, self.translation)).mean(axis=1)
        unit = np.sqrt(factors[0] * factors[1])
        if convention.undivided:
            unit = unit / np.exp(np.log(np.concatenate(self.focal, axis=1)).mean(axis=1))
        return np.asarray(found / unit)

    def miss(self, convention: Convention, factors: tuple[float, float] = (1, 1)) -> float:
        """`person_miss`, median over people, with both focal lengths smaller by factors; 1 where no two rays
        of anyone tell a depth."""
        one, other = (x * factor for x, factor in zip(self.points(convention), factors, strict=True))
        met = meet(one, other, *convention.cameras(self.rotation, self.translation))
        each = person_miss(met, one, other)
        return float(np.nanmedian(each)) if np.isfinite(each).any() else 1.0


def find_convention(stored: Stored, divided: bool | None = None) -> Convention:
    """The convention by which the rays of both views meet best; of equal ones the first of `conventions`.

    `divided` says whether the image points are divided by the focal lengths already; None finds that, too.
    """
    best: Convention | None = None
    for one in conventions():
        if divided is not None and one.undivided == divided:
            continue
        miss = stored.miss(one)
        if best is None or miss < FIRST * best.miss:
            best = replace(one, miss=miss)
    assert best is not None
    if divided is None:
        other = replace(best, undivided=not best.undivided)
        other = replace(other, miss=stored.miss(other))
        # a person who is larger in both images misses by about the same share of that: ask the images
        close = best.miss < FARTHEST and other.miss < CLOSE * best.miss
        if close and stored.image_miss(other).mean() < FIRST * stored.image_miss(best).mean():
            return other
    return best


def wrong_focal(few: Stored, many: Stored, convention: Convention) -> str:
    """Which focal lengths are wrong by how much, in words; empty where no others let the rays of the `many`
    meet better beyond doubt. Of the `few` it is found out roughly."""
    now = many.image_miss(convention)
    if now.mean() < EXACT:
        return ""

    def miss(people: Stored, which: tuple[int, int, str], factor: float) -> np.ndarray:
        return people.image_miss(convention, (factor ** which[0], factor ** which[1]))

    tried = [(which, factor) for which in _NAMED for factor in FACTORS]
    which, factor = min(tried, key=lambda one: miss(few, *one).mean())
    factor = min(factor * FINER, key=lambda k: miss(many, which, k).mean())
    gain, size = now - miss(many, which, factor), max(factor, 1 / factor)
    sure = gain.mean() > SURE * gain.std() / np.sqrt(len(gain))
    if size < WRONG or not sure or few.miss(convention, (factor ** which[0], factor ** which[1])) > FARTHEST:
        return ""
    if convention.undivided:
        return f"{which[2]} too {'large' if factor > 1 else 'small'} by about {size:.2g}"
    points, off = which[2].replace("focal_len", "joint_2d"), "small" if factor > 1 else "large"
    return f"{points}, taken as divided by the focal length already, too {off} by about {size:.2g}"


def depth_of_hips(stored: Stored, convention: Convention) -> np.ndarray:
    """How far the mid-hip (n,) is from camera 1 in the unit of T, by its two images."""
    met = meet(*stored.points(convention), *convention.cameras(stored.rotation, stored.translation))
    return np.asarray(met.depth[:, HIPS].mean(axis=1))


def conventions() -> Iterator[Convention]:
    """All that are tried, the likelier ones first."""
    for form in range(len(_TRANSLATIONS)):
        for transposed in (False, True):
            for undivided in (True, False):
                yield Convention(transposed, form, undivided)
