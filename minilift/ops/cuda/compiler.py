"""Kernels compiled for a card, and kept in the user's cache folder: by architecture, compiler and source."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from minilift.cache import cache_folder, write_whole

STANDARD = "-std=c++17"
FLAGS = (STANDARD, "-ftz=true")  # denormal numbers are 0, as CuPy has it
LETTERS = 32  # of a hash, in a file's name
DAY = 86_400.0  # seconds
UNUSED = 60 * DAY  # a file that nobody took for so long goes
MOST = 256 << 20  # bytes: beyond them, those go that were taken longest ago


class Compiler:
    """NVIDIA's run-time compiler as CuPy has it, for one architecture ("90": compute capability 9.0)."""

    def __init__(self, nvrtc: Any, architecture: str, folder: Path | None = None) -> None:
        self.nvrtc, self.architecture = nvrtc, architecture
        version = ".".join(map(str, nvrtc.getVersion()))
        self.root = folder or cache_folder("kernels")
        self.folder = self.root / f"sm_{architecture}-nvrtc{version}"
        self._pruned = False

    def knows(self) -> bool:
        """Whether it makes code for this architecture: of a newer card than itself it knows nothing."""
        return int(self.architecture) in self.nvrtc.getSupportedArchs()

    def cubin(self, source: str, name: str, options: tuple[str, ...]) -> Path:
        """A file of the machine code. Raises RuntimeError with what the compiler says.

        A file is taken where its own name has the hash of what is in it, so a damaged one is made anew.
        """
        asked = "\0".join((name, *FLAGS, *options, source))
        key = f"{Path(name).stem}-{_hash(asked.encode())}"
        for path in self._kept(key):
            with suppress(OSError):
                if path.stem == f"{key}-{_hash(path.read_bytes())}":
                    _taken(path)
                    return path
        code = self._compiled(source, name, options)
        file = f"{key}-{_hash(code)}.cubin"
        path = self.folder / file
        try:
            if not self._pruned:  # here, where seconds go by anyway
                self._pruned = True
                prune(self.root)
            write_whole(path, code)
        except OSError:  # a home that cannot be written, or that is full
            path = _temporary() / file
            write_whole(path, code)
        return path

    def _kept(self, key: str) -> list[Path]:
        with suppress(OSError):
            return sorted(self.folder.glob(f"{key}-*.cubin"))
        return []

    def _compiled(self, source: str, name: str, options: tuple[str, ...]) -> bytes:
        program = self.nvrtc.createProgram(source, name, [], [])
        try:
            self.nvrtc.compileProgram(program, (f"-arch=sm_{self.architecture}", *FLAGS, *options))
            return bytes(self.nvrtc.getCUBIN(program))
        except Exception as problem:  # NVRTCError, whose class is CuPy's own
            log = " ".join(self.nvrtc.getProgramLog(program).split())
            raise RuntimeError(f"{problem}: {log}" if log else str(problem)) from problem
        finally:
            self.nvrtc.destroyProgram(program)


def prune(root: Path, now: float | None = None) -> None:
    """Delete what is old in a cache folder: of other cards, compilers and versions of this program.

    A file's time is when it was taken last, to a day. What was taken within a day stays however large it is,
    for another process may be about to load it; and where two prune at once, each finds less to delete.
    """
    now = time.time() if now is None else now
    found: list[tuple[float, int, Path]] = []
    for path in root.glob("sm_*/*"):
        with suppress(OSError):  # another process was quicker
            facts = path.stat()
            if path.suffix in (".cubin", ".half") and path.is_file():
                found.append((facts.st_mtime, facts.st_size, path))
    size = sum(each[1] for each in found)
    for taken, bytes_of, path in sorted(found):
        age = now - taken
        if age > UNUSED or (age > 2 * DAY and (size > MOST or path.suffix == ".half")):
            size -= bytes_of
            with suppress(OSError):
                path.unlink()
    for folder in root.glob("sm_*"):
        with suppress(OSError):
            if now - folder.stat().st_mtime > 2 * DAY:
                folder.rmdir()  # which an empty one allows


def _taken(path: Path) -> None:
    """Let the file's time be now, where it is older than a day."""
    with suppress(OSError):  # a cache that this user may only read
        if time.time() - path.stat().st_mtime > DAY:
            os.utime(path)


@cache
def _temporary() -> Path:
    """A folder of this process, for a user without one."""
    import tempfile  # with random and hashlib behind it: only where kernels are compiled

    return Path(tempfile.mkdtemp(prefix="minilift-kernels-"))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:LETTERS]
