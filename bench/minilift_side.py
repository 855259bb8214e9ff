"""What minilift does in each benchmark, in its own process. The counterpart of bench/torch_side.py."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from bench.machine import environment_here
from bench.roofline import Roofline
from bench.worker import DROPOUT, LR, peak_memory, random_rows, seconds_per_call
from minilift import Adam, Lifter, LiftModel, load_poses, run_epoch
from minilift.files.weights import save_state_dict
from minilift.lift.build import build_optimiser, build_scheduler
from minilift.lift.fast.choose import fast_step
from minilift.lift.fast.step import TrainStep
from minilift.lift.run_epoch import pose_batches, training_batches
from minilift.lift.settings import TrainSettings
from minilift.nn import losses
from minilift.ops.blas.choose import VARIABLE, choose
from minilift.train.batches import hold_out
from minilift.train.epoch import train_epoch
from minilift.train.measure import Measure
from minilift.train.step import PlainStep


def about() -> dict[str, Any]:
    from threadpoolctl import threadpool_info

    pools: list[dict[str, Any]] = threadpool_info()
    blas = next((pool for pool in pools if pool["user_api"] == "blas"), {})
    unknown = "unknown to threadpoolctl"
    return {
        "numpy": np.__version__,
        "blas": blas.get("internal_api", f"BLAS {unknown}"),
        "blas_version": blas.get("version", unknown),
        "architecture": blas.get("architecture", unknown),
        "threads": blas.get("num_threads", unknown),
        "environment": environment_here(),
    }


class Step:
    """Training steps: TrainStep, or with the variant 'plain' the layers one by one; with 'mkl' its products
    are MKL's, faster or not."""

    def __init__(self, variant: str, threads: int, hidden: int, blocks: int) -> None:
        if variant == "mkl":
            os.environ[VARIABLE] = variant
        self.variant, self.threads, self.shape = variant, threads, (blocks, hidden)

    def prepare(self, batch: int) -> None:
        model = LiftModel(*self.shape, DROPOUT)
        adam = Adam(model.parameters(), LR)
        x, y = random_rows(batch, 30, seed=1), random_rows(batch, 45, seed=2)
        # As `Training.fit` does
        model.ops.gemm = choose(model.ops, batch, self.shape[1]).gemm  # type: ignore[attr-defined]
        step = (PlainStep if self.variant == "plain" else TrainStep)(model, losses.mpjpe, adam)
        self.call = lambda: step(x, y)
        self.time(0, 3)
        self.batch, self.parameters = batch, sum(p.size for p in model.parameters())
        self.roofline: Roofline | None = None

    def time(self, seconds: float, steps: int, cpu: bool = False) -> float:
        return seconds_per_call(self.call, seconds, steps, cpu)

    def floors(self, seconds: float, steps: int) -> dict[str, float]:
        if self.roofline is None:
            blocks, hidden = self.shape
            self.roofline = Roofline(self.batch, hidden, blocks, self.parameters, self.threads)
            self.roofline.floors(0, 2)  # warm
        return self.roofline.floors(seconds, steps)


def save_lifter(path: str, hidden: int, blocks: int) -> None:
    """Weights to predict with: random ones, and batch norms that have seen data."""
    rng, state = np.random.default_rng(0), LiftModel(blocks, hidden).state_dict()
    for key, value in state.items():
        if key.endswith("running_mean"):
            state[key] = rng.normal(0, 0.2, value.shape).astype(np.float32)
        elif key.endswith("running_var"):
            state[key] = rng.uniform(0.5, 1.5, value.shape).astype(np.float32)
    save_state_dict(path, state)


class Predict:
    def __init__(self, variant: str, threads: int, weights: str) -> None:
        self.lifter = Lifter.load(weights)

    def prepare(self, batch: int) -> float:
        """Also returns a number that depends on the whole result."""
        x = random_rows(batch, 30, seed=1).reshape(batch, 15, 2)
        self.call = lambda: self.lifter.predict(x)
        self.time(0, 3)
        return float(np.abs(self.call()).mean())

    def time(self, seconds: float, steps: int) -> float:
        return seconds_per_call(self.call, seconds, steps)


class Train:
    """A run of train.py, an epoch at a time."""

    def __init__(self, variant: str, threads: int, config: dict[str, Any]) -> None:
        c = TrainSettings(**{**config, "betas": tuple(config["betas"])})
        every, test = load_poses(c.data, need_3d=True), load_poses(c.test, need_3d=True)
        train = every.take(hold_out(len(every), c.val_fraction, c.seed)[0])
        self.model = LiftModel(c.blocks, c.hidden, c.dropout, init=c.init, seed=c.seed, device=c.device)
        if c.standardise:
            self.model.standardise(train.joint_2d, train.joint_3d)
        optimiser = build_optimiser(c, self.model)
        self.batches, self.test = (
            training_batches(train, self.model, c.batch_size),
            pose_batches(test, self.model),
        )
        self.scheduler = build_scheduler(c, optimiser, c.epochs * self.batches.steps)
        self.step = fast_step(self.model, losses.mpjpe, optimiser)
        self.measure = Measure(self.model, losses.mpjpe)

    def epoch(self, number: int) -> dict[str, float]:
        """Seconds of training, seconds of evaluation, and the test MPJPE after it."""
        began = time.perf_counter()
        train_epoch(number, self.batches, self.step, self.scheduler, bar=False)
        trained = time.perf_counter()
        found = self.measure(self.test)["loss"]
        return {"train": trained - began, "evaluate": time.perf_counter() - trained, "mpjpe": found}


class Memory:
    """Of a process that trains and does nothing else."""

    def __init__(self, variant: str, threads: int) -> None:
        self.imported = peak_memory()

    def train(self, data: str, batch_size: int, hidden: int, blocks: int) -> dict[str, int]:
        poses = load_poses(data, need_3d=True)
        model = LiftModel(blocks, hidden, DROPOUT)
        run_epoch(0, poses, model, Adam(model.parameters(), LR), batch_size=batch_size, progress=False)
        return {"imported": self.imported, "peak": peak_memory()}
