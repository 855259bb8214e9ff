"""A file that says how far away a person is in each frame."""

from __future__ import annotations

import math

from minilift.files import PathLike, file_error, read_bytes

_LARGEST = 1 << 24
_REMEDY = "write a frame's number and metres in each line, such as 12,3.45"


def read_distances(path: PathLike) -> dict[int, float]:
    """Metres by frame number, of a text file with both in each line, with a comma or blanks between them. A
    first line of words is skipped. Raises InputError naming file and line."""
    data = read_bytes(path, _REMEDY, first=_LARGEST + 1)
    if len(data) > _LARGEST:
        raise file_error(path, f"has more than {_LARGEST >> 20} MB; {_REMEDY}")
    found: dict[int, float] = {}
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words:
            continue
        try:
            frame, metres = (float(word) for word in words)
            if not (frame == int(frame) and 0 < metres < math.inf):
                raise ValueError
        except (ValueError, OverflowError):
            if number == 1 and not words[0][0].isdigit():
                continue
            raise file_error(path, f"line {number}: is no frame and distance; {_REMEDY}") from None
        found[int(frame)] = metres
    if not found:
        raise file_error(path, f"has no frame; {_REMEDY}")
    return found
