"""Folders of pictures: one folder a class, files of any sizes. Needs Pillow."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minilift.extras import load
from minilift.files import LARGEST_FILE, PathLike, file_error, os_error, read_bytes
from minilift.images.pictures import Pictures

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm")
KINDS = ("PNG", "JPEG", "BMP", "GIF", "PPM")  # decoders that a file may ask for: few, and much used ones
MODES = {1: "L", 3: "RGB"}  # Pillow's words for grey and colour
EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa"}
LARGEST_PICTURE = 64 << 20  # pixels, of one picture
WHY = {  # of Pillow's errors by name; all others are damage
    "UnidentifiedImageError": f"none of {', '.join(KINDS)}",
    "DecompressionBombError": "far too many pixels",
    "DecompressionBombWarning": "far too many pixels",
    "MemoryError": "no memory for it",
}

Size = tuple[int, int]  # height, width


def find_pictures(folder: PathLike) -> tuple[list[Path], np.ndarray, tuple[str, ...]]:
    """The picture files of a folder of folders in order, the class number of each, and the classes' names.

    A class is a folder, in alphabetical order; hidden files and files of other suffixes are passed over.
    Raises InputError naming a folder without classes, or a class without pictures.
    """
    classes = _entries(folder, "give the folder that has one folder for each class in it", folders=True)
    if not classes:
        raise file_error(folder, "no class folders in it; put the pictures of each class into a folder")
    paths: list[Path] = []
    counts: list[int] = []
    for name in classes:
        place = Path(folder) / name
        found = [n for n in _entries(place, "check the folder") if n.lower().endswith(SUFFIXES)]
        if not found:
            raise file_error(place, "no pictures in this class folder; add some, or remove the folder")
        paths += [place / n for n in found]
        counts.append(len(found))
    return paths, np.repeat(np.arange(len(classes)), counts), tuple(classes)


def _entries(folder: PathLike, remedy: str, folders: bool = False) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            seen = [e.name for e in entries if e.is_dir() == folders and not e.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        raise file_error(folder, f"no such folder; {remedy}") from None
    except OSError as error:
        raise os_error(folder, error, remedy) from None
    return sorted(seen)


def read_picture(path: PathLike, channels: int = 1, size: Size | None = None) -> np.ndarray:
    """One picture as (channels, height, width) uint8; resized, where a `size` is given, as Pillow does it
    bilinearly. Raises InputError naming the file, and where Pillow is missing.
    """
    image_module = load("PIL.Image", "reading pictures")
    content = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            image = image_module.open(io.BytesIO(content), formats=KINDS)
            _check(image)
            image = image.convert(MODES[channels])
            if size is not None:
                image = image.resize(size[::-1], image_module.Resampling.BILINEAR)
    except Exception as error:  # damaged files make decoders raise anything
        why = (
            str(error)
            if isinstance(error, _NotReadError)
            else WHY.get(type(error).__name__, "damaged or cut short")
        )
        raise file_error(path, f"cannot be read as a picture ({why}); replace or remove it") from None
    pixels = np.asarray(image, np.uint8)
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels).transpose(2, 0, 1))


class _NotReadError(ValueError):
    """A whole picture that is not read, with the reason."""


def _check(image: Any) -> None:
    width, height = image.size
    if width * height > LARGEST_PICTURE:
        raise _NotReadError(f"{width} x {height} pixels, the limit is {LARGEST_PICTURE}")
    if image.mode not in EIGHT_BITS:
        raise _NotReadError(f"mode {image.mode}, only 8 bits a channel are read")


def read_folder(
    folder: PathLike, channels: int = 1, size: Size | None = None, step: Callable[[int], Any] | None = None
) -> list[Pictures]:
    """All pictures of a folder of class folders, one `Pictures` for each resolution found, smallest first.

    With a `size` (height, width) all are resized to it, and the list has one element. `step` is told
    of the pictures read. Raises InputError as `find_pictures` and `read_picture`, and over LARGEST_FILE
    bytes of pixels.
    """
    paths, labels, classes = find_pictures(folder)
    found: dict[Size, tuple[list[np.ndarray], list[int]]] = {}
    total = 0
    for path, label in zip(paths, labels.tolist(), strict=True):
        pixels = read_picture(path, channels, size)
        total += pixels.size
        if total > LARGEST_FILE:
            raise file_error(folder, f"over {LARGEST_FILE} bytes of pixels; use fewer pictures, or resize")
        same, numbers = found.setdefault((pixels.shape[1], pixels.shape[2]), ([], []))
        same.append(pixels)
        numbers.append(label)
        if step is not None:
            step(1)
    return [
        Pictures(np.stack(same), np.array(numbers, np.int64), classes)
        for _, (same, numbers) in sorted(found.items())
    ]
