"""minilift's training steps on a GPU: to time them, kernel by kernel too, and to see that they are right.

A step is the whole of it: the gather of the batch from the data set on the device, dropout's counters, and
adding up the loss.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.epoch import poses
from bench.gpu_floor import seconds_each
from bench.worker import DROPOUT, LR
from minilift import Adam, LiftModel, Poses, load_poses
from minilift.errors import InputError
from minilift.lift.fast.captured import CapturedStep
from minilift.lift.fast.step import TrainStep
from minilift.lift.run_epoch import training_batches
from minilift.nn import losses
from minilift.poses.poses import save_poses
from minilift.train.epoch import train_epoch
from minilift.train.step import Sums

POSES = 62_437  # as many as the course has to train on
SEED = 0
VARIANTS: dict[str, dict[str, Any]] = {  # what CapturedSteps is told
    "minilift": {},
    "minilift rows": {"path": "rows"},
    "minilift columns": {"path": "columns"},
    "minilift launches": {"capture": False},
}
COPIES = 20  # of a launch in the graph that times it
TINY_STEPS = 18  # a plain one, a graph of 16, and a graph of one
GRAPH_LIMIT = 1e-6  # of a relative difference that should be 0

State = dict[str, np.ndarray]


class Unavailable(Exception):
    """What this batch cannot have, and that is no failure: its path is made for other batches."""


def made_up(count: int = POSES) -> Poses:
    return poses(count, mapped=False, folder=Path())


def new_model(precision: str, hidden: int = 1024) -> LiftModel:
    return LiftModel(2, hidden, DROPOUT, seed=SEED, device="gpu", tf32=precision == "tf32")


class OurSteps:
    """run(count) starts so many training steps, wait() waits for them. A new epoch has the same order."""

    def __init__(
        self, data: Poses, batch: int, precision: str, options: dict[str, Any], hidden: int = 1024,
        lr: float = LR,
    ) -> None:  # fmt: skip
        from minilift.lift.fast.captured import CapturedSteps

        self.model = model = new_model(precision, hidden)
        batches, self.sums = training_batches(data, model, batch), Sums(model.ops, losses.mpjpe)
        self.adam = Adam(model.parameters(), lr)
        given = batches, order(model, len(data)), model, self.adam, None, self.sums
        try:
            self.steps = CapturedSteps(*given, **options)
        except ValueError as problem:
            if "path" in options and not isinstance(problem, InputError):
                raise Unavailable(str(problem)) from problem
            raise
        self.wanted = options.get("capture", True)
        self.next, self.batches = 0, batches.steps

    def run(self, count: int) -> None:
        while count:
            some = min(count, self.batches - self.next)
            self.steps.run(self.next, some)
            self.next = (self.next + some) % self.batches
            count -= some

    def wait(self) -> None:
        self.model.ops.synchronize()

    @property
    def notes(self) -> dict[str, Any]:
        found: dict[str, Any] = {"path": self.steps.path, "captured": bool(self.steps.captured)}
        if self.wanted and not self.steps.captured:
            found["remark"] = f"launch after launch: {self.steps.why}"
        return found


def order(model: LiftModel, count: int) -> np.ndarray:
    return model.ops.generator((SEED, 0)).permutation(count)


# ---- is it right? ----------------------------------------------------------------------------------


def compare(
    precision: str, options: dict[str, Any], batch: int = 32, count: int = 3, hidden: int = 1024
) -> dict[str, Any]:
    """Relative differences to the same steps in float64 on NumPy: of the loss, of the weights and of what the
    steps added to them, and of the running statistics; and the same of NumPy in float32, as a measure.

    Adam's first steps are as large for tiny gradients as for others, so there rounding shows in the update.
    `graph` is how far a graph of 16 steps is from its launches, the same kernels on the same numbers.
    """
    data = made_up((count + 1) * batch)
    ours = OurSteps(data, batch, precision, options, hidden, lr=1e-3)
    start = ours.model.state_dict()
    ours.run(count)
    ours.wait()
    found = ours.sums.read()["loss"], ours.model.state_dict()
    wanted, single = (on_the_host(data, start, batch, count, dtype) for dtype in ("float64", "float32"))
    result: dict[str, Any] = {
        "ours": differences(found, wanted, start), "numpy": differences(single, wanted, start)
    }  # fmt: skip
    update = 10 * result["numpy"]["update"] + 5e-3  # one unit on the other side of 0 changes it by 2e-3
    limits = {"loss": 1e-5, "weights": 1e-2, "update": update, "statistics": 1e-4}
    if precision == "tf32":  # 10 bits of a number go into a product
        limits = {"loss": 1e-2, "weights": 0.1, "update": 0.5, "statistics": 1e-2}
    right = all(result["ours"][name] <= limit for name, limit in limits.items())  # NaN is not
    if options.get("capture", True):
        result["graph"] = graph_apart(precision, options, batch, hidden)
        right = right and result["graph"] <= GRAPH_LIMIT
    what = {"precision": precision, "batch": batch, "count": count, "hidden": hidden}
    return {**result, "limits": limits, "right": right, "loss": found[0] / count, **what, **ours.notes}


def graph_apart(precision: str, options: dict[str, Any], batch: int, hidden: int) -> float:
    """The relative difference of weights after a step, a graph of many and a graph of one: to launches."""
    data, states = made_up((TINY_STEPS + 1) * batch), []
    for capture in (True, False):
        ours = OurSteps(data, batch, precision, {**options, "capture": capture}, hidden, lr=1e-3)
        ours.run(TINY_STEPS)
        ours.wait()
        states.append(flat(ours.model.state_dict(), statistics=False))
    return _relative(*states)


def on_the_host(data: Poses, start: State, batch: int, count: int, dtype: str) -> tuple[float, State]:
    """The sum of the losses, and the state after it."""
    model = LiftModel.from_state_dict(start, dropout=DROPOUT, seed=SEED, dtype=dtype)
    step = TrainStep(model, losses.mpjpe, Adam(model.parameters(), 1e-3))
    index = order(model, len(data))
    for i in range(count):
        some = data.take(index[i * batch : (i + 1) * batch])
        assert some.joint_3d is not None
        step(*(model.ops.asarray(a.reshape(batch, -1)) for a in (some.joint_2d, some.joint_3d)))
    return step.sums.read()["loss"], model.state_dict()


def differences(found: tuple[float, State], wanted: tuple[float, State], start: State) -> dict[str, float]:
    ours, theirs, before = (flat(state, False) for state in (found[1], wanted[1], start))
    far = {"loss": abs(found[0] - wanted[0]) / abs(wanted[0]), "weights": _relative(ours, theirs)}
    far["update"] = _relative(ours - before, theirs - before)
    far["statistics"] = _relative(flat(found[1], True), flat(wanted[1], True))
    return far


def flat(state: State, statistics: bool) -> np.ndarray:
    """All weights, or all running statistics, as one vector."""
    keys = [k for k in state if "num_batches" not in k and ("running_" in k) is statistics]
    return np.concatenate([np.asarray(state[k], np.float64).ravel() for k in keys])


def _relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def tiny() -> list[dict[str, Any]]:
    """A handful of steps of a small network on both paths, with a graph and without: for a memory checker."""
    try:
        import cupy

        cupy.cuda.set_allocator(None)  # no pool: a checker sees where each array ends
    except Exception:
        pass  # then with the pool
    results: list[dict[str, Any]] = []
    for path in ("columns", "rows"):
        for capture in (True, False):
            options: dict[str, Any] = {"path": path, "capture": capture}
            try:
                results.append(compare("fp32", options, count=TINY_STEPS, hidden=64) | options)
            except Exception as problem:
                said = f"{type(problem).__name__}: {problem}"
                results.append({**options, "right": False, "error": said})
    return results


# ---- where the time goes ---------------------------------------------------------------------------


def kernels(data: Poses, batch: int, precision: str, path: str, hidden: int = 1024) -> dict[str, Any]:
    """Microseconds of every launch of a step, one at a time: replays of a graph that holds copies of it.

    What a launch reads has just been read, so little of it comes from memory; and nothing runs beside it.
    """
    ours = OurSteps(data, batch, precision, {"path": path}, hidden)
    ours.run(4)
    ours.wait()
    gpu: Any = ours.model.ops.gpu  # type: ignore[attr-defined]
    with gpu.recording() as launches:
        ours.steps.plan.step(0)
    each: list[dict[str, Any]] = []
    for launch in list(launches):
        try:
            each.append({"name": launch.name, "us": launch_seconds(gpu, launch.run) * 1e6})
        except Exception as problem:
            each.append({"name": launch.name, "us": float("nan"), "error": str(problem)[:300]})
    return {"batch": batch, "precision": precision, **ours.notes, "launches": each}


def launch_seconds(gpu: Any, launch: Callable[[], object]) -> float:
    def copies() -> None:
        for _ in range(COPIES):
            launch()

    replay = gpu.capture(copies)

    def run(count: int) -> None:
        for _ in range(count):
            replay()

    return seconds_each(run, gpu.synchronize, seconds=0.004) / COPIES


# ---- an epoch --------------------------------------------------------------------------------------


def epoch(batch: int = 64, count: int = POSES, hidden: int = 1024) -> dict[str, Any]:
    """Seconds from the file to the device, of epochs on what lies there, as train.py has them, and of one on
    poses in the host's memory, which are uploaded first. All with the bar and its loss.
    """
    model = new_model("fp32", hidden)
    adam = Adam(model.parameters(), LR)
    clock = Clock(model)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "poses.npz"
        save_poses(file, made_up(count))
        clock.lap()
        data = load_poses(file)
        batches = training_batches(data, model, batch)
        batches.on(model.ops)
        seconds = {"load": clock.lap()}
    lost, step = [], CapturedStep(model, losses.mpjpe, adam)
    for number, name in enumerate(("first", "second", "third")):
        lost.append(train_epoch(number, batches, step)["loss"])
        seconds[name] = clock.lap()
    held = int(model.ops.gpu.pool_bytes())  # type: ignore[attr-defined]
    lost.append(train_epoch(3, training_batches(data, model, batch), step)["loss"])
    seconds["from_host"] = clock.lap()
    steps = batches.steps
    rate = {"steps": steps, "steps_per_s": steps / seconds["second"], "pool_bytes": held}
    return {"batch": batch, "poses": count, "seconds": seconds, "losses": lost, **rate}


class Clock:
    """Seconds from one lap to the next, waiting for the device."""

    def __init__(self, model: LiftModel) -> None:
        self.ops, self.then = model.ops, 0.0

    def lap(self) -> float:
        self.ops.synchronize()
        before, self.then = self.then, time.perf_counter()
        return self.then - before
