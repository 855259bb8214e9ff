"""What the NumPy backend stands on: aligned memory, scratch, threads, and products of matrices."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.ops.base import Array, Ops
from minilift.ops.blas.bundled import blas
from minilift.ops.threads import Team, team

if TYPE_CHECKING:
    from minilift.ops.blas.cblas import Cblas

# Elements of a pass: the few arrays of one should stay in a cache of 1 or 2 MB. With half as many, the
# threads of a team come back for the interpreter's lock so often that they wait for each other.
CHUNK = 1 << 17
LINE = 64  # bytes of a cache line, and of an AVX-512 register: unaligned, a ufunc takes up to twice the time
FEW = 96  # rows: packing a wide weight takes as long as multiplying so many by it
UNPACKED = 1_000_000  # multiplications up to which OpenBLAS leaves the packing out, in the kernels that do
# Multiplications. A core does 50 to 100 in a nanosecond; waking a sleeping thread takes up to 0.06 ms
LARGE = 1 << 20  # from here on, a product is worth a call of another library
WORTH_SPLITTING = 1 << 24  # of a product: a part for each thread
WORTH_PAIRING = 1 << 23  # of each of a layer's two backward products: a thread for each, whole
WORTH_TURNING = 1 << 22  # of few rows: turned, so that the weight need not be packed


class _Thread(threading.local):
    """What every thread has of its own: scratch memory by name, and the team where it works in parallel."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.team: Team | None = None


class NumpyCore(Ops):
    """The part of NumpyOps that knows about caches and threads.

    How work is cut depends on shapes and on the size of the team alone, and so do the bits of the results:
    on these, and on `gemm`, the library that does large products if NumPy's own does not.
    """

    index_dtype = np.dtype(np.intp).name

    def __init__(self, dtype: str = "float32") -> None:
        self.device, self.dtype = "cpu", dtype
        self._thread = _Thread()
        self.gemm: Cblas | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"device": self.device, "dtype": self.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["dtype"])  # type: ignore[misc]

    def _temporary(self, name: str, size: int, dtype: str | None = None) -> np.ndarray:
        """`size` elements of scratch memory under a name; kept, so that only its first use allocates."""
        have = self._thread.arrays.get(name)
        if have is None or have.size < size:
            have = self._thread.arrays[name] = _aligned(np.empty, (size,), dtype or self.dtype)
        return have[:size]

    def scratch(self, name: str, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return self._temporary(name, math.prod(shape), dtype).reshape(shape)

    # ---- cores ---------------------------------------------------------------------------------
    @property
    def cores(self) -> int:  # type: ignore[override]
        return team().size

    @contextmanager
    def parallel(self) -> Iterator[None]:
        with blas().one_thread():
            before, self._thread.team = self._thread.team, team()
            try:
                yield
            finally:
                self._thread.team = before

    def run(self, job: Callable[[int], None], count: int) -> None:
        workers = self._thread.team
        if workers is None:
            for i in range(count):
                job(i)
            return
        self._thread.team = None  # a job's own products are not cut again
        try:
            workers.run(job, count)
        finally:
            self._thread.team = workers

    def _parts(self, size: int) -> list[slice]:
        """`size` rows or columns, cut into a part for each core."""
        step = -(-size // self.cores // 16) * 16
        return [slice(start, min(start + step, size)) for start in range(0, size, step)]

    # ---- memory --------------------------------------------------------------------------------
    def empty(self, shape: tuple[int, ...]) -> Array:
        return _aligned(np.empty, shape, self.dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return _aligned(np.zeros, shape, dtype or self.dtype)

    # ---- products and sums ---------------------------------------------------------------------
    def matmul(self, a: Array, b: Array, out: Array) -> Array:
        rows, columns = out.shape
        if self._thread.team is None or rows * columns * a.shape[1] < WORTH_SPLITTING:
            self._product(a, b, out)
        elif rows >= columns:
            parts = self._parts(rows)
            self.run(lambda i: self._product(a[parts[i]], b, out[parts[i]]), len(parts))
        else:
            parts = self._parts(columns)
            self.run(lambda i: self._product(a, b[:, parts[i]], out[:, parts[i]]), len(parts))
        return out

    def _leaves_unpacked(self) -> bool:
        return self.gemm is None and self.dtype == "float32" and blas().unpacked

    def _product(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """out = a b on one thread, piece by piece where that spares BLAS the packing of a.

        With few multiplications for each element, copying a large factor into panels takes as long as the
        product. OpenBLAS leaves it out below 10^6 multiplications, and numpy.matmul takes a stack of pieces.
        """
        (m, k), n = a.shape, b.shape[1]
        if self.gemm is not None and m * k * n >= LARGE and self.gemm.matmul(a, b, out):
            return
        piece = min(1 << (UNPACKED // max(k * n, 1)).bit_length() >> 1, 32)
        few = 1 < min(k, n) <= FEW and piece >= 4 and m % piece == 0 and m >= 4 * piece
        lie_well = b.flags.c_contiguous and out.flags.c_contiguous and (a.flags.c_contiguous or k <= FEW)
        if not (few and lie_well and self._leaves_unpacked()):
            np.matmul(a, b, out=out)
            return
        if not a.flags.c_contiguous:  # a copy of so few columns costs less than it saves
            rows = self.scratch("rows", (m, k))
            np.copyto(rows, a)
            a = rows
        np.matmul(a.reshape(-1, piece, k), b, out=out.reshape(-1, piece, n))

    def sum_rows(self, x: Array, out: Array) -> Array:
        # a product with a row of ones: BLAS adds faster than numpy.add.reduce
        if "ones" not in self._thread.arrays or self._thread.arrays["ones"].size < len(x):
            self._temporary("ones", len(x)).fill(1)
        return np.matmul(self._temporary("ones", len(x)), x, out=out)

    def linear(self, x: Array, weight: Array, bias: Array | None, out: Array) -> Array:
        if len(x) <= FEW and len(x) * weight.size >= WORTH_TURNING and self._leaves_unpacked():
            self._linear_of_few(x, weight, out)
        else:
            self.matmul(x, weight.T, out=out)
        return out if bias is None else self.add(out, bias, out=out)

    def linear_backward(
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array | None
    ) -> None:
        if dbias is not None:
            self.sum_rows(dy, out=dbias)
        products = [(dy.T, x, dweight)] if out is None else [(dy.T, x, dweight), (dy, weight, out)]
        if WORTH_PAIRING <= len(dy) * weight.size < WORTH_SPLITTING:
            self.run(lambda i: self.matmul(*products[i]), len(products))
        else:
            for product in products:
                self.matmul(*product)

    def _linear_of_few(self, x: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
        """out^T = weight x^T: the order in which `_product` need not pack the weight."""
        (m, k), n = weight.shape, len(x)
        columns, turned = self.scratch("columns", (k, n)), self.scratch("turned", (m, n))
        np.copyto(columns, x.T)
        parts = self._parts(m) if self._thread.team else [slice(0, m)]

        def part(i: int) -> None:
            self._product(weight[parts[i]], columns, turned[parts[i]])
            np.copyto(out[:, parts[i]], turned[parts[i]].T)

        self.run(part, len(parts))


def _aligned(make: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """make(shape, dtype) with its first element at the start of a cache line."""
    size, itemsize = math.prod(shape), np.dtype(dtype).itemsize
    raw = make(size + LINE // itemsize, dtype)
    start = -raw.__array_interface__["data"][0] % LINE // itemsize
    return raw[start : start + size].reshape(shape)


def chunks_of(size: int) -> list[slice]:
    """The elements of a vector, CHUNK at a time."""
    return [slice(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK)]


def row_chunks(x: np.ndarray) -> list[slice]:
    """The rows of x, along its first axis, in chunks of about CHUNK elements."""
    rows = max(CHUNK // max(math.prod(x.shape[1:]), 1), 1)
    return [slice(start, min(start + rows, len(x))) for start in range(0, len(x), rows)]
