"""Unpacking archives (.tar, .tar.xz, .tar.gz) that are not trusted: plain files alone, and limits."""

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from minilift.files import PathLike, file_error, os_error, read_bytes

LARGEST = 1 << 30  # bytes unpacked, all together: CMU's whole subjects have a third of it
_COPY = "copy it again, or unpack it yourself and name the folder"
_OPEN: dict[bytes, Callable[..., Any]] = {b"\xfd7zXZ\0": lzma.open, b"\x1f\x8b": gzip.open}


def is_archive(path: PathLike) -> bool:
    """Whether a file is named like an archive that `unpack` reads."""
    return str(path).lower().endswith((".tar.xz", ".txz", ".tar.gz", ".tgz", ".tar"))


def unpack(path: PathLike, into: Path, wanted: Callable[[PurePosixPath], Path | None]) -> int:
    """Write the files of an archive that are wanted below the folder `into`; how many.

    `wanted` gets the name of each plain file and gives the relative place to write it to, or None. Links,
    devices and absolute or upward names are passed over. Raises InputError naming the archive: none, broken,
    or with over LARGEST bytes in it.
    """
    start, count = read_bytes(path, first=6), 0
    open_it = next((opener for magic, opener in _OPEN.items() if start.startswith(magic)), open)
    try:
        with open_it(path, "rb") as plain, tarfile.open(fileobj=_limited(path, plain), mode="r|") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                safe = member.isreg() and not name.is_absolute() and ".." not in name.parts
                place = wanted(name) if safe else None
                content = tar.extractfile(member) if place is not None else None
                if place is None or content is None:
                    continue
                target = into / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
                count += 1
    except (tarfile.TarError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, EOFError, OverflowError) as error:
        raise file_error(path, f"is no whole archive ({error}); {_COPY}") from None
    except OSError as error:
        raise os_error(path, error, "check the file and the space left") from None
    return count


class _Limited(io.RawIOBase):
    """A stream that ends in an InputError after LARGEST bytes, before a bomb fills the memory."""

    def __init__(self, path: PathLike, plain: BinaryIO) -> None:
        self.path, self.plain, self.left = path, plain, LARGEST

    def read(self, size: int = -1) -> bytes:
        data = self.plain.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self.left -= len(data)
        if self.left < 0:
            limit = f"more than {LARGEST >> 20} MiB in it"
            raise file_error(self.path, f"{limit}; unpack what is needed yourself, and name the folder")
        return data


def _limited(path: PathLike, plain: Any) -> BinaryIO:
    return cast(BinaryIO, _Limited(path, plain))
