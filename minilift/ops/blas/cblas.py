"""Matrix products by a library's C interface (CBLAS), for arrays as they lie in memory."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112  # of cblas.h
_SIZE, _ADDRESS = ctypes.c_int64, ctypes.c_void_p
_SCALARS = {"float32": ("s", ctypes.c_float), "float64": ("d", ctypes.c_double)}


class Cblas:
    """sgemm and dgemm of a library, called without the interpreter lock.

    `symbol` is how they are named, with {} for the s and the d, in an interface whose sizes have 64 bits:
    cblas_{}gemm_64. Raises AttributeError where the library has no such functions.
    """

    def __init__(self, library: ctypes.CDLL, symbol: str) -> None:
        self._gemm: dict[np.dtype, Any] = {}
        for dtype, (letter, scalar) in _SCALARS.items():
            gemm = self._gemm[np.dtype(dtype)] = getattr(library, symbol.format(letter))
            factors = [_ADDRESS, _SIZE, _ADDRESS, _SIZE]
            gemm.argtypes = [*[ctypes.c_int] * 3, *[_SIZE] * 3, scalar, *factors, scalar, _ADDRESS, _SIZE]
            gemm.restype = None

    def matmul(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        """out = a b of matrices or transposed views of them, and True; nothing is copied.

        False, with nothing done, for arrays that BLAS cannot take as they lie: other types, strides that
        are no row's or column's, an `out` that may share memory with a factor, fewer than 2 rows or columns.
        """
        if out.strides[0] == out.itemsize < out.strides[1]:  # columns: out^T = b^T a^T
            a, b, out = b.T, a.T, out.T
        (m, k), n = a.shape, b.shape[1]
        gemm = self._gemm.get(out.dtype)
        left, right, whole = _layout(a), _layout(b), _layout(out)
        if gemm is None or not a.dtype == b.dtype == out.dtype or not out.flags.writeable:
            return False
        if left is None or right is None or whole is None or whole[0] != AS_IT_IS:
            return False
        if np.may_share_memory(out, a) or np.may_share_memory(out, b):
            return False
        gemm(
            ROW_MAJOR, left[0], right[0], m, n, k, 1.0, _address(a), left[1], _address(b), right[1], 0.0,
            _address(out), whole[1],
        )  # fmt: skip
        return True


def _layout(x: np.ndarray) -> tuple[int, int] | None:
    """How a matrix lies: rows as they are or transposed, and elements from one to the next; None: neither."""
    (rows, columns), (down, right), size = x.shape, x.strides, x.itemsize
    if min(rows, columns) < 2 or not x.flags.aligned:
        return None
    if right == size and down >= columns * size and down % size == 0:
        return AS_IT_IS, down // size
    if down == size and right >= rows * size and right % size == 0:
        return TRANSPOSED, right // size
    return None


def _address(x: np.ndarray) -> int:
    return int(x.__array_interface__["data"][0])
