"""Detections on their way from a parsed file to a Raw: what every reader of JSON collects them in."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any, TypeGuard

import numpy as np

from minilift.files import PathLike, file_error, one_line
from minilift.poses.read.keypoints.raw import Raw

_LARGEST = 1e9  # of a score
_ENDINGS = re.compile(
    r"(?:\.(?:json|txt|csv|jpe?g|png|bmp|webp|tiff?|mp4|avi|mov|mkv|webm|predictions?|openpifpaf)"
    r"|[_.-](?:keypoints?(?:_?2d)?|poses?|landmarks?|predictions?|results?|2d))+$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d{1,15})(\D*)$")


class Rows:
    """The people of a file, one by one; `raw` makes arrays of them, all at once where it can.

    Raises InputError naming file and frame for numbers that are none, or people with different joints.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self.frame: list[int] = []
        self.frames: list[int] = []
        self._width = 3
        self._joints: list[Any] = []
        self._scores: list[Any] = []
        self._track: list[str | None] = []
        self._weight: list[float] = []

    def add(
        self, frame: int, joints: Any, width: int, *, scores: Any = None, track: Any = None,
        weight: Any = None,
    ) -> None:  # fmt: skip
        """A person: `joints` are J times `width` numbers, nested or flat, null for none; `scores` are J.

        All of a file have the same width.
        """
        self._width = width
        self._joints.append(joints)
        if scores is not None:
            self._scores.append(scores)
        self.frame.append(frame)
        self._track.append(None if track is None else identity(track))
        self._weight.append(number(weight))

    def __len__(self) -> int:
        return len(self.frame)

    def joints(self) -> np.ndarray:
        """(n, J, width). Raises InputError where people have different numbers of joints."""
        return self._stacked(self._joints, self._width)

    def raw(self, **about: Any) -> Raw:
        """Places and scores: the third number of each joint, or the scores that were added."""
        joints, score = self.joints(), None
        if self._scores:
            apart = self._stacked(self._scores, 1)
            if apart.shape[:2] != joints.shape[:2]:
                raise file_error(self.path, "has not one score for each joint; write the file again")
            score = apart[:, :, 0]
        elif joints.shape[2] > 2:
            score = joints[:, :, 2]
        if score is not None and not np.isfinite(score).any():
            score = None
        weights = np.array(self._weight, np.float64)
        frame = np.array(self.frame, np.int64)
        frames = sorted({*self.frames, *self.frame})
        found = {
            "score": score,
            "track": self._track if any(one is not None for one in self._track) else None,
            "weight": weights if np.isfinite(weights).any() else None,
            "frames": np.array(frames, np.int64),
            **about,
        }
        return Raw(joints[:, :, :2], frame, **found)

    def _stacked(self, people: list[Any], width: int) -> np.ndarray:
        if not people:
            return np.zeros((0, 0, width))
        try:
            found = numbers(people)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return self._one_by_one(people, width)
        flat = found.ndim == 2 and found.shape[1] % width == 0
        if found.size and (flat or (found.ndim == 3 and found.shape[2] == width)):
            return found.reshape(len(people), -1, width)
        return self._one_by_one(people, width)

    def _one_by_one(self, people: list[Any], width: int) -> np.ndarray:
        """The same for people who are not all alike: it knows whose numbers are wrong."""
        found = [self._person(frame, one, width) for frame, one in zip(self.frame, people, strict=False)]
        counts = [len(person) for person in found]
        if min(counts) < max(counts):
            few, many = (self.frame[counts.index(count)] for count in (min(counts), max(counts)))
            problem = f"people of {min(counts)} joints (frame {few}) and of {max(counts)} (frame {many})"
            raise file_error(self.path, f"{problem}: two layouts in one clip; keep one of them")
        return np.stack(found)

    def _person(self, frame: int, values: Any, width: int) -> np.ndarray:
        try:
            found = numbers(values)
        except (ValueError, TypeError, OverflowError, RecursionError):
            shown = one_line(repr(values), 40)
            problem = f"a person of frame {frame} has no lists of numbers for joints ({shown})"
            raise file_error(self.path, f"{problem}; write the file again") from None
        nested = found.ndim == 2 and found.shape[1] == width
        if not found.size or not (nested or (found.ndim == 1 and found.size % width == 0)):
            problem = f"a person of frame {frame} has {found.size} numbers, not {width} for each joint"
            raise file_error(self.path, f"{problem}; write the file again")
        return found.reshape(-1, width)


def numbers(values: Any) -> np.ndarray:
    """An array of lists of numbers, NaN for null and infinities.

    Raises ValueError and its like for anything else: text that reads as a number is none.
    """
    found = np.array(values)
    if found.dtype == object and not set(map(type, found.ravel())) <= {int, float, NoneType}:
        raise ValueError
    if found.dtype.kind not in "iufO" or not found.ndim:
        raise ValueError
    found = found.astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


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
    found = _NUMBER.search(_stem(name))
    return int(found[1]) if found else None


def clip_of(name: str) -> str:
    """The name of a file without folder, ending and number: of all frames of a clip the same."""
    stem = _stem(name)
    found = _NUMBER.search(stem)
    if found is None:
        return stem
    before = stem[: found.start()].rstrip("0123456789")
    return before.rstrip("_.- ") + found[2]


def _stem(name: str) -> str:
    return _ENDINGS.sub("", name[max(name.rfind("/"), name.rfind("\\")) + 1 :])


_APART = 300
"""Frames of a clip for each that is there, at most: numbers of a data set are farther apart."""


def near(numbers: list[int]) -> bool:
    """Whether numbers may be those of frames of a clip, not of pictures of a data set."""
    return max(numbers, default=0) - min(numbers, default=0) <= _APART * max(len(set(numbers)), 1)


def is_list_of(value: Any, kind: type | tuple[type, ...]) -> TypeGuard[list[Any]]:
    """Whether it is a list whose first items are of a kind, and there is one at least."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value[:3])


def first_of(value: Any) -> Any:
    """The first item that is not empty, of a list; None where there is none."""
    return next((item for item in value if item), None) if isinstance(value, list) else None
