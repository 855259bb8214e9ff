"""What torch does in each benchmark, in its own process. The counterpart of bench/minilift_side.py."""

from __future__ import annotations

import pickle
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from bench.machine import environment_here
from bench.torch_net import LiftNet, adam_of, load_net, loss_of, train_epoch, train_step
from bench.worker import DROPOUT, LR, peak_memory, random_rows, seconds_per_call


def about() -> dict[str, Any]:
    built = torch.__config__.show()
    mkl, other = (
        re.search(r"Math Kernel Library Version ([\d.]+)", built),
        re.search(r"BLAS_INFO=(\w+)", built),
    )
    return {
        "torch": torch.__version__,
        "blas": f"MKL {mkl[1]}" if mkl else other[1] if other else "BLAS unknown",
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "default_adam": _default_adam(),
        "environment": environment_here(),
    }


def _default_adam() -> str:
    """What torch.optim.Adam(params, lr) takes here; torch tells it nowhere in public."""
    try:
        from torch.optim.optimizer import _default_to_fused_or_foreach
    except ImportError:
        return "loop"
    some: list[torch.Tensor] = [torch.nn.Parameter(torch.zeros(1))]
    fused, foreach = _default_to_fused_or_foreach(some, False, use_fused=False)
    return "fused" if fused else "foreach" if foreach else "loop"


class Step:
    def __init__(self, variant: str, threads: int, hidden: int, blocks: int) -> None:
        torch.set_num_threads(threads)
        self.variant, self.shape = variant, (blocks, hidden)

    def prepare(self, batch: int) -> None:
        torch.manual_seed(0)
        net = LiftNet(*self.shape, DROPOUT)
        x, y = (torch.from_numpy(random_rows(batch, *what)) for what in ((30, 1), (45, 2)))
        loss, adam = loss_of(net, self.variant), adam_of(net, self.variant, LR)
        self.call = lambda: train_step(loss, adam, x, y)
        self.time(0, 3)

    def time(self, seconds: float, steps: int, cpu: bool = False) -> float:
        return seconds_per_call(self.call, seconds, steps, cpu)


class Predict:
    """From a NumPy array to a NumPy array, as Lifter.predict."""

    def __init__(self, variant: str, threads: int, weights: str) -> None:
        torch.set_num_threads(threads)
        self.variant, self.net = variant, load_net(weights)

    def prepare(self, batch: int) -> float:
        """Also returns a number that depends on the whole result."""
        points = random_rows(batch, 30, seed=1).reshape(batch, 15, 2)
        with torch.inference_mode():
            net = self._built(torch.from_numpy(points).reshape(batch, 30))

        def call() -> np.ndarray:
            with torch.inference_mode():
                return net(torch.from_numpy(points).reshape(batch, 30)).numpy().reshape(batch, 15, 3)

        self.call = call
        self.time(0, 5)
        return float(np.abs(call()).mean())

    def _built(self, example: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        if self.variant == "eager":
            return self.net
        if self.variant == "compile":
            torch.compiler.reset()
            # freezing lets the compiler fold and repack the weights, as tracing does
            return torch.compile(self.net, dynamic=False, options={"freezing": True})
        with warnings.catch_warnings():  # torch.jit is deprecated, and still the fastest eager way
            warnings.simplefilter("ignore")
            return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(self.net, example)))

    def time(self, seconds: float, steps: int) -> float:
        return seconds_per_call(self.call, seconds, steps)


class Train:
    """A run of bench/torch_train.py, an epoch at a time."""

    def __init__(self, variant: str, threads: int, config: dict[str, Any]) -> None:
        from bench.torch_train import Run
        from minilift.lift.settings import TrainSettings

        torch.set_num_threads(threads)
        self.run = Run(TrainSettings(**{**config, "betas": tuple(config["betas"])}), variant)

    def epoch(self, number: int) -> dict[str, float]:
        """Seconds of training, seconds of evaluation, and the test MPJPE after it."""
        began = time.perf_counter()
        self.run.epoch(number)
        trained = time.perf_counter()
        found = self.run.error("test")
        return {"train": trained - began, "evaluate": time.perf_counter() - trained, "mpjpe": found}


class Memory:
    """Of a process that trains and does nothing else. It never imports minilift."""

    def __init__(self, variant: str, threads: int) -> None:
        self.imported = peak_memory()
        torch.set_num_threads(threads)
        self.variant = variant

    def train(self, data: str, batch_size: int, hidden: int, blocks: int) -> dict[str, int]:
        with open(data, "rb") as file:
            poses = pickle.load(file)
        x, y = (torch.from_numpy(poses[key]).flatten(1) for key in ("joint_2d_1", "joint_3d"))
        net = LiftNet(blocks, hidden, DROPOUT)
        loss, adam = loss_of(net, self.variant), adam_of(net, self.variant, LR)
        train_epoch(loss, adam, x, y, torch.randperm(len(x)), batch_size)
        return {"imported": self.imported, "peak": peak_memory()}
