"""Arrays in .npy and .npz files without pickle, every size checked before it is allocated."""

import io
import math
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

import numpy as np

from minilift.errors import InputError
from minilift.files import LARGEST_FILE, PathLike, read_bytes
from minilift.files.mapped import MappedRows, OpenFile, Points, blocks
from minilift.files.what import wrong_kind

# Deflate reaches 1032:1 on zeros; poses and weights stay under 3:1. Small files are let through.
LARGEST_RATIO = 100
SMALL = 64 << 20

ReadObjects = Callable[[bytes], Any]

_DTYPE = re.compile(r"([<>=|]?)([fiub][1248]|[SU][1-9][0-9]{0,5})")
_LONGEST_HEADER = 4096  # bytes; that of one plain array has 118

_WRITE = {"npy": "write it with numpy.save", "npz": "write it with numpy.savez"}


def checked_dtype(name: object) -> np.dtype:
    """The dtype of a numpy type string such as '<f4': numbers up to 8 bytes, bool, fixed-width text.

    Raises ValueError for every other one (objects, records, complex and long double numbers).
    """
    found = _DTYPE.fullmatch(name) if isinstance(name, str) else None
    if not found:
        raise ValueError(f"array of type {str(name)[:20]!r}, only plain numbers are read")
    try:
        return np.dtype(found[0])
    except TypeError:
        raise ValueError(f"array of unknown type {found[0]!r}") from None


def checked_array(raw: object, dtype: np.dtype, shape: object, fortran: bool) -> np.ndarray:
    """A writable C-contiguous copy of `raw` as an array, or ValueError where size and shape disagree."""
    if not isinstance(raw, (bytes, bytearray)):
        raise ValueError(f"array data of type {type(raw).__name__}")
    if (
        not isinstance(shape, tuple)
        or not all(type(n) is int and 0 <= n < 2**62 for n in shape)
        or len(shape) > 16
    ):
        raise ValueError("array with an impossible shape")
    size = math.prod(shape) * dtype.itemsize
    if size != len(raw):
        raise ValueError(f"array of shape {shape} needs {size} bytes, {len(raw)} are there")
    if size == 0:
        return np.zeros(shape, dtype)
    flat = np.frombuffer(raw, dtype)
    return np.array(flat.reshape(shape, order="F" if fortran else "C"), order="C")


class HoldsObjects(ValueError):
    """An array of Python objects, which NumPy pickles."""


class CannotMap(ValueError):
    """An array that can be read but not mapped: compressed, not float32, or in another order. Says which."""


def read_npy(path: PathLike, remedy: str = "check the name") -> np.ndarray:
    """The array of a .npy file. Raises InputError naming the file."""
    content = read_bytes(path, remedy)
    with _readable(path, "npy", content):
        return _parse(io.BytesIO(content), len(content))


def read_npz(
    path: PathLike, content: bytes | None, names: Container[str] | None = None,
    objects: ReadObjects | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The arrays of a .npz file's `content`; those not in `names` (None: all) are listed as None, unread.
    Without `content` they are read from the file, which then may be of any size.

    `objects` reads the pickle of an array of Python objects; without it such an array is refused.
    Raises InputError naming the file: not a zip, damaged, encrypted, pickled objects, or sizes that do not
    fit the file: more than LARGEST_FILE bytes, or LARGEST_RATIO times the file's own size.
    """
    size = os.stat(path).st_size if content is None else len(content)
    source = path if content is None else io.BytesIO(content)
    with _readable(path, "npz", content), zipfile.ZipFile(source) as archive:
        members = _members(archive)
        wanted = {name: names is None or name in names for name in members}
        total = sum(members[name].file_size for name in members if wanted[name])
        if total > min(LARGEST_FILE, max(SMALL, LARGEST_RATIO * size)):
            raise ValueError(f"{size} bytes claim to hold {total}")
        return {name: _member(archive, i, objects) if wanted[name] else None for name, i in members.items()}


def npz_names(path: PathLike) -> list[str]:
    """The names of the arrays of a .npz file of any size; none is read. Raises InputError naming the file."""
    with _readable(path, "npz"), zipfile.ZipFile(path) as archive:
        return list(_members(archive))


def map_npy(path: PathLike, remedy: str = "check the name") -> MappedRows:
    """The array of a .npy file, left there. Raises InputError naming the file, and CannotMap."""
    read_bytes(path, remedy, first=1)
    with _readable(path, "npy"):
        file = OpenFile(path)
        with _stream(file) as stream:
            return _map(stream, file.size(), file, 0)


def map_npz(path: PathLike, names: Container[str]) -> dict[str, MappedRows | None]:
    """The arrays of a .npz file, left there; those not in `names` are listed as None.

    Their checksums are left to whoever first reads them. Raises InputError naming the file, and CannotMap.
    """
    with _readable(path, "npz"):
        file = OpenFile(path)
        with _stream(file) as stream, zipfile.ZipFile(stream) as archive:
            members = _members(archive).items()
            return {name: _map_member(archive, i, file) if name in names else None for name, i in members}


def write_npz(file: BinaryIO, arrays: Mapping[str, Points]) -> None:
    """Write arrays as an uncompressed .npz; equal arrays give equal bytes (no time stamps)."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                write_npy(member, array)


def write_npy(file: IO[bytes], array: Points) -> None:
    """Write an array as a .npy file; a mapped one piece by piece, to the same bytes."""
    if not isinstance(array, MappedRows):
        array = np.asanyarray(array)
        if not (array.ndim and array.size and array.dtype.kind in "fiub" and array.flags.c_contiguous):
            np.lib.format.write_array(file, array, allow_pickle=False)
            return
        # The same bytes, out of the array itself: NumPy copies 16 MB at a time, and no other thread runs then
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(cast(BinaryIO, file), header)
        file.write(array.data.cast("B"))
        return
    header = {"descr": "<f4", "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(cast(BinaryIO, file), header)
    for block in blocks(array):
        file.write(block.astype("<f4", copy=False).data)


@contextmanager
def _readable(path: PathLike, kind: str, content: bytes | None = None) -> Iterator[None]:
    """Within it, whatever goes wrong is an InputError that says what the file is; CannotMap passes."""
    try:
        yield
    except (InputError, CannotMap):
        raise
    # zipfile raises a dozen kinds (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError...).
    except Exception as error:
        objects = isinstance(error, HoldsObjects)
        remedy = "save a dict of arrays with numpy.savez(name, **arrays)" if objects else _WRITE[kind]
        with open(path, "rb") if content is None else io.BytesIO(content) as file:
            raise wrong_kind(path, file, f"a readable .{kind} file", remedy, str(error), kind) from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    found = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")}
    if not found:
        raise ValueError("no array in it")
    return found


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, objects: ReadObjects | None) -> Any:
    with archive.open(info) as member:
        try:
            return _parse(member, info.file_size)
        except HoldsObjects:
            if objects is None:
                raise
            return objects(member.read())


def _stream(file: OpenFile) -> BinaryIO:
    return os.fdopen(os.dup(file.descriptor), "rb")


def _map_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: OpenFile) -> MappedRows:
    if info.compress_type != zipfile.ZIP_STORED:
        raise CannotMap(f"{info.filename} is compressed")
    local = file.read(30, info.header_offset)  # APPNOTE.TXT 4.3.7: its name and extra field, then the data
    start = info.header_offset + 30 + sum(int.from_bytes(local[i : i + 2], "little") for i in (26, 28))
    if info.compress_size != info.file_size or start + info.file_size > file.size():
        raise ValueError(f"{info.filename} does not fit into the file")
    with archive.open(info) as member:  # compares the local header with the directory
        return _map(member, info.file_size, file, start, info.CRC)


def _map(stream: IO[bytes], size: int, file: OpenFile, at: int, crc: int | None = None) -> MappedRows:
    """The array of the .npy of `size` bytes that begins at byte `at` of the file, where `stream` stands."""
    dtype, shape, fortran, head = _header(stream, size)
    if dtype != np.dtype("<f4") or fortran or len(shape) < 2 or not math.prod(shape):
        order = " in Fortran order" if fortran else ""
        raise CannotMap(f"an array {shape} of {dtype}{order} is not one of little-endian float32 in C order")
    checksum = None if crc is None else (zlib.crc32(file.read(head, at)), crc)
    return MappedRows(file, at + head, shape, checksum=checksum)


def _parse(stream: IO[bytes], size: int) -> np.ndarray:
    dtype, shape, fortran, head = _header(stream, size)
    return checked_array(stream.read(size - head), dtype, shape, fortran)


def _header(stream: IO[bytes], size: int) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """The start of a .npy of `size` bytes: type, shape, whether in Fortran order, and its own length.

    NumPy's reader is given no more than _LONGEST_HEADER bytes, and the data are as many as they must be.
    """
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise ValueError("no .npy header")
    width = 2 if start[6] == 1 else 4
    field = stream.read(width)
    length = int.from_bytes(field, "little")
    if length > _LONGEST_HEADER:
        raise ValueError("its header is too long")
    read = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():  # NumPy's of Python 2, and Python's own of odd text
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(io.BytesIO(field + stream.read(length)))
    # Python's parser: SyntaxError, RecursionError, MemoryError, TypeError for odd text
    except Exception:
        raise ValueError("its header does not describe one plain array") from None
    if dtype.hasobject:
        raise HoldsObjects("it holds Python objects, such as a dict, not numbers")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("its header has an impossible shape")
    head = 8 + width + length
    needed = math.prod(shape) * checked_dtype(dtype.str).itemsize
    if needed != size - head:
        raise ValueError(f"its header claims {needed} bytes of data, {size - head} are there")
    return dtype, shape, fortran, head
