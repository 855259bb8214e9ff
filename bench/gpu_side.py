"""What the GPU's process does for `bench.gpu`: minilift and torch, in one context of the card.

`bench.worker` runs it. An exception is an answer here, not the end: {"error": ..., "trace": ...}.
"""

from __future__ import annotations

import functools
import gc
import math
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from bench.machine import environment_here

SWITCHES = ("CUPY_TF32", "CUPY_ACCELERATORS", "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG")
TORCH, SEVERAL = "torch ", 32  # steps of the warm-up


class Steps(Protocol):
    @property
    def notes(self) -> dict[str, Any]: ...

    def run(self, count: int) -> None: ...

    def wait(self) -> None: ...


def one_line(problem: BaseException) -> str:
    said = " ".join(f"{type(problem).__name__}: {problem}".split())
    return said if len(said) < 300 else f"{said[:297]}..."


def answered(task: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The task, with an exception as its answer."""

    @functools.wraps(task)
    def safe(*args: Any, **arguments: Any) -> dict[str, Any]:
        try:
            return task(*args, **arguments)
        except Exception as problem:
            traceback.print_exc()
            return {"error": one_line(problem), "trace": traceback.format_exc()[-3000:]}

    return safe


def about() -> dict[str, Any]:
    """Versions, and what minilift says of the card."""
    found: dict[str, Any] = {"environment": environment_here()}
    found["environment"] |= {name: os.environ[name] for name in SWITCHES if name in os.environ}

    @answered
    def torch_too() -> dict[str, Any]:
        import torch

        return {"version": torch.__version__, "cuda": torch.version.cuda}

    @answered
    def cupy_too() -> dict[str, Any]:
        import cupy

        return {"version": cupy.__version__}

    @answered
    def minilift_too() -> dict[str, Any]:
        from minilift import LiftModel

        ops: Any = LiftModel(1, 32, device="gpu").ops
        return dict(ops.gpu.describe())

    return found | {"torch": torch_too(), "cupy": cupy_too(), "minilift": minilift_too()}


class Gpu:
    """One answer to each task of `bench.gpu`."""

    def __init__(self, variant: str, threads: int, device: str, hidden: int) -> None:
        # Compiling in one thread takes most of a minute for each batch. Read when torch is imported
        os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(min(8, threads))
        self.device, self.hidden = device, hidden
        self.data: Any = None
        self.built: dict[str, tuple[Steps, int]] = {}

    def poses(self) -> Any:
        from bench import gpu_ours

        if self.data is None:
            self.data = gpu_ours.made_up()
        return self.data

    @answered
    def build(self, name: str, batch: int, precision: str, seconds: float) -> dict[str, Any]:
        """Make a contender and warm it up. A turn of it is as many steps as take `seconds`."""
        steps: Steps
        if name.startswith(TORCH):
            from bench.gpu_torch import TorchSteps

            steps = TorchSteps(name.removeprefix(TORCH), batch, precision, self.device, self.hidden)
        else:
            from bench import gpu_ours

            try:
                options = gpu_ours.VARIANTS[name]
                steps = gpu_ours.OurSteps(self.poses(), batch, precision, options, self.hidden)
            except gpu_ours.Unavailable as problem:
                return {"unavailable": str(problem)}
        for _ in range(2):
            each = self._turn(steps, SEVERAL)
        count = max(SEVERAL, math.ceil(seconds / each))
        self.built[name] = steps, count
        return {"count": count, "notes": steps.notes}

    @answered
    def time(self, name: str) -> dict[str, Any]:
        """Seconds of a step, of one turn."""
        return {"seconds": self._turn(*self.built[name])}

    def _turn(self, steps: Steps, count: int) -> float:
        steps.wait()
        began = time.perf_counter()
        steps.run(count)
        steps.wait()
        return (time.perf_counter() - began) / count

    @answered
    def drop(self) -> dict[str, Any]:
        """Forget all contenders, and give their memory back."""
        self.built.clear()
        gc.collect()
        if torch := sys.modules.get("torch"):
            torch.compiler.reset()  # or the compiled code of many shapes runs into a limit
            if self.device == "cuda" and torch.cuda.is_available():
                torch.cuda.empty_cache()
        if cupy := sys.modules.get("cupy"):
            cupy.get_default_memory_pool().free_all_blocks()
        return {}

    @answered
    def healthy(self) -> dict[str, Any]:
        """Whether the card still computes: after an illegal access nothing does in this process."""
        torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
        if torch and self.device == "cuda" and torch.cuda.is_available():
            torch.cuda.synchronize()
            assert torch.ones(8, device="cuda").sum().item() == 8
        if cupy and self.device == "cuda":
            cupy.cuda.Device().synchronize()
            assert int(cupy.ones(8).sum()) == 8
        return {}

    @answered
    def ceilings(self, batches: list[int], precisions: list[str]) -> dict[str, Any]:
        from bench.gpu_floor import ceilings

        return ceilings(batches, precisions)

    @answered
    def correct(self, batch: int, precision: str, path: str | None) -> dict[str, Any]:
        from bench import gpu_ours

        options = {} if path is None else {"path": path}
        try:
            return gpu_ours.compare(precision, options, batch, hidden=self.hidden)
        except gpu_ours.Unavailable as problem:
            return {"unavailable": str(problem)}

    @answered
    def kernels(self, batch: int, precision: str, path: str) -> dict[str, Any]:
        from bench import gpu_ours

        return gpu_ours.kernels(self.poses(), batch, precision, path, self.hidden)

    @answered
    def epoch(self) -> dict[str, Any]:
        from bench import gpu_ours

        return gpu_ours.epoch(hidden=self.hidden)
