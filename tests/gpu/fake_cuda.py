"""A CUDA device that does not exist: kernels run on the CPU, arrays lie in host memory, rules are enforced.

`FakeCuda` has the surface of `minilift.ops.cuda.backend.Cuda`. A launch is done when it returns.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
from cpu_kernels import Module
from fake_array import DeviceArray, Memory, empty
from fake_blas import FakeBlas
from fake_nccl import FakeNccl

CAPTURING = "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing"


class OutOfMemory(MemoryError):
    """As cupy.cuda.memory.OutOfMemoryError."""


class Event:
    """A point in the order of the work. Between two of them lie as many milliseconds as launches."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda, self.at = cuda, -1

    def record(self, stream: Stream) -> None:
        self.cuda.refuse_while_capturing("an event")
        self.at = self.cuda.done

    def synchronize(self) -> None:
        self.cuda.stream.synchronize()


class Namespace:
    """Stands in for the module `cupy`: arrays in and out, and NumPy's dtypes; dtypes must be named."""

    ndarray = DeviceArray

    def __init__(self, cuda: FakeCuda) -> None:
        self._cuda = cuda

        def elapsed(first: Event, last: Event) -> float:
            return float(last.at - first.at)

        nccl = FakeNccl(cuda)
        self.cuda = SimpleNamespace(Event=lambda: Event(cuda), get_elapsed_time=elapsed, nccl=nccl)

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> DeviceArray:
        return empty(self._cuda, shape, dtype)

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> DeviceArray:
        out = empty(self._cuda, shape, dtype)
        out.fill(0)
        return out

    def asarray(self, host: Any, dtype: Any = None) -> DeviceArray:
        """A device array of that dtype as it is, anything else uploaded."""
        if isinstance(host, DeviceArray):
            if dtype is not None and np.dtype(dtype) != host.dtype:
                raise TypeError(f"asarray of {host!r} as {np.dtype(dtype)} would convert it on the device")
            return host
        array = np.asarray(host, dtype)
        out = empty(self._cuda, array.shape, array.dtype)
        out.set(array)
        return out

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name, None)
        if isinstance(found, type) and issubclass(found, np.generic):
            return found
        raise AttributeError(f"the stand-in for CuPy has no {name!r}: write a kernel")


class Graph:
    """What was recorded in a capture. It holds addresses, not arrays: those must outlive it."""

    def __init__(self, cuda: FakeCuda, nodes: list[tuple[str, Callable[[], None], list[Any]]]) -> None:
        self.cuda, self.nodes = cuda, nodes

    def launch(self, stream: Any = None) -> None:
        self.cuda.refuse_while_capturing("a graph launch")
        self.cuda.replays += 1
        for name, action, references in self.nodes:
            memories = [reference() for reference in references]
            if any(memory is None for memory in memories):
                raise RuntimeError(f"{name} in a graph works on memory that was freed after the capture")
            self.cuda.execute(name, action, memories)

    def upload(self, stream: Any = None) -> None:
        """Nothing: there is nowhere to upload it to."""


class Stream:
    """The one stream. Launches outside `with stream` are counted: CuPy would send them to another stream."""

    ptr = 0x5712EA0

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda, self.entered = cuda, 0
        self.nodes: list[Any] | None = None  # what a capture has recorded; None: no capture
        self.spoilt: str | None = None  # what was refused in the capture, which then gives no graph

    def __enter__(self) -> Stream:
        self.entered += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self.entered -= 1

    def synchronize(self) -> None:
        self.cuda.refuse_while_capturing("synchronize()")
        self.cuda.syncs += 1

    def begin_capture(self, mode: int | None = None) -> None:
        if not self.cuda.can_capture:
            raise RuntimeError("cudaErrorNotSupported: this device cannot capture")
        if self.nodes is not None:
            raise RuntimeError("cudaErrorIllegalState: the stream is capturing already")
        self.nodes, self.spoilt = [], None

    def end_capture(self) -> Graph:
        nodes, self.nodes = self.nodes, None
        if nodes is None:
            raise RuntimeError("cudaErrorIllegalState: the stream is not capturing")
        if self.spoilt:
            raise RuntimeError(f"cudaErrorStreamCaptureInvalidated: by {self.spoilt}")
        return Graph(self.cuda, nodes)


class Sent:
    """A mark on the way of a copy: it is done when somebody waits for it."""

    def __init__(self, copy: Callable[[], None] | None, time: int = 0) -> None:
        self.copy, self.time, self.followed, self.settled = copy, time, 0, False

    def finish(self) -> None:
        copy, self.copy = self.copy, None
        if copy is not None:
            copy()


class FakeCuda:
    """The device. Options: refuse captures; run out of memory beyond `limit` bytes; count what kernels touch,
    into `counted`, a (read, written, moved) for each launch of one (count_bytes.h).

    `launches` names what was sent to the device, in order: kernels, "gemm", and of arrays "fill", "copy",
    "add" and "multiply". A graph's nodes are in it once, from their capture; `replays` counts its launches.
    """

    OutOfMemory = OutOfMemory

    def __init__(
        self, *, index: int = 0, can_capture: bool = True, limit: int | None = None, counts: bool = False
    ) -> None:
        self.index = index
        self.can_capture, self.limit = can_capture, limit
        self.host_reads = self.syncs = self.allocations = self.replays = self.off_stream = 0
        self.launches: list[str] = []
        self.done = 0  # what was sent or replayed, until now
        self.reverse = False
        self.counted: list[tuple[int, int, int]] | None = [] if counts else None
        self._memories: weakref.WeakValueDictionary[int, Memory] = weakref.WeakValueDictionary()
        self.xp, self.stream = Namespace(self), Stream(self)
        self.hasty, self.sends, self.clock = False, 0, 0
        self._sent: dict[int, Sent] = {}  # the latest copy out of each piece of pinned memory
        self._pinned: list[np.ndarray] = []

    # ---- the surface of the real one ------------------------------------------------------------
    @contextmanager
    def active(self) -> Iterator[None]:
        """Within it, work goes to this device and its stream."""
        with self.stream:
            yield

    @property
    def blas(self) -> FakeBlas:
        """cuBLAS, compiled when it is first asked for."""
        if not hasattr(self, "_blas"):
            self._blas = FakeBlas(self)
        return self._blas

    def compile(self, source: str, name: str, options: tuple[str, ...] = ()) -> Module:
        """Kernels called as (grid, block, args). Of the options only -DNAME=VALUE counts.

        args are device arrays (contiguous), NumPy scalars of exactly the parameter's type, or None (null).
        """
        self.refuse_while_capturing("compile()")  # loading a module may allocate
        return Module(self, source, name, options)

    def upload(self, host: np.ndarray, out: DeviceArray) -> None:
        """out <- host, both C-contiguous, of the same dtype and number of bytes."""
        if not isinstance(host, np.ndarray) or not isinstance(out, DeviceArray):
            kinds = f"{type(host).__name__} to {type(out).__name__}"
            raise TypeError(f"upload goes from a host to a device array, not from {kinds}")
        if host.dtype != out.dtype or host.nbytes != out.nbytes:
            raise ValueError(f"upload of {host.dtype} {host.shape} to {out!r}")
        if not (host.flags.c_contiguous and out.flags.c_contiguous):
            raise ValueError("upload needs C-contiguous arrays on both sides")
        out.set(host.reshape(out.shape))

    def download(self, array: DeviceArray) -> np.ndarray:
        return array.get()

    def pinned(self, size: int, dtype: str) -> np.ndarray:
        self.refuse_while_capturing("an allocation")
        self._pinned.append(np.empty(size, dtype))
        return self._pinned[-1]

    def download_into(self, array: DeviceArray, host: np.ndarray) -> None:
        host[...] = array.get()

    def identity(self) -> str:
        return f"0000:{self.index:02x}:00.0"

    def later(self, array: DeviceArray) -> Callable[[], np.ndarray | None]:
        """On its way when it is first asked for, whatever happens to the array meanwhile."""
        self.refuse_while_capturing("later()")
        found, asked = array._host.copy(), iter((None,))
        return lambda: next(asked, found)

    def mark(self) -> Sent:
        self.clock += 1
        return Sent(None, self.clock)

    def send(self, host: np.ndarray, out: DeviceArray, after: Sent) -> Sent:
        """Done as late as may be, when somebody waits for it; or at once, if `hasty`."""
        self.refuse_while_capturing("send()")
        if not any(np.shares_memory(host, room) for room in self._pinned):
            raise RuntimeError("only pinned memory is copied from while the host goes on")
        if (host.shape, host.dtype) != (out.shape, out.dtype) or not host.flags.c_contiguous:
            raise ValueError(f"send of {host.dtype} {host.shape} to {out!r}")
        source, target = host.ctypes.data, out._host
        before = self._sent.get(source)
        if before is not None and not before.settled:
            raise RuntimeError("pinned memory was written again before its copy was waited for")
        if before is not None and after.time < before.followed:
            raise RuntimeError("a copy does not wait for the work on what was there")
        sent = self._sent[source] = Sent(lambda: np.copyto(target, host))
        self.sends += 1
        if self.hasty:
            sent.finish()
        return sent

    def follow(self, mark: Sent) -> None:
        self.clock += 1
        mark.followed = self.clock
        mark.finish()

    def settle(self, mark: Sent) -> None:
        mark.settled = True
        mark.finish()

    def free_bytes(self) -> int:
        return 1 << 40 if self.limit is None else self.limit - self.pool_bytes()

    def pool_bytes(self) -> int:
        """Bytes of all arrays alive."""
        return sum(memory.nbytes for memory in self._memories.values())

    def describe(self) -> dict[str, str]:
        return {"card": "fake", "compute": "0.0", "driver": "none", "runtime": "g++"}

    # ---- what the arrays, kernels and cuBLAS need -------------------------------------------------
    def allocate(self, nbytes: int) -> Memory:
        self.refuse_while_capturing("an allocation")
        if self.limit is not None and self.pool_bytes() + nbytes > self.limit:
            raise OutOfMemory(f"Out of memory allocating {nbytes:,} bytes (limit {self.limit:,} bytes)")
        memory = Memory(self, nbytes)
        self._memories[memory.address] = memory
        self.allocations += 1
        return memory

    def memory_at(self, address: int, nbytes: int) -> Memory:
        """The array in which these bytes lie."""
        for memory in self._memories.values():
            if memory.address <= address and address + nbytes <= memory.address + memory.nbytes:
                return memory
        raise RuntimeError(f"{nbytes} bytes at {address:#x} lie in no array that is alive")

    def refuse_while_capturing(self, what: str) -> None:
        if self.stream.nodes is not None:
            self.stream.spoilt = what
            raise RuntimeError(f"{CAPTURING} ({what})")

    def enqueue(self, name: str, action: Callable[[], None], memories: Sequence[Memory]) -> None:
        """Do `action` now, or when the graph being captured is launched."""
        self.off_stream += not self.stream.entered
        if self.stream.nodes is None:
            self.execute(name, action, memories)
        else:
            self.stream.nodes.append((name, action, [weakref.ref(memory) for memory in memories]))
        self.launches.append(name)

    def execute(self, name: str, action: Callable[[], None], memories: Sequence[Memory]) -> None:
        action()
        self.done += 1
        damaged = [memory for memory in memories if not memory.intact()]
        if damaged:
            raise RuntimeError(f"{name} wrote outside its arrays")

    @contextmanager
    def reversed_threads(self) -> Iterator[None]:
        """Within it threads and blocks run in the opposite order. What that changes is a race."""
        before, self.reverse = self.reverse, True
        try:
            yield
        finally:
            self.reverse = before
