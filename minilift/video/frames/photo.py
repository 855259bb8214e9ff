"""A photo, read with Pillow: upright, in plain colours, and the focal length that it tells."""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.files import PathLike, file_error, one_line, read_bytes
from minilift.video.frame import LARGEST, Frame, Mark
from minilift.video.frames.colours import rgb_of
from minilift.video.frames.exif import Focal, focal_of
from minilift.video.frames.kinds import HEIF

SMALLEST = 32
"""Pixels of a side; in a smaller picture nobody can be seen."""
MOST = 200_000_000
"""Pixels of a picture that is read whole before it is made smaller: 600 MB. A JPEG is made smaller as it is
read, and may be as large as one can be."""
_ORIENTATION, _OF_CAMERA = 0x0112, 0x8769
_AGAIN = "save it again as JPEG or PNG"


def moves(path: PathLike) -> bool:
    """Whether a file of the kind that Pillow reads has several pictures, as a moving GIF has."""
    with _opened(path) as image:
        return int(getattr(image, "n_frames", 1)) > 1


class Photo:
    """One picture. Raises InputError for a file that is none, is too small, or too large to be read."""

    still = True
    fps: float | None = None
    count: int | None = 1

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.notes: list[str] = []
        self.warnings: list[str] = []
        with _opened(path) as image:
            width, height = image.size
            self._check(width, height, image.format)
            focal = self._tags(image)
            self.focal, self.focal_source = focal.pixels, focal.source
            self.notes += [focal.note] if focal.note else []
            count = int(getattr(image, "n_frames", 1))
            if count > 1 and image.format != "MPO":  # that one is the same scene again, for two eyes
                self.notes.append(f"the first of its {count:,} pictures")
        self.size = (height, width) if self._sideways else (width, height)

    def frames(self, start: int = 0, after: Mark | None = None) -> Iterator[Frame]:
        if start == 0:
            yield Frame(0, None, self._pixels())

    def close(self) -> None:
        """Nothing is open between the calls."""

    def __enter__(self) -> Photo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, width: int, height: int, format: str | None) -> None:
        if min(width, height) < SMALLEST:
            problem = f"{width}x{height} pixels are too few to see a person; give the original"
            raise file_error(self.path, problem)
        if width * height > MOST and format not in ("JPEG", "MPO"):
            size = f"{width}x{height} pixels, {width * height / 1e6:,.0f} million"
            problem = f"{size}, and at most {MOST / 1e6:g} million are read; make it smaller, or a JPEG of it"
            raise file_error(self.path, problem)

    def _tags(self, image: Any) -> Focal:
        """What the camera wrote beside the picture: its focal length, and whether it lies on its side."""
        self._sideways = False
        try:
            exif = image.getexif()
            self._sideways = exif.get(_ORIENTATION) in (5, 6, 7, 8)
            return focal_of(exif.get_ifd(_OF_CAMERA), image.size)
        except Exception:  # rubbish in the tags, of whatever kind: the picture is there all the same
            self.warnings.append("its EXIF is damaged: how it was held and the focal length are not known")
            return Focal()

    def _pixels(self) -> np.ndarray:
        transpose = load("PIL.ImageOps", "reading pictures", "video").exif_transpose
        factor = max(self.size) / LARGEST
        with _opened(self.path) as image:
            if factor > 1:
                image.draft("RGB", (int(image.width / factor), int(image.height / factor)))
            found = rgb_of(image, self.notes)
            if max(found.size) > LARGEST:
                share = LARGEST / max(found.size)
                sides = (max(round(found.width * share), 1), max(round(found.height * share), 1))
                found = found.resize(sides, 4, reducing_gap=2.0)  # 4: the mean of what becomes one pixel
            if self.warnings:
                return np.ascontiguousarray(found)
            orientation = image.getexif().get(_ORIENTATION, 1)
            found.getexif()[_ORIENTATION] = orientation
            return np.ascontiguousarray(transpose(found))


@contextlib.contextmanager
def _opened(path: PathLike) -> Iterator[Any]:
    """The picture, and whatever goes wrong with it within as one line. Pillow's own limit is for pictures of
    strangers on a server; ours is MOST."""
    images = load("PIL.Image", f"reading {one_line(str(path))}", "video")
    start = read_bytes(path, first=16)
    heif = start[4:12] in HEIF and _reads_heif()
    limit, images.MAX_IMAGE_PIXELS = images.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags that are not as they should be
            with images.open(path) as image:
                yield image
    except InputError:
        raise
    except MemoryError:
        raise file_error(path, f"is too large for the memory; {_AGAIN}, smaller") from None
    except images.UnidentifiedImageError:
        if start[4:12] in HEIF and not heif:
            remedy = "pip install pillow-heif, or save it as JPEG"
            raise file_error(path, f"is an HEIC picture, which Pillow cannot read alone; {remedy}") from None
        raise file_error(path, f"is no picture that can be read; {_AGAIN}") from None
    except Exception as problem:  # decoders of damaged files raise whatever they stumble over
        told = one_line(str(problem) or type(problem).__name__, 120)
        raise file_error(path, f"is damaged ({told}); copy it again, or {_AGAIN}") from None
    finally:
        images.MAX_IMAGE_PIXELS = limit


def _reads_heif() -> bool:
    """Let Pillow read HEIC, where the library for it is there."""
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    importlib.import_module("pillow_heif").register_heif_opener()
    return True
