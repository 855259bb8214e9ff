"""Kaggle's facial-keypoint table: columns NAME_x and NAME_y in pixels, and `Image`, grey numbers in a row.

https://www.kaggle.com/c/facial-keypoints-detection. The table may lie in a zip file, as it is downloaded.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Iterator

import numpy as np

from minilift.errors import InputError
from minilift.files import LARGEST_FILE, PathLike, file_error, one_line, read_bytes
from minilift.files.npz import LARGEST_RATIO, SMALL
from minilift.files.what import kind_of, wrong_kind
from minilift.images.pictures import PointPictures

REMEDY = "take training.csv or training.zip of Kaggle's facial keypoints"
PIXELS = "Image"
FORKS = "__MACOSX/"  # what macOS adds to a zip file: a twin of each file, with none of its data


def read_points_csv(path: PathLike) -> PointPictures:
    """The square pictures of a table, and their points; rows that lack a point are ignored and counted.

    Raises InputError naming the file, and the line where it has one: no such table, cells that are missing
    or no numbers, points further from the picture than it is wide, pictures that are not square or of several
    sizes, no row with all points.
    """
    content = read_bytes(path, REMEDY)
    lines = enumerate(_table(path, content), start=1)
    _, first = next(lines, (0, b""))
    names, columns, at = _columns(path, content, first)
    pixels: list[np.ndarray] = []
    points: list[list[float]] = []
    ignored = 0
    for number, line in lines:
        if not line.strip():
            continue
        try:
            cells = _cells(line.decode("ascii"))
            numbers = [float(cells[i] or "nan") for i in columns]
            picture = _pixels(cells[at])
            _check_near(numbers, picture.shape[1])
        except (UnicodeError, ValueError, IndexError) as problem:
            why = "cells are missing" if isinstance(problem, IndexError) else one_line(str(problem), 80)
            raise file_error(path, f"line {number}: {why}; {REMEDY}") from None
        if pixels and picture.shape != pixels[0].shape:
            sides = f"{picture.shape[1]} pixels wide, the first has {pixels[0].shape[1]}"
            raise file_error(path, f"line {number}: a picture {sides}; {REMEDY}")
        if any(map(math.isnan, numbers)):
            ignored += 1
            continue
        pixels.append(picture)
        points.append(numbers)
    if not pixels:
        raise file_error(path, f"no row with all points ({ignored} lack some); {REMEDY}")
    placed = np.array(points, np.float32).reshape(len(points), len(names), 2)
    return PointPictures(np.stack(pixels), placed, names, ignored)


def _table(path: PathLike, content: bytes) -> Iterator[bytes]:
    """The lines of the table, taken out of its zip file if it is in one."""
    if kind_of(content).name != "zip":
        return iter(io.BytesIO(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [info for info in archive.infolist() if not info.filename.startswith(FORKS)]
            tables = [info for info in inside if info.filename.lower().endswith(".csv")]
            if len(tables) != 1:
                raise file_error(path, f"a zip file with {len(tables)} tables (.csv) in it; {REMEDY}")
            limit = min(LARGEST_FILE, max(SMALL, LARGEST_RATIO * len(content)))
            with archive.open(tables[0]) as member:
                text = member.read(limit + 1)
    except InputError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds for a damaged archive
        why = type(error).__name__
        raise file_error(path, f"the zip file is damaged ({why}); download it again") from None
    if len(text) > limit:
        raise file_error(path, f"unpacks to over {limit} bytes, far more than its own size; {REMEDY}")
    return iter(io.BytesIO(text))


def _columns(path: PathLike, content: bytes, first: bytes) -> tuple[tuple[str, ...], list[int], int]:
    """The names of the points, the columns of their x and y, and that of the picture."""
    head = _cells(first.decode("utf-8-sig", "replace"))
    names = tuple(name[:-2] for name in head if name.endswith("_x") and f"{name[:-2]}_y" in head)
    if PIXELS not in head or not names:
        why = f"no columns NAME_x, NAME_y and {PIXELS}"
        raise wrong_kind(path, content, "a table of points in pictures", REMEDY, why, "text")
    return names, [head.index(f"{name}_{axis}") for name in names for axis in "xy"], head.index(PIXELS)


def _cells(line: str) -> list[str]:
    """No cell has a comma in it, so quotes, which some programs put around text, mean nothing."""
    return line.replace('"', "").strip().split(",")


def _check_near(numbers: list[float], side: int) -> None:
    for value in numbers:
        if value < -side or value > 2 * side:
            raise ValueError(f"a point at {value:g}, far outside a picture of {side} x {side} pixels")


def _pixels(text: str) -> np.ndarray:
    """(1, side, side) uint8, or ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy only warns where it stops at something that is no number
        try:
            numbers = np.fromstring(text, np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise ValueError("a picture with something else than numbers in it") from None
    side = math.isqrt(numbers.size)
    if not side or side * side != numbers.size:
        raise ValueError(f"a picture of {numbers.size} numbers, which is no square")
    if numbers.min() < 0 or numbers.max() > 255:
        raise ValueError("a picture with numbers beyond 0 to 255")
    return numbers.astype(np.uint8).reshape(1, side, side)
