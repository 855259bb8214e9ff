"""One GPU as minilift uses it: memory, kernels, products, and graphs of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilift.errors import ArgumentError, InputError, OutOfMemory
from minilift.ops.base import Array
from minilift.ops.cuda.backend import INSTALL, Cuda, one_line, unusable
from minilift.ops.cuda.cublas import Cublas

FOLDER = Path(__file__).parent
FULL = ("out of memory", "memoryallocation", "alloc_failed")  # in what the driver and libraries say
WORKSPACE = 32 << 20  # bytes for cuBLAS, what its manual gives for Hopper; elsewhere it asks for 4 MB


class Launch(NamedTuple):
    """What was asked of the device and not done yet: a kernel of a .cu file, or a product, whose `file` is ''
    and whose `args` are its factors, its result and whether it is added up."""

    name: str
    run: Callable[[], None]
    file: str
    grid: tuple[int, ...]
    args: tuple[Any, ...]


class Gpu:
    """Arrays, kernel launches and matrix products on one stream of one device, in the order of the calls.

    All models of a process share it (`open_gpu`), so that what one writes another may read. Threads take
    turns: one call is whole before another thread's begins, and a capture or a recording has the device for
    itself, or it would take in what other threads launch.
    """

    def __init__(self, backend: Any) -> None:
        self.backend, self.stream, self.index = backend, backend.stream, backend.index
        self.array_type = backend.xp.ndarray
        self._lock = threading.RLock()  # the thread that captures launches, too
        self._modules: dict[tuple[Any, ...], Any] = {}
        self._functions: dict[tuple[Any, ...], Any] = {}
        self._recorded: list[Launch] | None = None
        self.compiled: dict[str, float] = {}  # seconds for each file, of whatever dtypes and sizes
        self.notes: set[str] = set()  # what the user has been told
        self.workspace = self.empty((WORKSPACE,), "uint8")
        with self.turn():
            self.blas = Cublas(backend.blas, self.stream.ptr, self.workspace.data.ptr, WORKSPACE)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Within it, the device does what this thread says, and no other thread's work."""
        with self._lock, self.backend.active():
            yield

    # ---- memory --------------------------------------------------------------------------------
    def empty(self, shape: tuple[int, ...], dtype: str) -> Array:
        return self._allocate(self.backend.xp.empty, shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Array:
        return self._allocate(self.backend.xp.zeros, shape, dtype)

    def _allocate(self, make: Any, shape: tuple[int, ...], dtype: str) -> Array:
        with self.turn():
            try:
                return make(shape, dtype)
            except self.backend.OutOfMemory:
                wanted = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64)) / 1e6
                held = self.backend.pool_bytes() / 1e6
                full = f"out of memory ({wanted:.0f} MB wanted, {held:.0f} MB held)"
                remedy = "use smaller batches, a smaller network or less data"
                raise unusable(self.index, f"{full}; {remedy}", OutOfMemory) from None

    def upload(self, host: np.ndarray, out: Array) -> None:
        """out <- host, of the same dtype and number of elements, both C-contiguous."""
        with self.turn():
            self.backend.upload(host, out)

    def download(self, array: Array) -> np.ndarray:
        """A copy on the host; waits for all work before it."""
        with self.turn():
            return self.backend.download(array)

    def pinned(self, size: int, dtype: str) -> np.ndarray:
        """Memory of the host that the device reads and writes by itself."""
        with self.turn():
            return self.backend.pinned(size, dtype)

    def download_into(self, array: Array, host: np.ndarray) -> None:
        """host <- array, of the same dtype and number of elements; waits for all work before it."""
        with self.turn():
            self.backend.download_into(array, host.reshape(array.shape))

    def later(self, array: Array) -> Callable[[], np.ndarray | None]:
        """Ask for a copy on the host as it is now; the answer is None while that is on its way."""
        with self.turn():
            asked = self.backend.later(array)

        def answer() -> np.ndarray | None:
            with self.turn():
                return asked()

        return answer

    def free_bytes(self) -> int:
        """Bytes that can still be had, about."""
        with self.turn():
            return int(self.backend.free_bytes())

    def pool_bytes(self) -> int:
        return int(self.backend.pool_bytes())

    def synchronize(self) -> None:
        with self.turn():
            self.stream.synchronize()

    # ---- work ----------------------------------------------------------------------------------
    def launch(
        self, file: str, options: tuple[str, ...], name: str, grid: tuple[int, ...],
        block: tuple[int, ...], args: tuple[Any, ...],
    ) -> None:  # fmt: skip
        """Run the kernel `name` of a `file`, by its name in this folder or its path, compiled with `options`.

        `args` are arrays, numbers as NumPy scalars of the kernel's own types, or None for a null pointer.
        """
        function = self._functions.get((file, options, name)) or self._load(file, options, name)

        self._do(Launch(name, lambda: function(grid, block, args), file, grid, args))

    def gemm(self, a: Array, b: Array, out: Array, accumulate: bool = False, tf32: bool = False) -> None:
        """out = a b, or out += a b; see `Cublas.gemm`."""

        name = f"gemm {a.shape[0]}x{b.shape[1]}x{a.shape[1]}"
        work = partial(self.blas.gemm, a, b, out, accumulate, tf32)
        self._do(Launch(name, work, "", (), (a, b, out, accumulate)))

    def _do(self, launch: Launch) -> None:
        def run() -> None:
            with self.turn():
                launch.run()

        with self._lock:
            if self._recorded is None:
                run()
            else:
                self._recorded.append(launch._replace(run=run))

    @contextmanager
    def recording(self) -> Iterator[list[Launch]]:
        """Within it, launches are not done but listed: to count them, time each, or tell what it costs."""
        with self._lock:
            self._recorded = found = list[Launch]()
            try:
                yield found
            finally:
                self._recorded = None

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """A CUDA graph of what `work` launches; calling it launches it all at once. Numbers and addresses are
        those of now. Nothing in `work` may allocate, read, or wait.

        Raises RuntimeError (CuPy's errors are of that kind) where the device or its driver cannot.
        """
        with self.turn():
            self.stream.begin_capture()
            try:
                work()
            except BaseException:
                with suppress(RuntimeError):
                    self.stream.end_capture()  # leave the stream usable
                raise
            graph = self.stream.end_capture()
            graph.upload(self.stream)

        def replay() -> None:
            with self.turn():
                graph.launch(self.stream)

        return replay

    def _load(self, file: str, options: tuple[str, ...], name: str) -> Any:
        key = (file, options)
        with self.turn():
            try:
                began, plain = time.perf_counter(), Path(file).name
                if key not in self._modules:
                    self._modules[key] = self.backend.compile(module_source(file), plain, options)
                function = self._functions[(file, options, name)] = self._modules[key].get_function(name)
                self.compiled[plain] = self.compiled.get(plain, 0.0) + time.perf_counter() - began
            except Exception as problem:  # the compiler, a library that is not there: CuPy has many classes
                text = f"{type(problem).__name__}: {one_line(problem)}"
                what = f"the kernels of {Path(file).name} cannot be compiled ({text})"
                raise unusable(self.index, f"{what}; {INSTALL}") from problem
        return function

    def describe(self) -> dict[str, str]:
        """What was found: the card, the driver, the libraries and the kernels compiled so far, in words."""
        each = ", ".join(f"{file} in {seconds:.2f} s" for file, seconds in self.compiled.items())
        return {**self.backend.describe(), "cuBLAS": self.blas.version(), "compiled": each or "nothing yet"}


def module_source(file: str) -> str:
    """What is compiled for a file, named as for `launch`: common.cu and it, each with its line numbers."""
    parts = ("common.cu", file)
    return "".join(
        f'#line 1 "{Path(part).name}"\n{(FOLDER / part).read_text(encoding="utf-8")}' for part in parts
    )


@cache
def open_gpu(index: int = 0) -> Gpu:
    """The GPU of that number, opened once in a process. Raises InputError where it cannot be used.

    Whatever goes wrong: a card that is busy, in exclusive mode or out of memory, a driver that is too old for
    CuPy, a library that is missing or of another version. CuPy and the libraries have many classes for that.
    """
    try:
        return Gpu(Cuda(index))
    except OutOfMemory as problem:  # of the first 32 MB
        raise _closed(index, problem.problem.partition(";")[0], full=True) from None
    except InputError:
        raise
    except Exception as problem:
        text = f"{type(problem).__name__}: {one_line(problem)}"
        raise _closed(index, text, full=any(word in text.lower() for word in FULL)) from problem


def _closed(index: int, text: str, full: bool) -> ArgumentError:
    what = "its memory is full: end what uses it" if full else "free it"
    remedy = f"{what} (nvidia-smi shows who uses it), set CUDA_VISIBLE_DEVICES to another"
    return unusable(index, f"the GPU does not open ({text}); {remedy}")
