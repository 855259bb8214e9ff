"""A picture as a detector takes it, and what frames come from: the contract of all readers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

LARGEST = 4096
"""Pixels of the longer side of the pictures that detectors are given."""


@dataclass(frozen=True)
class Mark:
    """A frame that was read before, to go on behind it."""

    time: float | None
    print: int
    """`fingerprint` of its picture."""


@dataclass(frozen=True)
class Frame:
    """A photo, or one picture of a video or a camera."""

    number: int
    """As decoded, 0 first."""
    time: float | None
    """Seconds since the first frame, by the time stamps of the file; None for a photo."""
    image: np.ndarray
    """(H, W, 3) uint8 RGB, C-contiguous, upright: tags of rotation and mirroring are obeyed.

    Of pictures larger than LARGEST it is a smaller copy: what a detector finds in it is told in pixels of the
    copy, and `minilift.video.run` makes them pixels of `Frames.size`."""


def fingerprint(image: np.ndarray) -> int:
    """A number that tells pictures (H, W, 3) apart: the checksum of every 16th row."""
    return zlib.crc32(np.ascontiguousarray(image[::16]).data)


class Frames(Protocol):
    """A photo, a video or a camera that is open; a context manager, which closes it."""

    path: Path
    size: tuple[int, int]
    """Width and height of the upright pictures in pixels."""
    fps: float | None
    """Frames a second on average; None for a photo, or where the file does not say."""
    count: int | None
    """How many frames there are, as the file estimates it; None: it does not say, or a camera."""
    still: bool
    """A photo."""
    focal: float | None
    """Focal length in pixels of `size`, where a photo tells it."""
    focal_source: str
    """How that is known, in a few words; empty where it is not."""
    notes: list[str]
    """What was assumed, a line each."""
    warnings: list[str]
    """What is wrong with the file and did not stop the reading, a line each; grows while it is read."""

    def frames(self, start: int = 0, after: Mark | None = None) -> Iterator[Frame]:
        """The frames from number `start` on. Raises InputError for what cannot be read at all.

        With `after`, which is frame `start` - 1, a video is not decoded from its beginning.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Frames: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
