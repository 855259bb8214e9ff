"""Detections on their way from a parsed file to a Raw: what every reader of JSON collects them in."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, TypeGuard

import numpy as np

from minilift.files import PathLike, file_error, one_line
from minilift.poses.read.keypoints.raw import Raw

_LARGEST = 1e9
"""Of a coordinate: what is larger is no place in a picture, and would overflow."""
_ENDINGS = re.compile(r"(_keypoints|\.predictions|\.openpifpaf|_pose|_landmarks)+$", re.IGNORECASE)
_PICTURES = re.compile(r"\.(jpe?g|png|bmp|webp|tiff?)$", re.IGNORECASE)


class Rows:
    """The people of a file, one by one; `raw` makes arrays of them.

    Raises InputError naming file and frame for numbers that are none, or people with different joints.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self._joints: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []
        self.frame: list[int] = []
        self.track: list[str | None] = []
        self.weight: list[float] = []
        self.frames: list[int] = []

    def add(
        self, frame: int, joints: Any, width: int, *, scores: Any = None, track: Any = None,
        weight: Any = None,
    ) -> None:  # fmt: skip
        """A person: `joints` are J times `width` numbers, nested or flat; `scores` are J, if apart."""
        numbers = self._numbers(joints, frame)
        if numbers.size % width or not numbers.size:
            problem = f"a person of frame {frame} has {numbers.size} numbers, not {width} for each joint"
            raise file_error(self.path, f"{problem}; write the file again")
        self._joints.append(numbers.reshape(-1, width))
        if scores is not None:
            self._scores.append(self._numbers(scores, frame).ravel())
        self.frame.append(frame)
        self.track.append(identity(track))
        self.weight.append(number(weight))

    def _numbers(self, values: Any, frame: int) -> np.ndarray:
        try:
            found = np.array(values)
            if found.dtype == object:
                found = np.array(_without_none(values), np.float64)
            if found.dtype.kind not in "iuf":
                raise ValueError
        except (ValueError, TypeError, OverflowError, RecursionError):
            shown = one_line(repr(values), 40)
            problem = f"a person of frame {frame} has no lists of numbers for joints ({shown})"
            raise file_error(self.path, f"{problem}; write the file again") from None
        with np.errstate(over="ignore", invalid="ignore"):
            found = found.astype(np.float64)
        return np.where(np.abs(found) < _LARGEST, found, np.nan)

    def __len__(self) -> int:
        return len(self.frame)

    def joints(self) -> np.ndarray:
        """(n, J, width). Raises InputError where people have different numbers of joints."""
        counts = {len(person) for person in self._joints}
        if len(counts) > 1:
            few, many = min(counts), max(counts)
            first = next(f for f, person in zip(self.frame, self._joints, strict=True) if len(person) == few)
            other = next(f for f, person in zip(self.frame, self._joints, strict=True) if len(person) == many)
            problem = f"people of {few} joints (frame {first}) and of {many} (frame {other})"
            raise file_error(self.path, f"{problem}: two layouts in one clip; keep one of them")
        return np.stack(self._joints) if self._joints else np.zeros((0, 0, 3))

    def raw(self, **about: Any) -> Raw:
        """Places and scores: the third number of each joint, or the scores that were added."""
        joints = self.joints()
        score = None
        if self._scores:
            if {len(row) for row in self._scores} != {joints.shape[1]} or len(self._scores) != len(joints):
                raise file_error(self.path, "has not one score for each joint; write the file again")
            score = np.stack(self._scores)
        elif joints.shape[2] > 2:
            score = joints[:, :, 2]
        weights = np.array(self.weight, np.float64)
        frames = sorted({*self.frames, *self.frame})
        found = {
            "score": score,
            "track": self.track if any(one is not None for one in self.track) else None,
            "weight": weights if np.isfinite(weights).any() else None,
            "frames": np.array(frames, np.int64),
            **about,
        }
        return Raw(joints[:, :, :2], np.array(self.frame, np.int64), **found)


def _without_none(values: Any) -> Any:
    if isinstance(values, (list, tuple)):
        return [_without_none(value) for value in values]
    if values is None:
        return np.nan
    if isinstance(values, bool) or not isinstance(values, (int, float)):
        raise ValueError
    return values


def identity(value: Any) -> str | None:
    """An identity as a file gives it: a number, text, or a list with one of them; -1 and nothing are none."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        value = int(value) if value == int(value) else value
    return None if value in (-1, "-1", "") else one_line(str(value), 40)


def number(value: Any) -> float:
    """A number, NaN for what is none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if good and abs(value) < _LARGEST else float("nan")


def whole(value: Any, otherwise: int) -> int:
    """A whole number, such as that of a frame."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 1 << 62 else otherwise
    found = number(value)
    return int(found) if np.isfinite(found) and found == int(found) else otherwise


def frame_in_name(name: str) -> int | None:
    """The number of a frame in the name of its file or picture: the last number; None where there is none.

    "GOPR0105_1080p_000000000120_keypoints.json" is frame 120, "000081988.jpg.predictions.json" frame 81988.
    """
    found = re.findall(r"\d{1,15}", clip_of(name, whole_stem=True))
    return int(found[-1]) if found else None


def clip_of(name: str, whole_stem: bool = False) -> str:
    """The name of a file without folder, ending and number: of all frames of a clip the same."""
    stem = PurePath(name.replace("\\", "/")).name
    stem = re.sub(r"\.(json|txt|csv)$", "", stem, flags=re.IGNORECASE)
    for _ in range(3):
        stem = _PICTURES.sub("", _ENDINGS.sub("", stem))
    return stem if whole_stem else re.sub(r"[^0-9]?\d+\D*$", "", stem)


def is_list_of(value: Any, kind: type | tuple[type, ...]) -> TypeGuard[list[Any]]:
    """Whether it is a list whose first items are of a kind, and there is one at least."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value[:3])


def first_of(value: Any) -> Any:
    """The first item that is not empty, of a list; None where there is none."""
    return next((item for item in value if item), None) if isinstance(value, list) else None
