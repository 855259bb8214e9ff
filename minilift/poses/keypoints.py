"""2D keypoints as a detector found them: people in frames, in pixels, their layout known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.poses.layouts import Layout
from minilift.poses.layouts.own import layout_named


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

    focal: float | None = None
    """Focal length in pixels, where the picture itself tells it, and how that is known."""
    focal_source: str = ""

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


def frame_of(
    xy: np.ndarray, score: np.ndarray | None = None, *, layout: str = "coco17", frame: int = 0,
    time: float | None = None, size: tuple[int, int] | None = None, fps: float | None = None,
    ids: Sequence[str | int | None] | None = None, missing: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> Keypoints:  # fmt: skip
    """The n people of a frame: xy (n, J, 2) pixels, y down, NaN where not seen; score (n, J).

    `missing` (n, J) bool, `weight` (n,) the detector's score of each person, `ids` n identities, None for who
    has none. `time` is in seconds, `size` width and height of the picture in pixels. Raises ArgumentError for
    arrays of other shapes.
    """
    known = layout_named(layout)
    xy = np.asarray(xy, np.float64)
    if xy.ndim != 3 or xy.shape[1:] != (len(known), 2):
        raise ArgumentError("xy", xy.shape, f"is not (people, {len(known)}, 2), as {known.name} has joints")
    n = len(xy)
    for name, given, shape in (
        ("score", score, xy.shape[:2]), ("missing", missing, xy.shape[:2]), ("weight", weight, (n,)),
    ):  # fmt: skip
        if given is not None and np.shape(given) != shape:
            raise ArgumentError(name, np.shape(given), f"is not {shape}")
    if ids is not None and len(ids) != n:
        raise ArgumentError("ids", len(ids), f"there are {counted(n, 'person')}; give one each")
    names = tuple(dict.fromkeys(str(one) for one in ids or () if one is not None))
    track = None
    if names:
        track = np.array([-1 if one is None else names.index(str(one)) for one in ids or ()], np.int64)
    lost = np.isnan(xy).any(axis=2)
    return Keypoints(
        xy=xy,
        score=None if score is None else np.asarray(score, np.float32),
        missing=lost if missing is None else lost | np.asarray(missing, bool),
        frame=np.full(n, frame, np.int64),
        person=np.arange(n),
        track=track,
        track_names=names,
        layout=known,
        format="arrays",
        frames=np.array([frame], np.int64),
        size=size,
        fps=fps,
        weight=None if weight is None else np.asarray(weight, np.float64),
        times=None if time is None else np.array([time], np.float64),
    )
