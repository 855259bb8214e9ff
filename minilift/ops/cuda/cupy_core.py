"""What the CuPy backend stands on: arrays in and out, scratch memory, launches of kernels."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.ops.base import Array, Ops
from minilift.ops.cuda.gpu import Gpu, open_gpu
from minilift.ops.cuda.inlet import CupyInlet
from minilift.ops.inlet import Inlet

BLOCK = 256  # threads of an elementwise kernel
BLOCKS = 2048  # of them at most: each then does several elements
DATA_SHARE = 3  # part of the memory that is free which x, and then y, may take for good
WIDE, TALL = 8, 64  # columns and, at most, rows of a block of the kernels that work by columns


class CupyCore(Ops):
    """The part of CupyOps that knows about memory and launches."""

    rows_at_once = 8192
    narrow = 0
    index_dtype = "int32"

    def __init__(
        self, dtype: str = "float32", index: int = 0, tf32: bool = False, gpu: Gpu | None = None
    ) -> None:
        self.gpu = gpu or open_gpu(index)
        self.index, self.tf32 = self.gpu.index, tf32
        self.device, self.dtype = f"gpu:{self.index}" if self.index else "gpu", dtype
        self._options = (f"-DREAL={'float' if dtype == 'float32' else 'double'}",)
        self.real: Any = np.dtype(dtype).type  # numbers as the kernels take them
        self._thread = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "index": self.index, "tf32": self.tf32}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def carried(self, value: Any) -> Any:
        """CuPy's own copies run on another stream, before this one has written what they read, and what it
        unpickles is on the first card."""
        if isinstance(value, self.gpu.array_type):
            return _Carried(self.gpu.download(value))
        return _each(self.carried, value)

    def placed(self, value: Any) -> Any:
        return self._upload(value.host) if isinstance(value, _Carried) else _each(self.placed, value)

    # ---- arrays --------------------------------------------------------------------------------
    def asarray(self, x: Any) -> Array:
        if not isinstance(x, self.gpu.array_type):
            return self._upload(np.asarray(x, self.dtype))
        if x.dtype != self.dtype:
            raise TypeError(f"an array of {x.dtype} on the GPU, where the model works in {self.dtype}")
        if x.flags.c_contiguous:
            return x
        out = self.empty(x.shape)
        self.copy(x, out)
        return out

    def _upload(self, host: np.ndarray) -> Array:
        out = self.gpu.empty(host.shape, str(host.dtype))
        if host.size:
            self.gpu.upload(np.ascontiguousarray(host), out)
        return out

    def asindex(self, x: Any) -> Array:
        if not isinstance(x, self.gpu.array_type):
            return self._upload(np.asarray(x).astype(np.int32, casting="same_kind"))
        if x.dtype != np.int32:
            raise TypeError(f"an index array of {x.dtype} on the GPU, where it must be int32")
        return x

    def empty(self, shape: tuple[int, ...]) -> Array:
        return self.gpu.empty(shape, self.dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return self.gpu.zeros(shape, dtype or self.dtype)

    def to_host(self, x: Any) -> np.ndarray:
        return self.gpu.download(x) if isinstance(x, self.gpu.array_type) else np.array(x)

    def later(self, x: Array) -> Callable[[], np.ndarray | None]:
        return self.gpu.later(x)

    def holds(self, nbytes: int) -> bool:
        return nbytes <= self.gpu.free_bytes() // DATA_SHARE

    def inlet(self, shape: tuple[int, ...], dtype: str | None = None) -> Inlet:
        return CupyInlet(self, shape, dtype)

    def copy(self, source: Any, out: Array) -> None:
        if not isinstance(source, self.gpu.array_type):
            host = np.asarray(source)
            if host.shape != out.shape:
                host = np.broadcast_to(host, out.shape)
            host = np.ascontiguousarray(host.astype(out.dtype, casting="same_kind", copy=False))
            if out.flags.c_contiguous:
                self.gpu.upload(host, out)
                return
            source = self._upload(host)
        if source.dtype != self.dtype or out.dtype != self.dtype or source.shape != out.shape:
            raise TypeError(f"copy: {source.dtype} {source.shape} into {out.dtype} {out.shape}")
        columns = np.int32(max(out.shape[-1], 1) if out.ndim else 1)
        views = *_view(source), *_view(out)
        self._each("copy", out.size, *views, np.int64(out.size), columns)

    def fill(self, out: Array, value: float) -> None:
        self._each("fill", out.size, out, self.real(value), np.int64(out.size))

    def generator(self, seed: int | tuple[int, ...] | None) -> np.random.Generator:
        return np.random.default_rng(seed)

    def take(self, rows: Array, index: Array, out: Array) -> Array:
        if rows.dtype != out.dtype or out.shape != (*index.shape, *rows.shape[1:]):
            raise TypeError(f"take: {rows.dtype} {rows.shape} into {out.dtype} {out.shape}")
        kernel = "take_index" if rows.dtype == self.index_dtype else "take"
        columns = math.prod(rows.shape[1:])
        self._each(kernel, out.size, rows, index, out, np.int64(out.size), np.int32(columns))
        return out

    def gather(self, rows: Array, order: Array, numbers: Array, out: Array) -> None:
        """out[i] = rows[order[numbers[0] + i]]: a batch whose first number lies on the device."""
        size, columns = np.int64(out.size), np.int32(out.shape[1])
        self._each("gather", out.size, rows, order, numbers, out, size, columns)

    def scratch(self, name: str, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return self._scratch(name, math.prod(shape), dtype or self.dtype).reshape(shape)

    def _scratch(self, name: str, size: int, dtype: str) -> Array:
        arrays = self._thread.__dict__.setdefault("arrays", {})
        have = arrays.get(name)
        if have is None or have.size < size:
            have = arrays[name] = self.gpu.zeros((size,), dtype)
        return have[:size]

    def note(self, line: str) -> None:
        if line not in self.gpu.notes and sys.stderr is not None:
            print(f"note: {line}", file=sys.stderr)
        self.gpu.notes.add(line)

    def thread_scratch(self) -> list[Array]:
        """The scratch memory of the calling thread, which is gone when the thread is."""
        return list(self._thread.__dict__.get("arrays", {}).values())

    def synchronize(self) -> None:
        self.gpu.synchronize()

    # ---- launches ------------------------------------------------------------------------------
    def launch(self, name: str, grid: tuple[int, ...], block: tuple[int, ...], *args: Any) -> None:
        """Run a kernel of kernels.cu; `args` as `Gpu.launch` takes them."""
        self.launch_of("kernels.cu", name, grid, block, *args)

    def launch_of(
        self, file: str, name: str, grid: tuple[int, ...], block: tuple[int, ...], *args: Any,
        defines: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Run a kernel of another .cu file, given by its path; compiled for this dtype, with `defines`."""
        self.gpu.launch(file, self._options + defines, name, grid, block, args)

    def _each(self, name: str, size: int, *args: Any) -> None:
        """A kernel with a thread an element."""
        self.each_of("kernels.cu", name, size, *args)

    def each_of(self, file: str, name: str, size: int, *args: Any) -> None:
        """A kernel of another file with a thread an element."""
        if size:
            self.launch_of(file, name, (min(-(-size // BLOCK), BLOCKS),), (BLOCK,), *args)

    def _columns(self, name: str, n: int, columns: int, *args: Any) -> None:
        """A kernel with a block for every 8 columns."""
        self.launch(name, (-(-columns // WIDE),), (WIDE, TALL if n > TALL // 2 else TALL // 2), *args)

    def _pairwise(self, name: str, a: Array, b: Array, out: Array) -> Array:
        """add or multiply: b has the shape of a, or is a row or a column that serves all of a."""
        view, row, column = _view(b)
        if a.ndim > 1 and b.shape == a.shape[-1:]:
            row = np.int64(0)
        elif a.ndim == 2 and b.shape == (len(a), 1):
            column = np.int64(0)
        elif b.shape != a.shape:
            raise ValueError(f"shapes {a.shape} and {b.shape} do not go together")
        columns = np.int32(max(a.shape[-1], 1) if a.ndim else 1)
        self._each(name, a.size, a, view, row, column, out, np.int64(a.size), columns)
        return out


@dataclass
class _Carried:
    """An array of a device on its way."""

    host: np.ndarray


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """`change` of what is in a plain container; anything else as it is."""
    if type(value) is dict:
        return {name: change(part) for name, part in value.items()}
    return type(value)(map(change, value)) if type(value) in (list, tuple) else value


def _view(x: Array) -> tuple[Array, Any, Any]:
    """x for a kernel, which sees an address: the array, its steps from row to row and column to column."""
    columns = x.shape[-1] if x.ndim else 1
    if x.flags.c_contiguous:
        return x, np.int64(columns), np.int64(1)
    if x.ndim == 2 and x.T.flags.c_contiguous:
        return x.T, np.int64(1), np.int64(len(x))
    raise ValueError(f"a view of shape {x.shape} with strides {x.strides}; only transposed ones are taken")
