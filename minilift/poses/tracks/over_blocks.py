"""People followed through a clip that comes block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from minilift.errors import InputError, counted
from minilift.poses.keypoints import Keypoints
from minilift.poses.tracks.apart import placed
from minilift.poses.tracks.duplicates import quality, twice
from minilift.poses.tracks.follow import MOST, Followed, known_sizes
from minilift.poses.tracks.step import step_of


def followed(blocks: Iterator[Keypoints]) -> Iterator[Keypoints]:
    """The blocks of a clip whose frames do not say who is who, with `person` the same in all frames.

    Who is in a frame twice is left out, and who has no joint. Raises InputError for more people in a frame
    than can be followed.
    """
    people: Followed | None = None
    step = 1.0
    for block in blocks:
        missing = block.missing | np.isnan(block.xy[..., 0])
        good = quality(block.weight, block.score, missing)
        rows = np.flatnonzero(~(missing.all(axis=1) | twice(block.xy, missing, block.frame, good)))
        block = block.take(rows)
        points = placed(block.xy, missing[rows])
        if people is None:
            people, step = Followed(points.shape[1]), step_of(block.frames)
        yield replace(block, person=_matched(people, block.frame, points, step))


def _matched(people: Followed, frame: np.ndarray, points: np.ndarray, step: float) -> np.ndarray:
    size, found = known_sizes(points), np.empty(len(points), np.int64)
    numbers, first, count = np.unique(frame, return_index=True, return_counts=True)
    if len(count) and count.max() > MOST:
        what = f"{counted(int(count.max()), 'detection')} in frame {numbers[count.argmax()]}"
        raise InputError(f"{what}, and {MOST:,} can be followed; leave out the weak ones")
    for number, start, n in zip(numbers, first, count, strict=True):
        rows = slice(start, start + n)
        found[rows] = people.match(points[rows], size[rows], number / step)
    return found
