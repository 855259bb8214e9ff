"""A few seconds of work for a GPU, whose results are known: does it do what the CPU does?"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.fast.captured import STEPS, CapturedSteps
from minilift.lift.fast.check import LIMITS, apart, beyond
from minilift.lift.fast.step import TrainStep
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.optim import Adam
from minilift.train.batches import Batches
from minilift.train.step import Sums

BATCH = 64
PREDICTED = 1e-3  # of the largest number: how far a prediction of the GPU may be from the CPU's


class Verdict(NamedTuple):
    """Whether all was right, and what to say of it."""

    passed: bool
    told: str


def self_test(device: str, seconds: float = 5.0, hidden: int = 1024) -> Verdict:
    """Train and predict a little on made-up rows: captured steps against launches, the GPU against the CPU.

    It takes no more than about `seconds`, besides what has to be compiled. Raises InputError where the device
    cannot be had. Whatever else goes wrong is told.
    """
    began = time.perf_counter()
    try:
        wrong, rate = _tried(device, began + seconds, hidden)
    except RuntimeError as problem:  # CUDA's errors are of that kind
        return Verdict(False, f"FAILED: {' '.join(str(problem).split())[:200]}")
    took = time.perf_counter() - began
    if wrong:
        return Verdict(False, f"FAILED after {took:.1f} s: {'; '.join(wrong)}")
    told = f"graphs, launches and the CPU agree; {rate:,.0f} steps of {BATCH} rows a second, {hidden} wide"
    return Verdict(True, f"passed in {took:.1f} s: {told}")


def _tried(device: str, end: float, hidden: int) -> tuple[list[str], float]:
    """What was wrong, and training steps a second."""
    rng = np.random.default_rng(0)
    model = LiftModel(2, hidden, 0.1, seed=0, device=device)
    columns = model.input_nodes, model.joint_nodes
    x, y = (rng.standard_normal((BATCH * STEPS, n)).astype(np.float32) for n in columns)
    ops: Any = model.ops
    adam, batches = Adam(model.parameters()), Batches(x, y, BATCH)
    start, wrong = model.state_dict(), []
    step = TrainStep(model, losses.mpjpe, adam)
    first = next(batches.epoch(0, ops))
    for path in ("rows", "columns"):  # products by cuBLAS, and in kernels of our own
        order = batches.order(0, ops)
        steps = CapturedSteps(batches, order, model, adam, None, step.sums, path=path)
        if far := beyond(apart(steps, step, 0, *first), ops.tf32):
            wrong.append(f"a graph is not what was launched ({path}: {far} apart)")
        if steps.why:
            wrong.append(f"no CUDA graphs ({steps.why})")
    wrong += _against_the_cpu(model, start, step.sums, steps, tuple(map(ops.to_host, first)))
    return wrong, _rate(steps, end)


def _against_the_cpu(
    model: LiftModel, start: dict[str, Any], sums: Sums, steps: CapturedSteps, first: tuple[Any, ...]
) -> list[str]:
    """The loss of the first batch, and what is then predicted from other rows."""
    cpu = LiftModel.from_state_dict(start, dropout=0.1, seed=0)
    step = TrainStep(cpu, losses.mpjpe, Adam(cpu.parameters()))
    step(*first)
    steps.run(0, 1)
    wrong, (here, there) = [], (each.read()["loss"] for each in (sums, step.sums))
    if not abs(here - there) <= LIMITS["loss"] * abs(there):
        wrong.append(f"a loss of {here:g}, where the CPU has {there:g}")
    rows, found = first[0], []
    for each in (LiftModel.from_state_dict(start, device=model.device), cpu.from_state_dict(start)):
        out = np.empty((len(rows), each.joint_nodes), np.float32)
        each.predictor().lift(rows, out)
        found.append(out)
    far = np.abs(found[0] - found[1]).max()
    if not far <= PREDICTED * np.abs(found[1]).max():
        wrong.append(f"predictions are {far:.1e} from the CPU's")
    return wrong


def _rate(steps: CapturedSteps, end: float) -> float:
    """Training steps a second, of what fits into a second, or into what is left."""
    ops, count = steps.model.ops, 0
    steps.run(0, STEPS)  # captured by now
    ops.synchronize()
    began = time.perf_counter()
    while True:
        for _ in range(4):
            steps.run(0, STEPS)
        ops.synchronize()
        count += 4 * STEPS
        if time.perf_counter() > min(began + 1.0, end):
            return count / (time.perf_counter() - began)
