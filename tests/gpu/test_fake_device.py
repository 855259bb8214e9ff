"""The device that is not there: what its arrays refuse and what a capture allows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import cpu_kernels
import numpy as np
import pytest
from fake_cuda import FakeCuda

needs_gxx = pytest.mark.skipif(cpu_kernels.why_absent() is not None, reason=cpu_kernels.why_absent() or "")
f32 = np.float32
SCALE = """
extern "C" __global__ void scale(float a, float* x) { x[threadIdx.x] *= a; }
"""

# ---- arrays ------------------------------------------------------------------------------------------


def test_an_array_looks_as_cupys() -> None:
    xp = FakeCuda().xp
    a = xp.asarray(np.arange(24).reshape(4, 6), f32)
    assert isinstance(a, xp.ndarray)
    assert (a.shape, a.dtype, a.size, a.ndim, a.nbytes, a.strides, a.itemsize, len(a)) == (
        (4, 6), np.dtype("f4"), 24, 2, 96, (24, 4), 4, 4,
    )  # fmt: skip
    assert a.data.ptr % 512 == 0
    assert a[2, 3:].data.ptr == a.data.ptr + 60
    assert a.flags.c_contiguous
    assert not a.T.flags.c_contiguous
    assert a.T.flags.f_contiguous
    assert (a.T.get() == np.arange(24).reshape(4, 6).T).all()
    assert (a.reshape(-1).get() == np.arange(24)).all()
    a[1:3, 0][...] = 7
    assert a.reshape(2, 12)[:, 6].shape == (2,)
    assert (a.get()[:, 0] == [0, 7, 7, 18]).all()
    with pytest.raises(ValueError, match="would copy"):
        a.T.reshape(-1)
    a[3, 5].fill(9)
    assert (float(a[-1, -1]), a[3, 5].shape) == (9, ())
    assert xp.asarray(a) is a
    assert xp.float64 is np.float64
    assert "7" not in repr(a)


def test_new_memory_is_poisoned() -> None:
    xp = FakeCuda().xp
    assert np.isnan(xp.empty((3, 4), f32).get()).all()
    assert np.isnan(xp.empty(5, np.float64).get()).all()
    assert (xp.empty((3,), np.uint32).get() == 0xA5A5A5A5).all()
    assert not xp.zeros((3,), np.int32).get().any()


def test_numbers_may_be_added_and_multiplied() -> None:
    cuda = FakeCuda()
    a = cuda.xp.zeros((3,), f32)
    b = 2 * (a + 1) + 0.5
    assert (b.get() == 2.5).all()
    assert b.dtype == f32
    view = b[1:]
    view += 1
    view *= 2
    assert (b.get() == [2.5, 7, 7]).all()


def host() -> np.ndarray:
    return np.ones((3, 4), f32)


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "np.asarray": lambda xp, a: np.asarray(a),
    "np.array": lambda xp, a: np.array(a),
    "np.add": lambda xp, a: np.add(a, a),
    "ufunc out": lambda xp, a: np.add(host(), 1, out=a),
    "np.sum": lambda xp, a: np.sum(a),
    "np.copyto": lambda xp, a: np.copyto(host(), a),
    "device + host": lambda xp, a: a + host(),
    "host + device": lambda xp, a: host() + a,
    "host * device": lambda xp, a: host() * a,
    "device + device": lambda xp, a: a + a,
    "device += host": lambda xp, a: a.__iadd__(host()),
    "device * np.float64": lambda xp, a: a * np.float64(2),
    "np.float64 * device": lambda xp, a: np.float64(2) * a,
    "device - 1": lambda xp, a: a - 1,
    "device @ device": lambda xp, a: a @ a.T,
    "device == 0": lambda xp, a: a == 0,
    "host slot": lambda xp, a: host().__setitem__(slice(None), a),
    "device slot": lambda xp, a: a.__setitem__(slice(None), host()),
    "device slot, np.float64": lambda xp, a: a.__setitem__(slice(None), np.float64(1)),
    "device slot, another dtype": lambda xp, a: a.__setitem__(slice(None), xp.zeros((3, 4), np.int32)),
    "device slot, another shape": lambda xp, a: a.__setitem__(slice(None), xp.zeros((4,), f32)),
    "host index": lambda xp, a: a[np.array([0, 1])],
    "device index": lambda xp, a: a[xp.zeros((2,), np.int32)],
    "mask": lambda xp, a: a[True],
    "list index": lambda xp, a: a[[0, 1]],
    "fill(np.float32)": lambda xp, a: a.fill(f32(1)),
    "fill int with float": lambda xp, a: xp.zeros((2,), np.int32).fill(0.5),
    "set of a list": lambda xp, a: a.set([1, 2]),
    "set of another dtype": lambda xp, a: a.set(np.ones((3, 4))),
    "astype": lambda xp, a: a.astype(np.float64),
    "sum": lambda xp, a: a.sum(),
    "copy": lambda xp, a: copy.deepcopy(a),
    "iteration": lambda xp, a: list(a),
    "hash": lambda xp, a: {a},
    "upload of a device array": lambda xp, a: xp._cuda.upload(a, a),
    "upload to a host array": lambda xp, a: xp._cuda.upload(host(), host()),
    "asarray with another dtype": lambda xp, a: xp.asarray(a, np.float64),
}


@pytest.mark.parametrize("name", REFUSED)
def test_host_and_device_do_not_mix(name: str) -> None:
    xp = FakeCuda().xp
    with pytest.raises(TypeError):
        REFUSED[name](xp, xp.zeros((3, 4), f32))


def test_it_is_said_what_was_mixed() -> None:
    a = FakeCuda().xp.zeros((3, 4), f32)
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.add(a, a)
    with pytest.raises(TypeError, match="add of a device array and ndarray"):
        host() + a
    with pytest.raises(TypeError, match=r"Please use `\.get\(\)`"):
        np.asarray(a)


def test_the_host_reads_only_openly_and_is_counted() -> None:
    cuda = FakeCuda()
    a = cuda.xp.asarray(np.full(1, 3.0), np.float64)
    assert cuda.host_reads == 0
    assert (float(a), int(a), bool(a), a.item(), a.get()[0], cuda.download(a)[0]) == (3, 3, True, 3, 3, 3)
    assert cuda.host_reads == 6
    out = np.zeros(1)
    a.get(out=out, stream=cuda.stream)
    assert (out[0], cuda.host_reads) == (3, 7)
    for wrong in (np.zeros(1, f32), np.zeros(2)):
        with pytest.raises(ValueError, match="same shape and dtype"):
            a.get(out=wrong)
    mine = a.get()
    mine[:] = 5
    assert float(a) == 3  # a copy


def test_uploads_must_fit() -> None:
    cuda = FakeCuda()
    a = cuda.xp.zeros((3, 4), f32)
    cuda.upload(np.arange(12, dtype=f32), a)
    assert (a.get() == np.arange(12).reshape(3, 4)).all()
    for source, out in (
        (np.ones(12, np.int32), a), (np.ones(6), a), (np.ones(11, f32), a), (np.ones((4, 3), f32).T, a),
        (host(), a.T),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="upload"):
            cuda.upload(source, out)
    with pytest.raises(ValueError, match="cannot be set"):
        a.set(np.ones(12, f32))
    with pytest.raises(RuntimeError, match="non-contiguous"):
        a.T.set(np.ones((4, 3), f32))
    with pytest.raises(AttributeError, match="matmul"):
        _ = cuda.xp.matmul


def test_memory_is_counted_and_may_run_out() -> None:
    cuda = FakeCuda(limit=4000)
    a = cuda.xp.zeros((500,), f32)
    part = a[:10]
    assert (cuda.pool_bytes(), cuda.allocations) == (2000, 1)
    with pytest.raises(cuda.OutOfMemory, match="2,004 bytes"):
        cuda.xp.empty((501,), f32)
    del a
    assert cuda.pool_bytes() == 2000  # a view keeps it
    del part
    assert cuda.pool_bytes() == 0
    assert cuda.xp.empty((1000,), f32).size == 1000


# ---- stream and capture ------------------------------------------------------------------------------


def test_launches_outside_the_stream_and_waits_are_counted() -> None:
    cuda = FakeCuda()
    a = cuda.xp.zeros((3,), f32)
    assert (cuda.off_stream, cuda.syncs) == (1, 0)
    with cuda.active():
        a.fill(1)
    with cuda.stream:
        a[1:] = a[:2]
    cuda.stream.synchronize()
    assert (cuda.off_stream, cuda.syncs, cuda.launches) == (1, 1, ["fill", "fill", "copy"])
    a.fill(2)
    assert cuda.off_stream == 2
    assert cuda.stream.ptr
    assert cuda.describe()["card"] == "fake"


@needs_gxx
def test_a_capture_records_and_a_graph_replays() -> None:
    cuda = FakeCuda()
    scale = cuda.compile(SCALE, "scale.cu", ()).get_function("scale")
    x, y = cuda.xp.asarray(np.ones(4), f32), cuda.xp.zeros((4,), f32)
    before = len(cuda.launches)
    cuda.stream.begin_capture()
    scale((1,), (4,), (f32(3), x))
    y[...] = x
    x[:2] = 1
    graph = cuda.stream.end_capture()
    assert (x.get() == 1).all()
    graph.upload(cuda.stream)
    for _ in range(2):
        graph.launch(cuda.stream)
    assert (y.get() == [3, 3, 9, 9]).all()
    assert (x.get() == [1, 1, 9, 9]).all()
    assert (cuda.launches[before:], cuda.replays) == (["scale", "copy", "fill"], 2)


FORBIDDEN: dict[str, Callable[[FakeCuda, Any], Any]] = {
    "empty": lambda cuda, a: cuda.xp.empty((3,), f32),
    "a + 1": lambda cuda, a: a + 1,
    "get": lambda cuda, a: a.get(),
    "float": lambda cuda, a: float(a[0]),
    "set": lambda cuda, a: a.set(np.zeros(3, f32)),
    "upload": lambda cuda, a: cuda.upload(np.zeros(3, f32), a),
    "download": lambda cuda, a: cuda.download(a),
    "synchronize": lambda cuda, a: cuda.stream.synchronize(),
    "compile": lambda cuda, a: cuda.compile(SCALE, "scale.cu", ()),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_capture_allows_no_waiting_and_no_allocating(name: str) -> None:
    cuda = FakeCuda()
    a = cuda.xp.zeros((3,), f32)
    cuda.stream.begin_capture()
    a.fill(1)
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        FORBIDDEN[name](cuda, a)
    with pytest.raises(RuntimeError, match="Invalidated"):
        cuda.stream.end_capture()
    assert not a.get().any()  # the stream works again, and nothing was done
    cuda.stream.begin_capture()
    cuda.stream.end_capture().launch()
    assert (cuda.host_reads, cuda.syncs, cuda.allocations) == (1, 0, 1)


def test_captures_begin_and_end_in_turn_or_not_at_all() -> None:
    cuda = FakeCuda()
    with pytest.raises(RuntimeError, match="not capturing"):
        cuda.stream.end_capture()
    cuda.stream.begin_capture()
    with pytest.raises(RuntimeError, match="capturing already"):
        cuda.stream.begin_capture()
    graph = cuda.stream.end_capture()
    cuda.stream.begin_capture()
    with pytest.raises(RuntimeError, match="not permitted"):
        graph.launch()
    with pytest.raises(RuntimeError, match="cannot capture"):
        FakeCuda(can_capture=False).stream.begin_capture()


def test_a_graph_does_not_keep_its_memory() -> None:
    cuda = FakeCuda()
    a = cuda.xp.zeros((3,), f32)
    cuda.stream.begin_capture()
    a[1:].fill(1)
    graph = cuda.stream.end_capture()
    graph.launch()
    del a
    with pytest.raises(RuntimeError, match=r"fill .* memory that was freed"):
        graph.launch()
