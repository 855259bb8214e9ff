"""A person as a detector finds one in a picture, and the contract of all detectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from minilift.poses.layouts import Layout
from minilift.video.frame import Frame


@dataclass(frozen=True)
class Person:
    """One person in one frame; J joints, in the order of the detector's layout."""

    xy: np.ndarray
    """(J, 2) float64 pixels of the upright picture, x to the right, y down; they may lie outside of it."""
    score: np.ndarray
    """(J,) float32, 0 to 1: how sure the detector is of each joint."""
    weight: float | None
    """How sure it is of the person; None where it does not say."""
    missing: np.ndarray
    """(J,) bool: joints that were not found."""


class Detector(Protocol):
    """Finds the people of a picture. One thread may use it at a time.

    What it finds depends on the frame alone. One that does remember the frames before (it follows people from
    one to the next) is a `Remembers` as well, so that a run that was stopped goes on to the same bits.
    """

    name: str
    """With its version and model, where these decide what it finds: kept detections are used again only with
    the detector of the same name."""
    layout: Layout

    def __call__(self, frame: Frame) -> list[Person]:
        """The people of a frame, in no order; none where there is nobody."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Remembers(Protocol):
    """What a detector has that remembers the frames before."""

    def reset(self) -> None:
        """Forget them: another video begins."""
        ...

    def remembered(self) -> bytes:
        """All that the next frame's people depend on, beside the frame; a few hundred bytes."""
        ...

    def recall(self, remembered: bytes) -> None:
        """Be as it was then. Raises ValueError for bytes that are no such thing."""
        ...
