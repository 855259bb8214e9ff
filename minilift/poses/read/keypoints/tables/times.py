"""Columns of times: how many frames are a second, and which frame a row is where no column numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from minilift.poses.read.keypoints.tables.cells import is_number
from minilift.poses.read.keypoints.tables.columns import Columns

_SLOWEST, _FASTEST = 1.0, 1000.0  # frames a second of what is filmed to see people move
_LONGEST = 10_000_000  # frames of a clip
_UNEVEN = 0.6  # of a frame: times rounded to milliseconds, or a camera's jitter, are nearer than that


@dataclass
class Frames:
    """The frame of each row of a table (rows,) int64, and the frames a second, None where none are told."""

    number: np.ndarray
    fps: float | None = None
    notes: list[str] = field(default_factory=list)


def with_rate(number: np.ndarray, columns: Columns, rows: Sequence[Sequence[str]]) -> Frames:
    """Frames with numbers of their own, and their rate by the times next to them."""
    times = _times(columns, rows)
    if times is None:
        return Frames(number)
    frames, at = np.unique(number, return_index=True)
    return Frames(number, *_told(_rate(frames - frames[0], times[at], columns)))


def by_times(columns: Columns, rows: Sequence[Sequence[str]]) -> Frames | None:
    """Frames numbered by their times alone, from 0; None where times do not tell them.

    A time that is there twice is one frame of two people only where a column tells these, or joints, apart:
    otherwise it may as well be rounded.
    """
    times = _times(columns, rows)
    if times is None:
        return None
    moments, number = np.unique(times, return_inverse=True)
    if len(moments) < len(times) and columns.person is columns.joint is None:
        return None
    steps = np.diff(moments)
    apart = np.arange(len(moments))
    if len(steps) and (moments[-1] - moments[0]) / np.median(steps) < _LONGEST:
        apart = np.rint((moments - moments[0]) / np.median(steps)).astype(np.int64)
    rate = _rate(apart, moments, columns)
    if rate is None:  # the moments are frames all the same
        apart = np.arange(len(moments))
    return Frames(apart[number].astype(np.int64), *_told(rate))


def _times(columns: Columns, rows: Sequence[Sequence[str]]) -> np.ndarray | None:
    """The times of all rows in the file's unit, None where one of them is no number."""
    if columns.time is None or not all(is_number(row[columns.time]) for row in rows):
        return None
    try:
        times = np.array([float(row[columns.time]) for row in rows])
    except ValueError:  # a blank one
        return None
    return times if (np.abs(times) < 2**53).all() and len(times) > 1 else None


def _rate(frames: np.ndarray, times: np.ndarray, columns: Columns) -> float | None:
    """Frames a second, None for times that grow unevenly, or as no camera's do.

    Whole numbers some apart are milliseconds, as 33 or 40 is; a step of 1 counts, whatever the column is
    called.
    """
    if len(frames) < 2 or frames[-1] == frames[0] or frames[-1] - frames[0] > _LONGEST:
        return None
    step = float(times[-1] - times[0]) / float(frames[-1] - frames[0])
    if step <= 0 or np.abs(times - times[0] - frames * step).max() > _UNEVEN * step:
        return None
    if columns.milliseconds or (step > _SLOWEST and (times % 1 == 0).all()):
        step /= 1000
    rate = round(1 / step, 3)
    return rate if _SLOWEST < rate <= _FASTEST else None


def _told(rate: float | None) -> tuple[float | None, list[str]]:
    if rate is None:
        return None, ["a column of times: not used, for they do not grow by the same step as frames do"]
    return rate, [f"by the column of times {rate:g} frames are a second"]
