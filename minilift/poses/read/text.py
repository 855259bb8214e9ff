"""Text files of numbers: their lines, with what is wrong in them said by file, line and cause."""

import io
import math
import os
import re
from collections.abc import Iterator, Sequence

from minilift.errors import InputError
from minilift.files import PathLike, file_error, read_bytes
from minilift.files.what import kind_of, wrong_kind
from minilift.poses.read.clip import LARGEST_CLIP

LARGEST_NUMBER = 1e9  # no length or angle is larger, and their sums and products stay finite

_DECIMAL = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_CAUSES = (
    (r"[+-]?\d+,\d+", "a decimal comma; export the file with decimal points"),
    (r"[+-]?[\d.]+d[+-]?\d+", "a number of Fortran with D for the exponent; write E in its place"),
    (
        r"[+-]?(nan\(.*\)|\d\.#\w+)",
        "not a number but what a program writes for a failed division; mend that frame",
    ),
    (r"[+-]?[\d.]+e[+-]?|[+-]|\.", "a number cut short; copy the file again"),
    (r"null|none|-|n/a|undefined", "no value; fill that gap, or leave the frame out"),
)
"""What a word is that is no number: a pattern of all of it, and what to say."""


# Kinds of files that may have lines; what is wrong in those is said by the line
_LINES = ("bvh", "asf", "amc", "log", "text", "unknown")


class Lines:
    """The lines of a file that are not blank, with their number for what is wrong in them.

    `comment` is a letter from which on the rest of a line is none of it. Raises InputError for files that
    cannot be read, and those over LARGEST_CLIP.
    """

    def __init__(self, path: PathLike, name: str, comment: str = "") -> None:
        read_bytes(path, f"name {name} file", first=1)
        if os.stat(path).st_size > LARGEST_CLIP:
            raise file_error(path, f"larger than {LARGEST_CLIP >> 20} MB; cut the clip into shorter ones")
        self.path, self.number, self.comment = path, 0, comment
        self.content = read_bytes(path)
        if kind_of(self.content).name not in _LINES:
            raise wrong_kind(path, self.content, f"{name} file", f"name {name} file")
        encoding = "utf-16" if self.content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        self._lines = io.TextIOWrapper(  # knows every line end
            io.BytesIO(self.content), encoding, "replace"
        )

    def __iter__(self) -> Iterator[str]:
        for text in self._lines:
            self.number += 1
            if self.comment:
                text = text.partition(self.comment)[0]
            if text := text.strip():
                yield text

    def error(self, problem: str) -> InputError:
        return file_error(self.path, f"line {self.number}: {problem}")

    def numbers(self, words: Sequence[str]) -> list[float]:
        """The words as numbers. Raises InputError with the cause: what else it is, or no length or angle."""
        try:
            values = [float(word) for word in words]
        except ValueError:
            word = next(word for word in words if not is_number(word))
            raise self.error(not_a_number(word)) from None
        if not all(abs(value) <= LARGEST_NUMBER for value in values):  # false for NaN, too
            word = next(w for w, v in zip(words, values, strict=True) if not abs(v) <= LARGEST_NUMBER)
            raise self.error(f"{word[:40]} is no length or angle; mend that frame, or leave it out")
        return values


def is_number(word: str) -> bool:
    """Whether float() takes it."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def not_a_number(word: str) -> str:
    """Why a word is no number, and what to do: numbers glued together, a decimal comma, ..."""
    plain = word.lower()[:200]
    numbers, rest = len(re.findall(_DECIMAL, plain)), re.sub(_DECIMAL, "", plain)
    if numbers > 1 and not rest:
        return f"'{word[:40]}': numbers glued together, written with a fixed width; put blanks between them"
    for pattern, cause in _CAUSES:
        if re.fullmatch(pattern, plain):
            return f"'{word[:40]}': {cause}"
    return f"'{word[:40]}' is not a number; export the clip again"


def seconds_of(frame_time: float) -> tuple[float, str] | None:
    """Seconds per frame from the number behind 'Frame Time:', and what it was taken for ("" for seconds).

    Some programs write frames per second there, some milliseconds. It is seconds up to 1; above, what makes
    one of the usual RATES. None where nothing does, and where both do: 20 is 20 frames a second, or 50.
    """
    if 1e-4 <= frame_time <= 1:
        return frame_time, ""
    if not 1 < frame_time < 1001:
        return None
    rate, milliseconds = _usual(frame_time), _usual(1000 / frame_time)
    if rate and not milliseconds:
        return 1 / frame_time, f"{frame_time:g} frames per second"
    if milliseconds and not rate:
        return frame_time / 1000, f"{frame_time:g} milliseconds, {1000 / frame_time:.4g} frames per second"
    return None


RATES = (
    10,
    12,
    12.5,
    15,
    20,
    24,
    25,
    30,
    48,
    50,
    60,
    72,
    75,
    90,
    100,
    120,
    144,
    150,
    200,
    240,
    250,
    300,
    480,
)
"""Frames per second of cameras and motion capture; 29.97 counts as 30."""


def _usual(rate: float) -> bool:
    return any(math.isclose(rate, known, rel_tol=0.015) for known in RATES)
