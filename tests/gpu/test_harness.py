"""The tools that the tests of the CUDA path stand on: kernels on the CPU, cuBLAS in host memory, NVRTC."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cpu_kernels
import numpy as np
import nvrtc
import pytest
from fake_cuda import FakeCuda

SOURCE = Path(__file__).with_name("harness.cu").read_text(encoding="utf-8")
OPTIONS = ("-std=c++17",)
needs_gxx = pytest.mark.skipif(cpu_kernels.why_absent() is not None, reason=cpu_kernels.why_absent() or "")
needs_nvrtc = pytest.mark.skipif(nvrtc.why_absent() is not None, reason=nvrtc.why_absent() or "")
f32 = np.float32


def kernel(cuda: FakeCuda, name: str, options: tuple[str, ...] = OPTIONS) -> Any:
    return cuda.compile(SOURCE, "harness.cu", options).get_function(name)


# ---- kernels on the CPU ------------------------------------------------------------------------------


@needs_gxx
def test_a_thread_does_an_element() -> None:
    cuda = FakeCuda()
    x, y = (cuda.xp.asarray(np.arange(1000), f32) for _ in range(2))
    kernel(cuda, "saxpy")((4,), (256,), (f32(2), x, y, np.int32(999)))
    assert (y.get() == np.append(3 * np.arange(999), 999)).all()
    out, where = cuda.xp.empty((5040,), np.int32), cuda.xp.empty((5040, 4), np.int32)
    wide = cuda.xp.empty((5040, 4), f32)
    kernel(cuda, "places")((2, 3, 4), (5, 6, 7), (out, where, wide))
    i = np.arange(5040)
    assert (out.get() == i).all()
    assert (where.get() == np.stack([i // 5 % 6, i // 30 % 7, i // 420 % 3, i // 1260], axis=1)).all()
    assert (wide.get() == np.stack([i, 2 * i + 1, np.full(5040, 0.5), i // 2], axis=1)).all()


@needs_gxx
@pytest.mark.parametrize("real", ["float", "double"])
def test_a_sum_over_warps_and_blocks(real: str) -> None:
    cuda, dtype = FakeCuda(), np.dtype(real.replace("float", "float32"))
    x = np.random.default_rng(0).integers(-50, 50, 5 * 128).astype(dtype)
    out, partial, finished = (cuda.xp.zeros((n,), t) for n, t in ((1, dtype), (5, dtype), (1, np.uint32)))
    arguments = cuda.xp.asarray(x), partial, finished, out
    total = kernel(cuda, "total", (*OPTIONS, f"-DREAL={real}"))
    total((5,), (128,), arguments)
    assert float(out) == x.sum()
    with cuda.reversed_threads():
        total((5,), (128,), arguments)
    assert float(out) == 2 * x.sum()
    assert int(finished) == 0


@needs_gxx
@pytest.mark.parametrize("lanes", [32, 12])
def test_what_lanes_tell_each_other(lanes: int) -> None:
    cuda = FakeCuda()
    down, xored, ballot = (cuda.xp.zeros((32,), t) for t in (np.int32, np.int32, np.uint32))
    x, twice = np.arange(32)[::-1] // 2, cuda.xp.zeros((32,), np.float64)
    arguments = cuda.xp.asarray(x, np.int32), down, xored, ballot, twice, np.int32(lanes)
    kernel(cuda, "warp")((1,), (32,), arguments)
    i = np.arange(lanes)
    expected = np.append(x[3:lanes], x[29:] if lanes == 32 else [-1] * 3)  # -1 from a lane that takes no part
    assert (down.get()[:lanes] == expected).all()
    assert (xored.get()[:lanes] == x[i ^ 1]).all()
    assert (ballot.get()[:lanes] == sum(1 << k for k in range(lanes) if x[k] > 2)).all()
    assert (twice.get()[:lanes] == x[i ^ 2] / 3).all()


@needs_gxx
def test_groups_of_lanes_meet_among_themselves() -> None:
    cuda = FakeCuda()
    out, ballot = cuda.xp.zeros((32,), np.int32), cuda.xp.zeros((32,), np.uint32)
    i = np.arange(32)
    kernel(cuda, "halves")((1,), (32,), (out,))
    assert (out.get() == np.where(i < 16, i + (i ^ 1), i[16:].sum())).all()
    kernel(cuda, "some_left")((1,), (32,), (out, ballot))
    assert (out.get()[:20] == np.where(i < 12, i + 8, -1)[:20]).all()  # undefined on a GPU, so nothing useful
    assert (ballot.get()[:20] == (1 << 20) - 1).all()


@needs_gxx
def test_atomic_sums() -> None:
    cuda = FakeCuda()
    f, d, u = (cuda.xp.zeros((1,), t) for t in (f32, np.float64, np.uint32))
    kernel(cuda, "sums")((3,), (40,), (f, d, u))
    assert (float(f), float(d), int(u)) == (60, 30, 240)


@needs_gxx
def test_threads_and_blocks_may_run_backwards() -> None:
    cuda = FakeCuda()
    out = cuda.xp.empty((2,), np.int32)
    for expected in ([4, 63], [0, 0]):
        with cuda.reversed_threads() if expected == [0, 0] else nullcontext():
            kernel(cuda, "last")((5,), (64,), (out,))
        assert (out.get() == expected).all()


@needs_gxx
def test_a_missing_barrier_shows_in_the_opposite_order() -> None:
    cuda = FakeCuda()
    x, out, found = cuda.xp.asarray(np.arange(64), f32), cuda.xp.empty((64,), f32), []
    for _ in range(2):
        kernel(cuda, "no_barrier")((1,), (64,), (x, out))
        found.append(out.get())
        with cuda.reversed_threads():
            kernel(cuda, "no_barrier")((1,), (64,), (x, out))
        found.append(out.get())
    assert [np.isnan(o).nonzero()[0][0] for o in found] == [0, 1, 0, 1]


@needs_gxx
@pytest.mark.parametrize("options", [(), ("-DREAL=float",), ("-DREAL=double",)])
def test_shared_memory_is_not_zero_and_does_not_last(options: tuple[str, ...]) -> None:
    """Also that a module does not share the static arrays of its templates with another module."""
    cuda = FakeCuda()
    out = cuda.xp.zeros((96,), f32)
    kernel(cuda, "unwritten", options)((3,), (32,), (out,))
    assert np.isnan(out.get()).all()


FAULTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "divergent": ("barrier divergence.*block 0,0,0", ()),
    "wrong_mask": ("barrier divergence", ()),
    "not_in_mask": ("leaves out its own thread.*thread 1,0,0", ()),
    "misaligned": ("misaligned address", ()),
    "past_shared": ("index outside", (np.int32(5),)),
    "past_array": ("wrote outside its arrays", ()),
    "before_array": ("wrote outside its arrays", ()),
}


@needs_gxx
@pytest.mark.parametrize("name", FAULTS)
def test_what_a_gpu_would_punish_is_an_error(name: str) -> None:
    cuda, (message, more) = FakeCuda(), FAULTS[name]
    out = cuda.xp.empty((64,), f32)
    with pytest.raises(RuntimeError, match=f"{name}.*{message}"):
        kernel(cuda, name)((1,), (32,), (out, *more))
    kernel(cuda, "unwritten")((1,), (32,), (out,))  # and the next launch is as good as ever
    assert np.isnan(out.get()[:32]).all()


@needs_gxx
def test_null_pointers_and_divisions_by_zero_do_not_end_python() -> None:
    cuda = FakeCuda()
    with pytest.raises(RuntimeError, match="null pointer"):
        kernel(cuda, "null_pointer")((1,), (32,), (None,))
    with pytest.raises(RuntimeError, match="division by zero"):
        kernel(cuda, "by_zero")((1,), (1,), (cuda.xp.zeros((1,), np.int32), np.int32(0)))


@needs_gxx
def test_arguments_are_of_the_parameters_own_types() -> None:
    cuda = FakeCuda()
    arrays = [cuda.xp.zeros((8,), t) for t in (f32, f32, np.uint64)]
    good: list[Any] = [f32(1), np.float64(1), np.int32(1), np.uint32(1), np.uint64(1), f32(1), *arrays]
    kinds = kernel(cuda, "kinds")
    kinds((1,), (1,), tuple(good))
    kinds((1,), (1,), (*good[:6], None, None, None))
    double = [*good[:5], np.float64(1), cuda.xp.zeros((8,), np.float64), *arrays[1:]]
    kernel(cuda, "kinds", (*OPTIONS, "-DREAL=double"))((1,), (1,), tuple(double))
    strided = cuda.xp.zeros((8, 2), f32)[:, 0]
    bad = (
        (0, (np.float64(1), np.int32(1), 1.0, np.ones(1, f32), None), "argument 0 .f. takes numpy.float32"),
        (2, (np.int64(1), 1, f32(1), True), "argument 2 .i. takes numpy.int32"),
        (3, (np.int32(1),), "argument 3 .u. takes numpy.uint32"),
        (4, (np.int64(1),), "argument 4 .l. takes numpy.uint64"),
        (5, (np.float64(1),), "argument 5 .r. takes numpy.float32"),
        (6, (double[6],), "argument 6 .p. points to float32, but the array holds float64"),
        (6, (strided, arrays[0].reshape(2, 4).T), "argument 6 .p. has strides"),
        (6, (np.ones(8, f32), 0, f32(1)), "argument 6 .p. is a pointer"),
        (7, (arrays[2],), "argument 7 .v. points to float32"),
        (8, (cuda.xp.zeros((8,), np.int64),), "argument 8 .q. points to uint64"),
    )
    for i, wrong, message in bad:
        for argument in wrong:
            with pytest.raises(TypeError, match=message):
                kinds((1,), (1,), (*good[:i], argument, *good[i + 1 :]))
    for count in (8, 10):
        with pytest.raises(TypeError, match="takes 9 arguments"):
            kinds((1,), (1,), (*good, None)[:count])


@needs_gxx
def test_grids_and_blocks_keep_cudas_limits() -> None:
    cuda = FakeCuda()
    saxpy, arrays = kernel(cuda, "saxpy"), (cuda.xp.zeros((4,), f32), cuda.xp.zeros((4,), f32))
    saxpy((65536,), (1,), (f32(0), *arrays, np.int32(0)))
    for grid, block, message in (
        ((1,), (257,), "launch_bounds__.256"),
        ((1,), (32, 33), "larger than CUDA"),
        ((1, 65536), (1,), "larger than CUDA"),
        ((0,), (1,), "at least 1"),
        ((1.0,), (1,), "whole numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            saxpy(grid, block, (f32(0), *arrays, np.int32(0)))
    with pytest.raises(TypeError, match="tuple"):
        saxpy(1, (1,), (f32(0), *arrays, np.int32(0)))


@needs_gxx
def test_kernels_are_found_in_the_source() -> None:
    cuda = FakeCuda()
    assert cuda.compile(SOURCE, "harness.cu", OPTIONS).kernels["made_b"] == ["out"]
    out = cuda.xp.zeros((1,), np.int32)
    kernel(cuda, "made_a")((1,), (1,), (out,))
    assert int(out) == 5
    with pytest.raises(AttributeError, match="nothing"):
        kernel(cuda, "nothing")
    with pytest.raises(RuntimeError, match="gone"):
        cuda.compile("// kernels: gone", "a.cu", ())
    with pytest.raises(RuntimeError, match=r"a\.cu:2.*oops"):
        cuda.compile('\nextern "C" __global__ void f(int* p) { p[0] = oops; }', "a.cu", ())


# ---- NVRTC -------------------------------------------------------------------------------------------


@needs_nvrtc
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_nvrtc_makes_machine_code(arch: str) -> None:
    assert nvrtc.versions() >= (12, 0)
    code = nvrtc.compile_cubin(SOURCE, "harness.cu", arch, (*OPTIONS, "-DREAL=double"))
    assert code.startswith(b"\x7fELF")
    assert b"saxpy" in code


@needs_nvrtc
def test_nvrtc_says_what_is_wrong_and_where() -> None:
    broken = '\nextern "C" __global__ void f(float* x) { x[0] = oops; }'
    with pytest.raises(nvrtc.CompileError, match=r'broken\.cu\(2\): error: identifier "oops" is undefined'):
        nvrtc.compile_cubin(broken, "broken.cu", "sm_80")
    with pytest.raises(nvrtc.CompileError, match=r"sm_10.*\n.*gpu-architecture"):
        nvrtc.compile_cubin(SOURCE, "harness.cu", "sm_10")
