"""A GPU on paper: it takes the launches of a training step and does none of them, to count what they cost.

It needs no card, no CuPy and no compiler. Arrays are NumPy's; memory that nobody writes costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from minilift import Adam, LiftModel
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.fast.captured import CapturedSteps
from minilift.lift.run_epoch import training_batches
from minilift.nn import losses
from minilift.ops.cuda.gpu import Gpu, Launch
from minilift.train.step import Loss, Sums


class Sheet(np.ndarray):
    """An array with the address that a kernel takes."""

    @property
    def data(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(ptr=self.ctypes.data)

    def get(self) -> np.ndarray:
        return np.array(self)


class Paper:
    """The surface of `minilift.ops.cuda.backend.Cuda` that a training step needs."""

    index = 0
    OutOfMemory = MemoryError

    def __init__(self) -> None:
        def empty(shape: tuple[int, ...], dtype: str) -> Sheet:
            return np.zeros(shape, dtype).view(Sheet)  # the system's zeros: no memory until they are written

        self.xp = SimpleNamespace(ndarray=Sheet, empty=empty, zeros=empty)
        self.stream = SimpleNamespace(ptr=0, synchronize=lambda: None)
        self.blas = mock.MagicMock(**{f"{name}.return_value": 0 for name in BLAS})

    @contextmanager
    def active(self) -> Iterator[None]:
        yield

    def compile(self, source: str, name: str, options: tuple[str, ...]) -> Any:
        return SimpleNamespace(get_function=lambda kernel: lambda grid, block, args: None)

    def upload(self, host: np.ndarray, out: Sheet) -> None:
        out[...] = host.reshape(out.shape)

    def download(self, array: Sheet) -> np.ndarray:
        return array.get()

    def free_bytes(self) -> int:
        return 1 << 62

    def pool_bytes(self) -> int:
        return 0


BLAS = ("cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasGemmEx")


def step_on_paper(batch: int, hidden: int = 1024, path: str | None = None) -> list[Launch]:
    """The launches of a training step of the benchmarks' network on `batch` poses."""
    from bench.epoch import poses
    from bench.worker import DROPOUT

    with mock.patch("minilift.ops.cuda.cupy_core.open_gpu", return_value=Gpu(Paper())):
        model = LiftModel(2, hidden, DROPOUT, device="gpu")
    return launches_of(model, poses(batch, mapped=False, folder=Path()), batch, path=path)


def launches_of(
    model: LiftModel, data: Any, batch: int, loss: Loss = losses.mpjpe, *, path: str | None = None,
    max_norm: float = 0.0, **augmentation: float,
) -> list[Launch]:  # fmt: skip
    """The launches of a training step of a model on a GPU, of whatever kind."""
    batches = training_batches(data, model, batch, Augmentation(**augmentation))
    adam = Adam(model.parameters(), max_norm=max_norm)
    order = np.arange(len(data))
    steps = CapturedSteps(batches, order, model, adam, None, Sums(model.ops, loss), path=path)
    gpu: Gpu = model.ops.gpu  # type: ignore[attr-defined]
    with gpu.recording() as launches:
        steps.plan.step(0)
    return list(launches)
