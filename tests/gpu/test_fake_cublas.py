"""The stand-in for cuBLAS: what it computes, what it refuses, and what a capture makes of it."""

from __future__ import annotations

import ctypes
from typing import Any

import cpu_kernels
import numpy as np
import pytest
from fake_cuda import FakeCuda

needs_gxx = pytest.mark.skipif(cpu_kernels.why_absent() is not None, reason=cpu_kernels.why_absent() or "")
f32 = np.float32


class Handle:
    """A cuBLAS handle as it must be set up, and a gemm whose matrices are stored columns first."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda, self.handle, self.room = cuda, ctypes.c_void_p(), cuda.xp.empty((1024,), np.uint8)
        assert cuda.blas.cublasCreate_v2(ctypes.byref(self.handle)) == 0
        assert cuda.blas.cublasSetStream_v2(self.handle, ctypes.c_void_p(cuda.stream.ptr)) == 0
        assert self.set_workspace() == 0

    def set_workspace(self, offset: int = 0, size: int = 1024) -> int:
        place = ctypes.c_void_p(self.room.data.ptr + offset)
        return self.cuda.blas.cublasSetWorkspace_v2(self.handle, place, ctypes.c_size_t(size))

    def gemm(self, a: Any, b: Any, c: Any, m: int, n: int, k: int, /, **changes: Any) -> int:
        """c (n, ldc) <- op(a) op(b) in cuBLAS's terms, where an array of shape (x, y) is a matrix (y, x)."""
        double = a.dtype == np.float64
        number, kind = (ctypes.c_double, 1) if double else (ctypes.c_float, 0)
        given = {
            "handle": self.handle, "ta": 0, "tb": 0, "m": m, "n": n, "k": k, "alpha": 1.0,
            "a": ctypes.c_void_p(a.data.ptr), "a_kind": kind, "lda": a.shape[1],
            "b": ctypes.c_void_p(b.data.ptr), "b_kind": kind, "ldb": b.shape[1], "beta": 0.0,
            "c": ctypes.c_void_p(c.data.ptr), "c_kind": kind, "ldc": c.shape[1],
            "compute": 70 if double else 68, "algo": -1,
        }  # fmt: skip
        given |= changes
        for scalar in ("alpha", "beta"):
            if given[scalar] is not None:
                given[scalar] = ctypes.byref(number(given[scalar]))
        return self.cuda.blas.cublasGemmEx(*given.values())


def stored(rng: np.random.Generator, rows: int, columns: int, leading: int, dtype: Any) -> np.ndarray:
    """A (columns, leading) array that cuBLAS reads as a (rows, columns) matrix, NaN beyond it."""
    array = np.full((columns, leading), np.nan, dtype)
    array[:, :rows] = rng.standard_normal((columns, rows))
    return array


@needs_gxx
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("ta", "tb"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_gemm_of_any_transposes_and_leading_dimensions(ta: int, tb: int, dtype: str) -> None:
    cuda, rng, (m, n, k) = FakeCuda(), np.random.default_rng(0), (5, 4, 7)
    handle, xp = Handle(cuda), cuda.xp
    a = stored(rng, *((k, m) if ta else (m, k)), 9, dtype)
    b = stored(rng, *((n, k) if tb else (k, n)), 8, dtype)
    left = a[:, :k].T if ta else a[:, :m].T
    right = b[:, :n].T if tb else b[:, :k].T
    product = (left.T if ta else left) @ (right.T if tb else right)
    c = np.full((n, 6), np.nan, dtype)  # beta 0 does not read it
    out = xp.asarray(c)
    options = {"ta": ta, "tb": tb, "alpha": 0.5}
    assert handle.gemm(xp.asarray(a), xp.asarray(b), out, m, n, k, **options) == 0
    close = {"rtol": 0, "atol": 1e-6 if dtype == "float32" else 1e-14}  # worst seen 1.2e-7 and 4e-16
    np.testing.assert_allclose(out.get()[:, :m].T, 0.5 * product, **close)
    assert np.isnan(out.get()[:, m:]).all()
    assert handle.gemm(xp.asarray(a), xp.asarray(b), out, m, n, k, **options, beta=2.0) == 0
    np.testing.assert_allclose(out.get()[:, :m].T, 1.5 * product, **close)
    assert cuda.launches == ["gemm"] * 2


@needs_gxx
def test_tf32_keeps_ten_bits() -> None:
    cuda = FakeCuda()
    handle, xp = Handle(cuda), cuda.xp
    a = xp.asarray(np.array([[1 + 2**-10, 1 + 2**-11, 1 + 2**-12, -1 - 2**-11]]).T, f32)
    one, out = xp.asarray(np.ones((1, 1)), f32), xp.empty((1, 4), f32)
    for compute, expected in (
        (68, [1 + 2**-10, 1 + 2**-11, 1 + 2**-12, -1 - 2**-11]),
        (77, [1 + 2**-10, 1 + 2**-10, 1, -1 - 2**-10]),
    ):
        assert handle.gemm(a, one, out, 4, 1, 1, ta=1, compute=compute) == 0
        assert (out.get()[0] == expected).all()


@needs_gxx
def test_cublas_says_what_it_cannot_take() -> None:
    cuda = FakeCuda()
    handle, zeros = Handle(cuda), cuda.xp.zeros
    a, b, c = zeros((3, 5), f32), zeros((4, 3), f32), zeros((4, 5), f32)
    shape = (5, 4, 3)
    assert handle.gemm(a, b, c, *shape) == 0
    odd = ctypes.c_void_p(a.data.ptr + 2)
    for changes in (
        {"lda": 4}, {"ldb": 2}, {"ldc": 4}, {"m": -1}, {"ta": 3}, {"tb": 1}, {"alpha": None}, {"beta": None},
        {"a": None}, {"b": None}, {"c": None}, {"a": odd},
    ):  # fmt: skip
        assert handle.gemm(a, b, c, *shape, **changes) == 7, changes
    for changes in ({"compute": 70}, {"a_kind": 1}, {"b_kind": 1}, {"c_kind": 1}, {"compute": 64}):
        assert handle.gemm(a, b, c, *shape, **changes) == 15, changes
    assert handle.gemm(a, b, c, *shape, handle=None) == 1
    with pytest.raises(RuntimeError, match="in no array"):
        handle.gemm(a, b, c[1:], *shape)
    with pytest.raises(TypeError, match="32 bits"):
        handle.gemm(a, b, c, *shape, a=a.data.ptr | 1 << 40)  # some Pythons have their memory below 2^32
    cuda.blas.cublasGemmEx.argtypes = [ctypes.c_void_p] * 19
    assert handle.gemm(a, b, c, *shape, a=a.data.ptr) == 0
    with pytest.raises(AttributeError, match="cublasSgemm"):
        _ = cuda.blas.cublasSgemm


@needs_gxx
def test_setting_the_stream_takes_the_workspace_away() -> None:
    cuda = FakeCuda()
    handle, blas, a = Handle(cuda), cuda.blas, cuda.xp.zeros((3, 3), f32)
    assert handle.gemm(a, a, a, 3, 3, 3) == 0
    assert blas.cublasSetStream_v2(handle.handle, ctypes.c_void_p(cuda.stream.ptr)) == 0
    assert handle.gemm(a, a, a, 3, 3, 3) == 7
    with pytest.raises(RuntimeError, match="in no array"):
        handle.set_workspace(size=1025)
    assert handle.set_workspace(offset=128, size=256) == 7
    assert handle.set_workspace() == 0
    assert handle.gemm(a, a, a, 3, 3, 3) == 0
    version = ctypes.c_int()
    assert blas.cublasGetVersion_v2(handle.handle, ctypes.byref(version)) == 0
    assert version.value >= 120000
    assert blas.cublasSetMathMode(handle.handle, 0) == 0
    assert blas.cublasDestroy_v2(handle.handle) == 0


@needs_gxx
def test_a_captured_gemm_waits_for_the_graph_and_keeps_its_scalars() -> None:
    cuda = FakeCuda()
    handle, xp = Handle(cuda), cuda.xp
    a, b, c = xp.asarray(np.eye(2), f32), xp.asarray(np.ones((2, 2)), f32), xp.zeros((2, 2), f32)
    alpha, beta = ctypes.c_float(3), ctypes.c_float(1)
    pointer = [ctypes.c_void_p(x.data.ptr) for x in (a, b, c)]
    cuda.stream.begin_capture()
    assert cuda.blas.cublasGemmEx(
        handle.handle, 0, 0, 2, 2, 2, ctypes.byref(alpha), pointer[0], 0, 2, pointer[1], 0, 2,
        ctypes.byref(beta), pointer[2], 0, 2, 68, -1,
    ) == 0  # fmt: skip
    assert handle.gemm(a, b, c, 2, 2, 2, lda=1) == 7  # said at once
    alpha.value, beta.value = 100, 100
    graph = cuda.stream.end_capture()
    assert not c.get().any()
    for times in (1, 2):
        graph.launch()
        assert (c.get() == 3 * times).all()
    cuda.stream.begin_capture()
    with pytest.raises(RuntimeError, match="cublasCreate"):
        cuda.blas.cublasCreate_v2(ctypes.byref(ctypes.c_void_p()))
