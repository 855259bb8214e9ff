"""Several people in a picture, with networks made for one: look into pieces of it, then look again at each.

The network that finds people sees a square of 224 pixels, and those who fill a good part of it. So it is
shown squares of several sizes all over the picture and beyond its edges. It takes leaves and lions for
people, too; what it finds is believed where the other network agrees, twice, and once more in a mirror: on
real people its landmarks then lie in the same places, on leaves they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minilift.video.detect.doubles import MAIN, different
from minilift.video.detect.finder import SIDE, Candidate, Finder
from minilift.video.detect.landmarks import Landmarker, Landmarks, average
from minilift.video.detect.regions import Region, smaller

SHARES = (0.7, 0.5, 0.35, 0.25, 0.18)
"""Sides of the squares, as shares of the longer side of the picture: people from a tenth of it."""
SOME = (0.5, 0.35, 0.25)
"""Those that are glanced at while people are followed."""
_FEW = 8  # squares, for which the whole picture is not made smaller
_MOST = 2048  # pixels: what people are looked for in; their landmarks are found in the picture itself
TRIES = 60  # candidates, the surest first, that the second network may refuse before the search ends
_AGREE = 0.8  # of the three answers' product
_MIRROR = 0.025  # of the square: the median of what landmarks move by in a mirror. People 0.004 to 0.021
_SMALL = 0.15  # of the longer side of the picture
_SEEN = 5  # of the main joints that must be seen in the picture: an animal's face shows fewer


def look(
    image: np.ndarray,
    finder: Finder,
    landmarker: Landmarker,
    where: Sequence[Region],
    known: Sequence[Landmarks] = (),
    tries: int = TRIES,
    least: int = 2,
    sure: float = 0.0,
) -> list[Landmarks]:
    """The people of a picture (H, W, 3) uint8: those who are known, and others in the squares `where`, as
    `squares` gives them. The surest candidates are looked at first, until so many were refused.

    Who is found in fewer squares than `least` is there if small: then few squares are of the right size. Who
    is less sure than `sure` is nobody.
    """
    small, times = smaller(image, _MOST) if len(where) > _FEW else (image, 1)
    candidates: list[Candidate] = []
    for square in where:
        candidates += finder(small, square.scaled(1 / times))
    candidates.sort(key=lambda one: -one.score)  # stable: the same picture, the same order
    found, tried = list(known), list[Region]()
    regions = [candidate.region.scaled(times) for candidate in candidates]
    for region in regions:
        there = [person.region for person in found if person.region is not None]
        if any(region.near(one, 0.08) for one in there) or any(region.near(one, 0.03) for one in tried):
            continue
        tried.append(region)
        person = believed(image, landmarker, region)
        if person is None or person.sure < sure:
            tries -= 1
            if not tries:
                break
        else:
            votes = sum(person.region is not None and person.region.near(one, 0.1) for one in regions)
            small_one = person.region is not None and person.region.size < _SMALL * max(image.shape[:2])
            if votes >= (1 if small_one else least):  # without any, the landmarks have wandered off
                found = different([*found, replace(person, votes=votes)])
    return found


def squares(width: int, height: int, shares: Sequence[float]) -> list[Region]:
    """The pieces of a picture to look into: the whole, then for each share of its longer side smaller ones
    that overlap by half, their middles up to the edges; none below the size of the network's own picture."""
    longest = max(width, height)
    found = [Region(width / 2, height / 2, longest)]
    for side in (share * longest for share in shares if share * longest >= SIDE):
        across, down = (int(np.ceil(2 * length / side)) + 1 for length in (width, height))
        rows, columns = np.linspace(0, height, down).tolist(), np.linspace(0, width, across).tolist()
        found += [Region(x, y, side) for y in rows for x in columns]
    return found


def believed(image: np.ndarray, landmarker: Landmarker, where: Region) -> Landmarks | None:
    """The person in that square, looked at three times; None if it is none."""
    first = landmarker(image, where)
    if first.sure < 0.5 or first.region is None:
        return None
    second = landmarker(image, first.region)
    if first.sure * second.sure < _AGREE:
        return None
    mirrored = landmarker(image, first.region, mirror=True)
    if first.sure * second.sure * mirrored.sure < _AGREE:
        return None
    height, width = image.shape[:2]
    xy, size = second.xy[MAIN], first.region.size
    inside = ((xy >= 0) & (xy < (width, height))).all(axis=1)
    seen = inside & (np.minimum(second.score, mirrored.score)[MAIN] > 0.5)
    moved = np.sqrt(((mirrored.xy[MAIN] - xy) ** 2).sum(axis=1)) / size
    if seen.sum() < _SEEN or np.median(moved[seen]) > _MIRROR:
        return None
    return average(second, mirrored)
