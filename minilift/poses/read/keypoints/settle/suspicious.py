"""What is suspicious about keypoints, and what to do: a line for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minilift.poses.few import evenly, quantile
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts.find import doubts, implausible
from minilift.poses.layouts.sides import upside_down

_MOST = 5000  # rows that are looked at


def suspicious(found: Keypoints) -> tuple[str, ...]:
    """The warnings about keypoints whose layout is known. What the course's files hold may be upside down."""
    if not len(found):
        return ()
    rows = evenly(len(found), _MOST)
    if found.rays:
        some, down = found.take(rows), np.array([1, -1], np.float32)
        if not upside_down(some.layout, some.xy * down, some.missing):
            return ()
        return ("heads are below hips: y seems to point down; write y upwards, as these files have it",)
    doubles = _doubles(found)
    told = f"{doubles:,} people are there twice in a frame, to the digit: predict counts them once"
    return (*_all(found.take(rows)), *((told,) if doubles else ()))


def _all(found: Keypoints) -> Iterator[str]:
    why = implausible(found.layout, found.xy, found.missing)
    if why:
        yield f"{why}: this is another layout; give layout"
    yield from doubts(found.layout, found.xy, found.missing, found.score)
    places = np.where(found.missing[..., None], np.nan, found.xy)
    yield from _sizes(found, places)


def _sizes(found: Keypoints, places: np.ndarray) -> Iterator[str]:
    known = places[np.isfinite(places).all(axis=2)]
    if not len(known):
        return
    reach = float(quantile(np.abs(known).ravel(), 0.95))
    if reach <= 2:
        yield f"positions reach {reach:.2g}: fractions of the picture taken for pixels; multiply by its size"
    elif found.size is not None:
        yield from outside(known, found.size)


def outside(known: np.ndarray, size: tuple[int, int]) -> Iterator[str]:
    """A line where joints (n, 2), in pixels, show that pictures of `size` are not those of the file."""
    sides = np.array(size)
    share = ((known > 1.5 * sides) | (known < -0.5 * sides)).any(axis=1).mean() if len(known) else 0
    if share > 0.2:
        yield f"{share:.0%} of the joints lie far outside of {size[0]}x{size[1]}: another size, or rotated?"


def _doubles(found: Keypoints) -> int:
    """People who are just where the next, or next but one, of their frame is."""
    shown = np.where(found.missing[..., None], 0, found.xy)
    same = np.zeros(len(found), bool)
    for apart in (1, 2):
        if len(found) > apart:
            frame = found.frame[apart:] == found.frame[:-apart]
            rows = np.flatnonzero(frame)
            same[rows] |= (shown[rows] == shown[rows + apart]).all(axis=(1, 2))
    return int(same.sum())
