"""IDX files, in which MNIST and Fashion-MNIST come: arrays of bytes behind a short header, often gzipped.

Header: two zero bytes, the type of the numbers (8: unsigned bytes), the number of axes, and the size of each
axis in four bytes, the highest first. Source: http://yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.files import LARGEST_FILE, PathLike, file_error, read_bytes
from minilift.files.what import kind_of, wrong_kind
from minilift.images.pictures import Pictures

REMEDY = "download it again"
MOST_AXES = 8
WHAT = {1: "labels have one", 3: "pictures have three (pictures x height x width)"}
LARGEST_RATIO = 1100  # gzip reaches 1032:1
DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def read_idx(path: PathLike, axes: int = 0) -> np.ndarray:
    """The uint8 array of an IDX file, gzipped or not, with the axes that its header tells: `axes`, or any.

    Raises InputError naming the file: cut short, of another kind, other numbers than bytes, other axes, or
    data that do not fit the header. No more is unpacked than the header asks for.
    """
    content = read_bytes(path, "name an IDX file, such as train-images-idx3-ubyte.gz")
    kind = kind_of(content).name
    stream = gzip.GzipFile(fileobj=io.BytesIO(content)) if kind == "gzip" else io.BytesIO(content)
    try:
        shape = _header(path, content, stream.read(4), stream)
        if len(shape) != axes and axes in WHAT:
            problem = f"an IDX file of {len(shape)} {'axis' if len(shape) == 1 else 'axes'}, {WHAT[axes]}"
            raise file_error(path, f"{problem}; take the file of that name from the set")
        size = math.prod(shape)
        if size > min(LARGEST_FILE, LARGEST_RATIO * len(content)):
            raise file_error(path, f"its header asks for {size} bytes, which it cannot hold; {REMEDY}")
        data = stream.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise file_error(path, f"the gzip file is damaged or cut short ({error}); {REMEDY}") from None
    if len(data) != size:
        held = f"{len(data)} bytes" if len(data) < size else "more bytes"
        shown = " x ".join(map(str, shape))
        raise file_error(path, f"holds {held} where its header says {shown} = {size}; {REMEDY}")
    return np.frombuffer(bytearray(data), np.uint8).reshape(shape)


def _header(path: PathLike, content: bytes, magic: bytes, stream: io.BufferedIOBase) -> tuple[int, ...]:
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= MOST_AXES:
        why = f"it begins with {magic.hex(' ')}, and not with 00 00 08"
        raise wrong_kind(path, content, "an IDX file", REMEDY, why, "gzip")
    if magic[2] != 8:
        raise file_error(path, f"numbers of type {magic[2]:#04x}, only bytes (0x08) are read; {REMEDY}")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise file_error(path, f"is cut short within its header; {REMEDY}")
    return struct.unpack(f">{magic[3]}I", sizes)


def read_idx_pictures(images: PathLike, labels: PathLike, classes: Sequence[str] = DIGITS) -> Pictures:
    """The pictures of one IDX file with the labels of another.

    Raises InputError as `read_idx`, for axes that are not those of grey pictures and of labels, labels of
    another number than there are pictures, and labels beyond the classes.
    """
    pixels, numbers = read_idx(images, 3), read_idx(labels, 1)
    if not pixels.size:
        raise file_error(images, f"has the axes {pixels.shape}, and so no picture; {REMEDY}")
    if len(numbers) != len(pixels):
        problem = f"{len(numbers)} labels for the {len(pixels)} pictures of {Path(images).name}"
        raise file_error(labels, f"{problem}; take both files from one set")
    if numbers.max() >= len(classes):
        problem = f"label {numbers.max()}, where the {len(classes)} classes are 0 to {len(classes) - 1}"
        raise file_error(labels, f"{problem}; {REMEDY}")
    return Pictures(pixels[:, None], numbers.astype(np.int64), tuple(classes))


def read_mnist(folder: PathLike, part: str = "train", classes: Sequence[str] = DIGITS) -> Pictures:
    """Part "train" or "t10k" (the test pictures) of MNIST, or of a set with its file names.

    The files are named train-images-idx3-ubyte and the like, with .gz or without, or with a dot for the
    second dash. Raises InputError where they are not in the folder, and as `read_idx_pictures`.
    """
    return read_idx_pictures(
        _find(folder, f"{part}-images", "idx3"), _find(folder, f"{part}-labels", "idx1"), classes
    )


def _find(folder: PathLike, what: str, kind: str) -> Path:
    usual = f"{what}-{kind}-ubyte"
    for name in (f"{usual}.gz", usual, f"{what}.{kind}-ubyte", f"{what}.{kind}-ubyte.gz"):
        path = Path(folder) / name
        if path.exists():
            return path
    wanted = "give the folder that has it"
    if not Path(folder).is_dir():
        problem = "is not a folder" if Path(folder).exists() else "no such folder"
        raise file_error(folder, f"{problem}; {wanted}, with {usual}.gz in it")
    raise file_error(folder, f"{usual}.gz is not in this folder; {wanted}")
