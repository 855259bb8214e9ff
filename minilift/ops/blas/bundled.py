"""The BLAS that NumPy brings: how many threads it has, which kernel it runs, and a hold on both."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

# Kernels of OpenBLAS that multiply small matrices where they lie, without copying them into panels first
UNPACKED_KERNELS = ("SkylakeX", "Cooperlake", "Sapphirerapids")

_SYMBOLS = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads",
)


class Bundled:
    """The OpenBLAS that NumPy's wheels bring, and its number of threads.

    Found by its file name beside NumPy; with another BLAS (of conda, Debian, Apple) `threads` is None, and
    the products run on that library's own threads. `unpacked` says whether its kernel is one of those above.
    threadpoolctl knows more libraries, but lets one thread alone steer OpenBLAS, and any may predict here.
    """

    def __init__(self) -> None:
        self._get = self._set = None
        self.kernel = ""
        self._lock, self._users, self._before = threading.Lock(), 0, 1
        package = Path(np.__file__).parent
        for folder in (package.parent / "numpy.libs", package / ".libs", package / ".dylibs"):
            for path in sorted(folder.glob("*openblas*")) if folder.is_dir() else ():
                self._bind(path)
        self.threads = self._get() if self._get else None
        self.unpacked = self.kernel in UNPACKED_KERNELS

    def _bind(self, path: Path) -> None:
        try:
            library = ctypes.CDLL(str(path))  # loaded by NumPy already: the same one
        except OSError:
            return
        for symbol in _SYMBOLS:
            if hasattr(library, symbol.format("set")) and hasattr(library, symbol.format("get")):
                self._get, self._set = (getattr(library, symbol.format(verb)) for verb in ("get", "set"))
                break
        for symbol in _SYMBOLS:
            kernel = getattr(library, symbol.format("get").replace("num_threads", "corename"), None)
            if kernel is not None:
                kernel.restype = ctypes.c_char_p
                self.kernel = (kernel() or b"").decode("ascii", "replace")
                return

    def hold(self, count: int) -> None:
        """From here on, products run on so many threads. Does nothing where they cannot be held."""
        if self._set is not None:
            self._set(count)
            self.threads = count

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Within it, a product runs on the thread that calls it. Counted: the setting is the process's."""
        if self._get is None or self._set is None:
            yield
            return
        with self._lock:
            if not self._users:
                self._before = self._get()
                self._set(1)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._set(self._before)


@lru_cache
def blas() -> Bundled:
    return Bundled()
