"""What minilift needs of CuPy, in one class: memory, a stream, a compiler and libcublas.

The tests put another class in its place, which does the same in host memory.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.ops.cuda.compiler import STANDARD, Compiler
from minilift.ops.cuda.driver import hidden

INSTALL = (
    "install CuPy with its libraries: pip install 'minilift[gpu]' (CUDA 12) or 'minilift[gpu13]' (CUDA 13)"
)
OR_CPU = "; or use {0}"  # the end of what is said of a GPU that cannot be used
SLOTS, SLOT_BYTES = 64, 16384  # small uploads on their way: a graph's table of 120 blocks fits
MAJOR = 0  # libraryPropertyType_t of CUDA's library_types.h


class Cuda:
    """A CUDA device, by its number. Raises InputError, in one line with the remedy, where there is none."""

    def __init__(self, index: int = 0) -> None:
        self.xp, self.index = _cupy(index), index
        count = self.xp.cuda.runtime.getDeviceCount()
        if not 0 <= index < count:
            there = ", ".join(f"gpu:{i}" for i in range(count))
            raise ArgumentError("device", f"gpu:{index}", f"no such GPU; there is {there}")
        self.device = self.xp.cuda.Device(index)
        self.OutOfMemory: type[BaseException] = self.xp.cuda.memory.OutOfMemoryError
        with self.device:
            self.stream = self.xp.cuda.Stream(non_blocking=True)
        self.compiler = Compiler(self.xp.cuda.nvrtc, self.device.compute_capability)
        self.blas = _libcublas(index, self.xp.cuda.runtime.runtimeGetVersion() // 1000)
        self._pinned: Any = None
        self._beside: Any = None  # the second stream
        self._asked: list[tuple[Any, Any]] = []  # copies to the host on their way, and where they go
        self._sent = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within it, what CuPy does in this thread goes to this device and this stream."""
        with self.device, self.stream:
            yield

    def compile(self, source: str, name: str, options: tuple[str, ...]) -> Any:
        """A module of kernels, of which nothing is loaded before one is asked for."""
        if self.compiler.knows():
            return self.xp.RawModule(path=str(self.compiler.cubin(source, name, options)))
        # A card that is newer than the compiler: CuPy compiles for one before it, and the driver for this one
        return self.xp.RawModule(code=source, options=(STANDARD, *options))

    def download(self, array: Any) -> np.ndarray:
        return np.asarray(array.get(stream=self.stream))

    def upload(self, host: np.ndarray, out: Any) -> None:
        """out <- host, in the order of the stream; `host` may be written again at once."""
        if host.nbytes > SLOT_BYTES:
            out.set(host.reshape(out.shape), stream=self.stream)
            self.stream.synchronize()
            return
        # From memory that the driver can read by itself: it does not wait for the work before it. A slot is
        # used again when the copy out of it is done, so that not more than SLOTS of them are under way.
        if self._pinned is None:
            memory = self.xp.cuda.alloc_pinned_memory(SLOTS * SLOT_BYTES)
            events = [self.xp.cuda.Event(disable_timing=True) for _ in range(SLOTS)]
            self._pinned = memory, np.frombuffer(memory, np.uint8, SLOTS * SLOT_BYTES), events
        _, room, events = self._pinned
        slot = self._sent % SLOTS
        if self._sent >= SLOTS:
            events[slot].synchronize()
        part = room[slot * SLOT_BYTES : slot * SLOT_BYTES + host.nbytes]
        part[:] = host.reshape(-1).view(np.uint8)
        out.data.copy_from_host_async(part.ctypes.data, host.nbytes, self.stream)
        events[slot].record(self.stream)
        self._sent += 1

    def pinned(self, size: int, dtype: str) -> np.ndarray:
        memory = self.xp.cuda.alloc_pinned_memory(size * np.dtype(dtype).itemsize)
        return np.frombuffer(memory, dtype, size)

    def download_into(self, array: Any, host: np.ndarray) -> None:
        array.get(stream=self.stream, out=host)

    def identity(self) -> str:
        """What tells this card from the others of the machine."""
        return str(self.device.pci_bus_id)

    def later(self, array: Any) -> Callable[[], np.ndarray | None]:
        """array -> host, in the order of the stream: a function that gives it, or None before it is done."""
        memory, event = self.xp.cuda.alloc_pinned_memory(array.nbytes), self._event()
        array.data.copy_to_host_async(memory.ptr, array.nbytes, self.stream)
        event.record(self.stream)
        # Kept until it is done, whoever has lost interest: the memory would be given to somebody else
        self._asked = [(e, m) for e, m in self._asked if not e.done] + [(event, memory)]

        def answer() -> np.ndarray | None:
            if not event.done:
                return None
            return np.frombuffer(memory, array.dtype, array.size).reshape(array.shape).copy()

        return answer

    def mark(self) -> Any:
        """What has been asked for so far, to wait for."""
        event = self._event()
        event.record(self.stream)
        return event

    def send(self, host: np.ndarray, out: Any, after: Any) -> Any:
        """out <- host, pinned, on a second stream, behind the mark `after`; a mark of its end."""
        if self._beside is None:
            self._beside = self.xp.cuda.Stream(non_blocking=True)
        event = self._event()
        self._beside.wait_event(after)
        out.data.copy_from_host_async(host.ctypes.data, host.nbytes, self._beside)
        event.record(self._beside)
        return event

    def follow(self, mark: Any) -> None:
        """Let what is asked for from now on wait for a mark; the caller does not."""
        self.stream.wait_event(mark)

    def settle(self, mark: Any) -> None:
        """Wait here for a mark; other threads go on."""
        with self.device:
            mark.synchronize()

    def _event(self) -> Any:
        return self.xp.cuda.Event(block=True, disable_timing=True)

    def free_bytes(self) -> int:
        free, _ = self.xp.cuda.runtime.memGetInfo()
        return int(free) + int(self.xp.get_default_memory_pool().free_bytes())

    def pool_bytes(self) -> int:
        """Bytes of the device's memory that arrays hold."""
        with self.device:
            return int(self.xp.get_default_memory_pool().used_bytes())

    def describe(self) -> dict[str, str]:
        runtime = self.xp.cuda.runtime
        card = runtime.getDeviceProperties(self.index)
        size = f"{card['totalGlobalMem'] / 2**30:.1f} GiB, last cache {card['l2CacheSize'] / 2**20:.0f} MiB"
        what = f"compute capability {card['major']}.{card['minor']}, {card['multiProcessorCount']} processors"
        compiler = ".".join(map(str, self.xp.cuda.nvrtc.getVersion()))
        return {
            "card": f"gpu:{self.index}, {card['name'].decode()}, {what}, {size}",
            "driver": f"for CUDA {_version(runtime.driverGetVersion())}",
            "CUDA": f"{_version(runtime.runtimeGetVersion())}, NVRTC {compiler}",
            "CuPy": self.xp.__version__,
            "kept in": str(self.compiler.folder),
        }


def unusable(index: int, problem: str, kind: type[ArgumentError] = ArgumentError) -> ArgumentError:
    """What says that the GPU of that number cannot be used, and the remedy."""
    device = f"gpu:{index}" if index else "gpu"
    return kind("device", device, problem + OR_CPU, ("device", "cpu"))


def _cupy(index: int) -> Any:
    try:
        import cupy
    except Exception as problem:  # a half-installed CuPy fails in many ways, not with ImportError alone
        missing = isinstance(problem, ModuleNotFoundError) and problem.name == "cupy"
        what = "CuPy is not installed" if missing else f"CuPy does not load ({one_line(problem)})"
        raise unusable(index, f"{what}; {INSTALL}") from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as problem:  # the driver's errors have a class of their own
        raise unusable(index, f"CuPy finds no usable GPU ({one_line(problem)}){_remedy(cupy)}") from None
    if not count:
        raise unusable(index, f"CuPy finds no GPU{_remedy(cupy)}")
    return cupy


def _remedy(cupy: Any) -> str:
    """What may be wrong where there is no card for CuPy: one that is hidden, or a driver that is too old."""
    with suppress(Exception):  # it is broken already, and this is only about how
        driver, ours = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
        if not driver:
            return "; NVIDIA's driver is not there"
        if driver // 1000 < ours // 1000:
            old = f"the driver is for CUDA {_version(driver)}, CuPy for {_version(ours)}"
            return f"; {old}: update the driver, or install an older CuPy"
    told = hidden()
    return f"; {told}" if told else ""


def _libcublas(index: int, cuda: int) -> ctypes.CDLL:
    """The library that CuPy would take, of its own CUDA version: another one's handles are not its own."""
    problems, found = [], [f"libcublas.so.{cuda}", f"cublas64_{cuda}.dll"]
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib  # CuPy 14 depends on it

        found.insert(0, str(load_nvidia_dynamic_lib("cublas").abs_path))
    except Exception as problem:  # its own exception class differs from version to version
        problems.append(one_line(problem))
    for name in found:
        try:
            library, major = ctypes.CDLL(name), ctypes.c_int()
            library.cublasGetProperty(MAJOR, ctypes.byref(major))
        except (OSError, AttributeError) as problem:
            problems.append(one_line(problem))
            continue
        if major.value == cuda:
            return library
        problems.append(f"{name} is of CUDA {major.value}, CuPy of CUDA {cuda}")
    raise unusable(index, f"no cuBLAS library ({problems[0]}); {INSTALL}")


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def one_line(problem: BaseException) -> str:
    """What an exception says, in one line of at most 160 characters."""
    text = " ".join(str(problem).split())
    return text if len(text) <= 160 else text[:157] + "..."
