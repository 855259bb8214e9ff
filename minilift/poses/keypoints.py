"""2D keypoints as a detector found them: people in frames, in pixels, their layout known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minilift.poses.layouts import Layout


@dataclass(frozen=True)
class Keypoints:
    """The n detections of a clip, or of a set of pictures; a row is one person in one frame.

    Rows are in the order of their frames, and within a frame in that of the file.
    """

    xy: np.ndarray
    """(n, J, 2) float64 pixels, x to the right, y down, as the file has them; NaN where it has none."""
    score: np.ndarray | None
    """(n, J) float32, as the file has them, above 1 too; None where the file has no scores."""
    missing: np.ndarray
    """(n, J) bool: the file says, in its own way, that the joint was not found."""
    frame: np.ndarray
    """(n,) int64: the number of the frame as the file counts."""
    person: np.ndarray
    """(n,) int64: the place of the person among those of the frame, 0 first. It is no identity."""
    track: np.ndarray | None
    """(n,) int64: the identity as the file gives it, an index of `track_names`; -1: none. None: no ids."""
    track_names: tuple[str, ...]
    layout: Layout
    format: str
    frames: np.ndarray
    """(F,) int64: all frames that the file speaks of, also those without people, ascending."""
    size: tuple[int, int] | None = None
    """Width and height of the pictures in pixels."""
    fps: float | None = None
    stills: bool = False
    """Whether the pictures have nothing to do with each other, as those of a data set."""
    weight: np.ndarray | None = None
    """(n,) the detector's score of the person, None where there is none."""
    rays: bool = False
    """Whether `xy` are no pixels but rays of focal length 1 with y up, as in the course's files."""
    notes: tuple[str, ...] = ()
    """What was found and assumed, a line each."""
    warnings: tuple[str, ...] = ()
    """What is suspicious, and what to do about it, a line each."""
    bad: tuple[str, ...] = ()
    """The files of a folder that could not be read, a line each."""
    media: str | None = None
    """The path of the photo or video that the points are of, where it is known."""
    times: np.ndarray | None = None
    """(F,) float64 seconds since the first frame of the video, for each of `frames`; None: not known."""

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def people(self) -> int:
        """How many there are: the identities, or without them the most in one frame."""
        if self.track is not None and (self.track >= 0).all():
            return len(np.unique(self.track))
        return int(self.person.max(initial=-1)) + 1

    def times_of(self, frame: np.ndarray) -> np.ndarray | None:
        """Seconds (n,) float64 of frames (n,) that are all among `frames`; None where no times are known."""
        return None if self.times is None else self.times[np.searchsorted(self.frames, frame)]

    def take(self, rows: np.ndarray | slice) -> Keypoints:
        """The detections of these rows (indices, mask or slice), in this order."""

        def part(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[rows]

        return replace(
            self,
            xy=self.xy[rows],
            score=part(self.score),
            missing=self.missing[rows],
            frame=self.frame[rows],
            person=self.person[rows],
            track=part(self.track),
            weight=part(self.weight),
        )
