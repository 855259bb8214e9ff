"""cuBLAS through ctypes, on a handle and a workspace of our own.

CuPy's own products cannot be captured into a CUDA graph: it refuses to set a capturing stream (cupy issue
6290). cuBLAS itself can (its manual, "CUDA Graphs Support"), if its workspace is there beforehand.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

# cudaDataType_t and cublasComputeType_t of cuBLAS's library_types.h and cublas_api.h
FLOAT, DOUBLE = 0, 1
COMPUTE_FLOAT, COMPUTE_TF32, COMPUTE_DOUBLE = 68, 77, 70
STATUS = {
    1: "not initialised", 3: "out of memory", 7: "invalid value", 8: "architecture too old",
    11: "memory not mapped", 13: "execution failed", 14: "internal error", 15: "not supported",
}  # fmt: skip


class Cublas:
    """Products of row-major matrices. `library` is libcublas, `workspace` an address on the device."""

    def __init__(self, library: Any, stream: int, workspace: int, workspace_bytes: int) -> None:
        self.library, self.handle, self.lock = library, ctypes.c_void_p(), threading.Lock()
        self._check(library.cublasCreate_v2(ctypes.byref(self.handle)), "cublasCreate")
        # Setting the stream takes the workspace away: first the one, then the other
        self._check(library.cublasSetStream_v2(self.handle, ctypes.c_void_p(stream)), "cublasSetStream")
        size = ctypes.c_size_t(workspace_bytes)
        done = library.cublasSetWorkspace_v2(self.handle, ctypes.c_void_p(workspace), size)
        self._check(done, "cublasSetWorkspace")
        self.scalars = {
            FLOAT: (ctypes.c_float(0), ctypes.c_float(1)),
            DOUBLE: (ctypes.c_double(0), ctypes.c_double(1)),
        }

    def version(self) -> str:
        found = ctypes.c_int()
        self._check(self.library.cublasGetVersion_v2(self.handle, ctypes.byref(found)), "cublasGetVersion")
        return f"{found.value // 10000}.{found.value // 100 % 100}.{found.value % 100}"

    def gemm(self, a: Any, b: Any, out: Any, accumulate: bool = False, tf32: bool = False) -> None:
        """out = a b, or out += a b. On the device; a and b may be transposed views, all may have longer rows.

        cuBLAS counts columns first, and so sees the transpose of each: out^T = b^T a^T.
        """
        (m, k), n = a.shape, b.shape[1]
        if b.shape[0] != k or out.shape != (m, n):
            raise ValueError(f"gemm: {a.shape} times {b.shape} does not give {out.shape}")
        double = out.itemsize == 8
        kind = DOUBLE if double else FLOAT
        compute = COMPUTE_DOUBLE if double else COMPUTE_TF32 if tf32 else COMPUTE_FLOAT
        (turn_a, lead_a), (turn_b, lead_b), (turn_out, lead_out) = (_layout(x) for x in (a, b, out))
        if turn_out:
            raise ValueError("gemm: the result cannot be a transposed view")
        zero, one = self.scalars[kind]
        pointer = ctypes.c_void_p
        with self.lock:
            done = self.library.cublasGemmEx(
                self.handle, turn_b, turn_a, n, m, k,
                ctypes.byref(one), pointer(b.data.ptr), kind, lead_b,
                pointer(a.data.ptr), kind, lead_a,
                ctypes.byref(one if accumulate else zero), pointer(out.data.ptr), kind, lead_out,
                compute, -1,  # CUBLAS_GEMM_DEFAULT
            )  # fmt: skip
        self._check(done, "cublasGemmEx")

    def _check(self, status: int, what: str) -> None:
        if status:
            raise RuntimeError(f"{what}: {STATUS.get(status, 'status')} ({status})")


def _layout(x: Any) -> tuple[int, int]:
    """(whether x is a transposed view, the elements from one of its stored rows to the next)."""
    (rows, columns), item = x.shape, x.itemsize
    down, along = (stride // item for stride in x.strides)
    if along == 1 or columns == 1:
        if columns == 1 and along != 1 and down == 1 and rows > 1:  # a column of a transposed view
            return 1, max(along, rows)
        return 0, max(down, columns, 1) if rows > 1 else max(columns, 1)
    if down == 1 or rows == 1:
        return 1, max(along, rows, 1)
    raise ValueError(f"gemm: strides {x.strides} of a {x.shape} matrix lie neither by rows nor by columns")
