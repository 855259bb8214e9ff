"""Arrays of a device, in and out, and its cores: the first part of the contract of base.py."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from minilift.ops.inlet import Inlet

Array = Any  # numpy.ndarray or cupy.ndarray: which of them is the backend's affair


class ArrayOps(ABC):
    """Memory, copies and threads of a backend."""

    cores = 1  # how many jobs of `run` go on at once
    rows_at_once = 512  # that a prediction takes at a time
    narrow = 128  # rows, below which a prediction is faster by columns than by rows
    device: str  # "cpu", "gpu" or "gpu:1"
    dtype: str  # of all working arrays: "float32" for work, "float64" for gradient checks
    index_dtype: str  # of index arrays, which row numbers and classes are

    # ---- arrays: the only way in and out -------------------------------------------------------
    @abstractmethod
    def asarray(self, x: Any) -> Array:
        """`x` as a C-contiguous array of this device and dtype; `x` itself where it is one already."""

    @abstractmethod
    def asindex(self, x: Any) -> Array:
        """Row numbers or classes as an index array of this device, of `index_dtype`."""

    @abstractmethod
    def empty(self, shape: tuple[int, ...]) -> Array: ...

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Array: ...

    def ones(self, shape: tuple[int, ...]) -> Array:
        out = self.empty(shape)
        self.fill(out, 1.0)
        return out

    @abstractmethod
    def fill(self, out: Array, value: float) -> None:
        """out <- value, everywhere."""

    @abstractmethod
    def to_host(self, x: Any) -> Any:
        """A NumPy copy of `x` (waits for the device); a Python number becomes a 0-d array."""

    def later(self, x: Array) -> Callable[[], Any]:
        """Ask for a NumPy copy of `x` as it is now: a function that gives it, or None while it is on its way.

        Nobody waits for a device.
        """
        found = self.to_host(x)
        return lambda: found

    def holds(self, nbytes: int) -> bool:
        """Whether so much data may stay on the device for good; the rest of its memory is for the work."""
        return True

    def inlet(self, shape: tuple[int, ...], dtype: str | None = None) -> Inlet:
        """A way for rows that stay on the host, as many at a time as `shape` has."""
        return Inlet(self, shape, dtype)

    @abstractmethod
    def copy(self, source: Any, out: Array) -> None:
        """out <- source, which may lie on the host."""

    @abstractmethod
    def generator(self, seed: int | tuple[int, ...] | None) -> Any:
        """A `numpy.random.Generator` on the host, for initial weights and shuffling."""

    @abstractmethod
    def take(self, rows: Array, index: Array, out: Array) -> Array:
        """out[i] = rows[index[i]]: the gather that makes a batch, of rows of any shape, or of an index array.

        `index` must lie within `rows`; `out` has the dtype of `rows`.
        """

    @abstractmethod
    def scratch(self, name: str, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        """Memory of the calling thread, its own until it asks for the same name again; not cleared."""

    def carried(self, value: Any) -> Any:
        """`value` for a copy or a pickle: a device's arrays come to the host. `placed` puts them back."""
        return value

    placed = carried

    def note(self, line: str) -> None:
        """Tell the user, once, that something is done in a slower way than it might be; nothing on a CPU."""
        return

    def whole_batch(self, n: int, *sums: Array) -> int:
        """The rows of the batch, of which n are here; `sums` over those become sums over all of them."""
        return n

    def synchronize(self) -> None:
        """Wait until everything asked for is done; at once on a CPU."""
        return

    # ---- cores ---------------------------------------------------------------------------------
    def parallel(self) -> AbstractContextManager[None]:
        """Within it, operations may share their work among threads, where the backend has some."""
        return nullcontext()

    def run(self, job: Callable[[int], None], count: int) -> None:
        """job(0) ... job(count - 1), within `parallel` several at once: none writes what another reads."""
        for i in range(count):
            job(i)


class Portable:
    """What has arrays of its `ops`. Left to themselves, a GPU's would be copied before they are written."""

    ops: ArrayOps

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.ops.carried(value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: state["ops"].placed(value) for name, value in state.items()})
