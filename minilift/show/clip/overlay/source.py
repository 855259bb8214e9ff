"""What is drawn on: the frames of the photo or video that keypoints are of, or a plain ground for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import People, column_of
from minilift.video.frame import Frames

ASSUMED, STILL = 25.0, 1.0  # frames a second where nobody says; seconds of a picture that has no time
SLOWEST, FASTEST = 1 / 60, 1000.0  # frames a second: what is beyond is a mistake
SPARSE = 20  # times as many frame numbers as frames with people: then only those are drawn


class Ground(NamedTuple):
    """What one frame is drawn on."""

    number: int
    time: float
    """Seconds since the first."""
    image: np.ndarray | None


@dataclass(frozen=True)
class Source:
    """All of them, in order."""

    size: tuple[int, int]
    rate: float
    """Frames a second on average."""
    count: int | None
    """How many there are, as far as it is known."""
    still: bool
    """A photo: there is one."""
    grounds: Iterator[Ground]


def of_media(frames: Frames) -> Source:
    """The frames of an open photo or video."""

    def grounds() -> Iterator[Ground]:
        for frame in frames.frames():
            yield Ground(frame.number, frame.time or 0.0, frame.image)

    return Source(frames.size, _rate(frames.fps), frames.count, frames.still, grounds())


def of_nothing(people: People, head: LiftedPeople, path: PathLike) -> Source:
    """Plain grounds of the size of the pictures; raises InputError, naming `path`, where it is not known."""
    if head.rays:
        raise file_error(path, "the keypoints are rays, not pixels, so there is no picture to draw them on")
    if head.size is None:
        problem = f"is needed for {one_line(str(path))}, of whose pictures the size is not known; give "
        given = ("size", "1280x720"), ("media", "FILE")
        raise ArgumentError("size", "WxH", problem + "{0}, or {1}", *given)
    numbers = np.unique(np.concatenate([np.unique(part) for part in column_of(people, "frame")]))
    step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
    if not head.stills and (int(numbers[-1]) - int(numbers[0])) // step < SPARSE * len(numbers):
        numbers = np.arange(numbers[0], numbers[-1] + 1, step)
    rate = _rate(1 / STILL if head.stills else (head.fps or ASSUMED) / step)
    grounds = (Ground(int(number), k / rate, None) for k, number in enumerate(numbers))
    return Source(head.size, rate, len(numbers), len(numbers) == 1, grounds)


def check_size(head: LiftedPeople, source: Source, media: str) -> None:
    """Raise InputError where keypoints are of pictures of another size than those of `media`."""
    if head.size is not None and tuple(head.size) != tuple(source.size):
        own, other = ("{}x{}".format(*size) for size in (source.size, head.size))
        raise file_error(media, f"has pictures of {own} pixels, the keypoints are of {other}; give their own")


def _rate(told: float | None) -> float:
    """Frames a second, within what a player can play."""
    return min(max(told or ASSUMED, SLOWEST), FASTEST)
