"""The clips of CMU's motion-capture database that the starting model learns from, and what is odd about them.

The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from
NSF EIA-0196217. The files are free for all uses but may not be resold; they are no part of this package.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from minilift.errors import InputError

SUBJECTS = (
    "05", "06", "07", "08", "09", "12", "13", "16", "17", "26", "27",
    "29", "32", "35", "49", "55", "86", "87", "88", "91", "104", "131",
)  # fmt: skip
"""The people of the database that are used. Subjects 01, 02, 03, 10, 11 and 14 measure, so they are not; 93,
127 and 135 may be the same people as some of those."""

LEFT_OUT = ("08", "49", "55", "87")
"""Whole people that training never sees, to stop by, to calibrate with and to measure: walking, jumps and
cartwheels and dance, lambada, acrobatics. 14% of the frames."""

UNIT = 0.0254 / 0.45
"""Metres per unit of CMU's files, .bvh as well as .asf: inches / 0.45."""

SIXTY = ("87", "88")
"""Subjects recorded at 60 frames a second. The others have 120, and .amc files do not say."""

_KINDS = (".bvh", ".amc", ".asf")


def subject_of(name: PurePath) -> str | None:
    """Whose clip or skeleton a file is, by the folder that it is in; None for all that is not used."""
    folder = name.parent.name
    return folder if folder in SUBJECTS and name.suffix.lower() in _KINDS else None


def fps_of(subject: str, name: PurePath) -> float | None:
    """Frames per second where the file does not say or is wrong about it; None: what it says."""
    if subject in SIXTY:
        return 60.0
    return 120.0 if name.suffix.lower() == ".amc" else None


def by_subject(files: Iterable[Path]) -> dict[str, list[Path]]:
    """The clips of each subject that is used, subjects and clips in the order of their numbers."""
    found: dict[str, list[Path]] = {subject: [] for subject in SUBJECTS}
    for file in files:
        if (subject := subject_of(file)) is not None:
            found[subject].append(file)
    return {subject: sorted(those, key=_numbers) for subject, those in found.items() if those}


def lacking(found: Mapping[str, object]) -> tuple[str, ...]:
    """The subjects that are not there. Raises InputError where none of those to learn from, or of those left
    out, is."""
    for what, those in (("learn from", set(SUBJECTS) - set(LEFT_OUT)), ("leave out", set(LEFT_OUT))):
        if not those & found.keys():
            names = " ".join(subject for subject in SUBJECTS if subject in those)
            raise InputError(f"no clips of the subjects to {what}: folders {names} with .amc or .bvh files")
    return tuple(subject for subject in SUBJECTS if subject not in found)


def _numbers(file: Path) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r"\d+", file.stem)], file.name
