"""Several threads and one GPU: each is answered as if it were alone, and a capture is of its own work."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minilift import Lifter, LiftModel
from minilift.ops import get_ops
from minilift.ops.cuda.backend import SLOT_BYTES, SLOTS, Cuda
from minilift.ops.cuda.gpu import Gpu

THREADS = 8


def in_threads(job: Callable[[int], Any]) -> list[Any]:
    """What job(0) ... job(7) give, all begun at once."""
    start = threading.Barrier(THREADS)

    def begin(i: int) -> Any:
        start.wait(10)
        return job(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


@pytest.mark.parametrize("head", ["xyz", "ray"])
def test_a_lifter_answers_eight_threads_as_it_does_one(gpu: Any, head: str) -> None:
    lifter = Lifter(LiftModel(1, 32, seed=3, device="gpu", head=head))
    rng = np.random.default_rng(0)
    poses = [rng.standard_normal((5 + i, 15, 2)).astype(np.float32) for i in range(THREADS)]
    alone = [lifter.predict(points) for points in poses]
    for _ in range(3):
        for found, expected in zip(in_threads(lambda i: lifter.predict(poses[i])), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_lifter_on_the_cpu_answers_eight_threads_as_it_does_one() -> None:
    lifter = Lifter(LiftModel(2, 256, seed=3))
    rng = np.random.default_rng(0)
    poses = [rng.standard_normal((1 + 40 * i, 15, 2)).astype(np.float32) for i in range(THREADS)]
    alone = [lifter.predict(points) for points in poses]
    for _ in range(5):
        for found, expected in zip(in_threads(lambda i: lifter.predict(poses[i])), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


class Device:
    """Just enough of CuPy for `Cuda.upload`: copies read their source late, as those of a stream do."""

    class Event:
        def __init__(self, disable_timing: bool) -> None: ...
        def record(self, stream: Any) -> None: ...
        def synchronize(self) -> None: ...

    def __init__(self) -> None:
        self.ndarray = SimpleNamespace
        self.cuda = SimpleNamespace(Event=self.Event, alloc_pinned_memory=bytearray)


class Here:
    """A device or a stream: something to be within."""

    ptr = 0

    def __enter__(self) -> None: ...
    def __exit__(self, *exc: object) -> None: ...


def array(size: int) -> SimpleNamespace:
    """A device array, as far as a small upload looks at it."""
    kept = np.zeros(size, np.float32)

    def copy(address: int, count: int, stream: Any) -> None:
        time.sleep(1e-4)
        ctypes.memmove(kept.ctypes.data, address, count)

    return SimpleNamespace(kept=kept, data=SimpleNamespace(copy_from_host_async=copy))


def test_threads_do_not_share_a_slot_of_the_upload_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda.__new__(Cuda)
    cuda.xp, cuda.index, cuda.device, cuda.stream = Device(), 0, Here(), Here()
    cuda.blas = SimpleNamespace(**dict.fromkeys(("cublasCreate_v2", "cublasSetStream_v2"), lambda *a: 0))  # type: ignore[assignment]
    cuda.blas.cublasSetWorkspace_v2 = lambda *a: 0
    cuda._pinned, cuda._sent = None, 0
    memory = SimpleNamespace(data=SimpleNamespace(ptr=0))
    monkeypatch.setattr(Gpu, "empty", lambda self, shape, dtype: memory)
    gpu = Gpu(cuda)

    def send(thread: int) -> int:
        wrong = 0
        for i in range(2 * SLOTS):
            host = np.full(SLOT_BYTES // 4, 1000 * thread + i, np.float32)
            out = array(host.size)
            gpu.upload(host, out)
            wrong += not np.array_equal(out.kept, host)
        return wrong

    assert sum(in_threads(send)) == 0


def test_a_capture_has_the_device_for_itself(gpu: Any) -> None:
    """What another thread launches meanwhile runs after it, and is not repeated with the graph."""
    ops, asked = get_ops("gpu"), threading.Event()
    mine, other = ops.zeros((4,)), ops.zeros((4,))
    ops.add(mine, ops.ones((4,)), out=mine)  # compiled before the capture
    one = ops.ones((4,))

    def meanwhile() -> None:
        asked.set()
        ops.add(other, one, out=other)

    thread = threading.Thread(target=meanwhile)

    def work() -> None:
        thread.start()
        asked.wait(10)
        time.sleep(0.05)
        ops.add(mine, one, out=mine)

    graph = ops.gpu.capture(work)
    thread.join(10)
    for _ in range(3):
        graph()
    np.testing.assert_array_equal(ops.to_host(other), np.ones(4))
    np.testing.assert_array_equal(ops.to_host(mine), np.full(4, 4.0))
