"""Arrays in .npy and .npz files without pickle, every size checked before it is allocated."""

import io
import math
import re
import zipfile
from collections.abc import Container, Mapping
from typing import IO, BinaryIO

import numpy as np

from minilift.errors import InputError
from minilift.files import LARGEST_FILE, PathLike, file_error, read_bytes

# Deflate reaches 1032:1 on zeros; poses and weights stay under 3:1. Small files are let through.
LARGEST_RATIO = 100
SMALL = 64 << 20

_DTYPE = re.compile(r"([<>=|]?)([fiub][1248]|[SU][1-9][0-9]{0,5})")
# numpy writes this header in exactly this form ("1L" is Python 2); read by pattern, nothing is evaluated.
_HEADER = re.compile(
    r"\{'descr': '([^']{1,12})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,19}L?,? ?)*)\),? ?\}\s*"
)


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


def read_npy(path: PathLike, remedy: str = "check the name") -> np.ndarray:
    """The array of a .npy file. Raises InputError naming the file."""
    content = read_bytes(path, remedy)
    try:
        return _parse(io.BytesIO(content), len(content))
    except ValueError as error:
        raise file_error(path, f"not a readable .npy file ({error}); write it with numpy.save") from None


def read_npz(
    path: PathLike, content: bytes, names: Container[str] | None = None
) -> dict[str, np.ndarray | None]:
    """The arrays of a .npz file's `content`; those not in `names` (None: all) are listed as None, unread.

    Raises InputError naming the file: not a zip, damaged, encrypted, pickled objects, or sizes that do not
    fit the file: more than LARGEST_FILE bytes, or LARGEST_RATIO times the file's own size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if not i.is_dir()}
            wanted = {name: names is None or name in names for name in members}
            total = sum(members[name].file_size for name in members if wanted[name])
            if total > min(LARGEST_FILE, max(SMALL, LARGEST_RATIO * len(content))):
                raise ValueError(f"{len(content)} bytes claim to hold {total}")
            return {name: _member(archive, i) if wanted[name] else None for name, i in members.items()}
    except InputError:
        raise
    # zipfile raises a dozen kinds (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError...).
    except Exception as error:
        raise file_error(path, f"not a readable .npz file ({error}); write it with numpy.savez") from None


def write_npz(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as an uncompressed .npz; equal arrays give equal bytes (no time stamps)."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        return _parse(member, info.file_size)


def _parse(stream: IO[bytes], size: int) -> np.ndarray:
    """One .npy of `size` bytes (NEP 1): magic, version, header length, header, data."""
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise ValueError("no .npy header")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > 4096:
        raise ValueError("its header is too long")
    found = _HEADER.fullmatch(stream.read(length).decode("latin1"))
    if not found:
        raise ValueError("its header does not describe one plain array")
    dtype = checked_dtype(found[1])
    shape = tuple(int(n) for n in re.findall(r"\d+", found[3]))
    needed = math.prod(shape) * dtype.itemsize
    if needed != size - 8 - width - length:
        raise ValueError(f"its header claims {needed} bytes of data, {size - 8 - width - length} are there")
    return checked_array(stream.read(needed), dtype, shape, found[2] == "True")
