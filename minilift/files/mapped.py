"""Rows of float32 that stay in their file: what is indexed is read then, and nothing else is held.

They are mapped by position and read with pread, not through mmap. Every page that a map has shown counts as
resident, and the system shows many at once: 1,280 random rows of a 360 MB file made 336 MB (Linux 6.18). To
drop the pages in time costs as much as reading does: with the file in the page cache, 4096 random rows of 180
bytes take 3.1 ms either way, and 64 rows 0.04 ms read, 0.11 ms mapped and dropped. And a file that shrinks
under a map kills the process with SIGBUS; a read that comes back short is an error of one line.
"""

import math
import os
import sys
import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, os_error

CHUNK = 1 << 14  # rows of a pass over a whole file: 3 MB of 3D poses

Index = int | slice | np.ndarray


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """0 ... n - 1 in slices of `size`."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def shown(array: Any, title: str) -> Iterable[slice]:
    """The chunks of an array or list; where a file takes more than two seconds, a terminal shows a bar."""
    parts = chunks(len(array))
    if not isinstance(array, MappedRows) or sys.stderr is None or not sys.stderr.isatty():
        return parts
    from tqdm import tqdm

    total, options = -(-len(array) // CHUNK), {"unit": " poses", "unit_scale": CHUNK}
    return tqdm(parts, title, total, delay=2, leave=False, **options)


class OpenFile:
    """A file to read at any position; it is closed when nobody has it any more."""

    def __init__(self, path: PathLike, descriptor: int | None = None) -> None:
        self.path = path
        if descriptor is None:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def __reduce__(self) -> Any:
        return OpenFile, (self.path,)  # a copy opens its own: two owners would close one descriptor twice

    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def read(self, size: int, at: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self.descriptor, size, at)
        os.lseek(self.descriptor, at, os.SEEK_SET)  # Windows
        return os.read(self.descriptor, size)


class MappedRows:
    """An array (n, ...) of little-endian float32 in a file.

    `rows[index]` reads these rows into a new array; `rows.take(index)` reads nothing, and is those rows in
    that order. numpy.asarray(rows) reads them all. Raises InputError if the file has shrunk meanwhile.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self, file: OpenFile, start: int, shape: tuple[int, ...], chosen: np.ndarray | None = None,
        checksum: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self.file, self.start, self.shape = file, start, shape
        self.chosen = chosen  # the numbers in the file of the rows; None: all, in order
        self.checksum = checksum  # CRC-32 of what lies before the rows, and of that and the rows

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Index) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return self[np.array([index])][0]
        numbers = self._numbers(index)
        rows = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for part in chunks(len(numbers)):
            rows[part] = self._read(numbers[part])
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("rows in a file cannot be had without a copy")
        rows = self[:]
        return rows if dtype is None else rows.astype(dtype, copy=False)

    def take(self, index: Index) -> "MappedRows":
        numbers = self._numbers(index)
        small = not len(numbers) or numbers.max() < 2**31
        chosen = numbers.astype(np.int32 if small else np.int64)
        return MappedRows(self.file, self.start, (len(chosen), *self.shape[1:]), chosen)

    def reshape(self, n: int, *row: int) -> "MappedRows":
        """The same rows, each in another shape; -1 as numpy has it."""
        if n != len(self):
            raise ValueError(f"{len(self)} rows cannot become {n}: they stay in their file")
        shape = np.broadcast_to(np.float32(0), self.shape[1:]).reshape(row).shape
        return MappedRows(self.file, self.start, (n, *shape), self.chosen, self.checksum)

    def _numbers(self, index: Index) -> np.ndarray:
        """An index of these rows as row numbers in the file."""
        if isinstance(index, slice):
            if self.chosen is not None:
                return self.chosen[index]
            return np.arange(*index.indices(len(self)))
        numbers = np.asarray(index)
        if numbers.dtype == bool and numbers.shape == (len(self),):
            numbers = np.flatnonzero(numbers)
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise IndexError(f"{len(self)} rows take row numbers, a slice or a mask of their length")
        if len(numbers) and not -len(self) <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"rows {numbers.min()} to {numbers.max()} of {len(self)}")
        if len(numbers) and numbers.min() < 0:
            numbers = np.where(numbers < 0, numbers + len(self), numbers)
        return numbers if self.chosen is None else self.chosen[numbers]

    def _read(self, numbers: np.ndarray) -> np.ndarray:
        """These rows of the file: one read for each run of neighbours."""
        numbers, pitch = numbers.astype(np.int64), self.dtype.itemsize * math.prod(self.shape[1:])
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)
        sizes = np.diff(begins, append=len(numbers)) * pitch
        places = self.start + numbers[begins] * pitch
        read = self.file.read
        try:
            raw = b"".join([read(size, at) for size, at in zip(sizes.tolist(), places.tolist(), strict=True)])
        except OSError as error:
            raise os_error(self.file.path, error, "check the disk") from None
        if len(raw) != len(numbers) * pitch:
            raise file_error(self.file.path, "the file has shrunk while it was in use; write it again")
        return np.frombuffer(raw, "<f4").reshape(len(numbers), *self.shape[1:])


Points = np.ndarray | MappedRows


def blocks(array: Points) -> Iterator[np.ndarray]:
    """An array as it is; of a mapped one the rows in order, a few MB at a time."""
    if not isinstance(array, MappedRows):
        yield array
        return
    for rows in shown(array, "reading"):
        yield array[rows]


def crc32(array: Points, crc: int = 0) -> int:
    """zlib.crc32 of the array's bytes in C order."""
    for block in blocks(array):
        crc = zlib.crc32(np.ascontiguousarray(block).data, crc)
    return crc


class Spool:
    """Rows on their way to a file: on disk, in one without a name, until all of them are there.

    What goes wrong is told of `output`, the file that they are for; without one, of the folder.
    """

    def __init__(self, directory: PathLike, row: tuple[int, ...], output: PathLike = "") -> None:
        self.row, self.n = row, 0
        self.named = output or os.path.abspath(directory)
        try:
            os.makedirs(directory, exist_ok=True)
            import tempfile  # with random and hashlib behind it: only for who maps a file

            self.stream = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise os_error(self.named, error, "choose a folder that can be written") from None
        weakref.finalize(self, self.stream.close)

    def append(self, rows: np.ndarray) -> None:
        left = np.ascontiguousarray(rows, "<f4").data.cast("B")
        try:
            while left:
                left = left[self.stream.write(left) :]
        except OSError as error:
            raise os_error(self.named, error, "free some space") from None
        self.n += len(rows)

    def rows(self) -> MappedRows:
        return MappedRows(OpenFile(self.named, os.dup(self.stream.fileno())), 0, (self.n, *self.row))
