"""The captured step, compared with the plain one before a training on a GPU begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_captured import Run

from minilift.errors import OutOfMemory
from minilift.lift.fast import check
from minilift.lift.fast.captured import CapturedSteps
from minilift.ops.cuda.backend import unusable

CASES: dict[str, dict[str, Any]] = {
    "columns": {"batch": 32, "head": "ray", "flip": 0.5},
    "rows": {"batch": 50, "max_norm": 0.5},
    "tf32": {"batch": 100, "tf32": True},
}


def batch(run: Run, first: int) -> tuple[Any, Any]:
    return next(run.batches.epoch(0, run.model.ops, first, run.adam.steps))


def steps(run: Run) -> CapturedSteps:
    order = run.batches.order(0, run.model.ops)
    return CapturedSteps(run.batches, order, run.model, run.adam, run.schedule, run.sums)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("trained", [0, 3])
def test_both_do_the_same_and_leave_all_as_it_was(gpu: Any, name: str, trained: int) -> None:
    run = Run("gpu", **CASES[name])
    captured = steps(run)
    captured.run(0, trained)
    before = {**run.model.snapshot(), **run.adam.state_dict(), **run.sums.read()}
    counted = run.sums.batches, run.adam.units, run.schedule.t, run.adam.lr
    found = check.apart(captured, run.step.plain, 2, *batch(run, 2))
    assert found.keys() == check.LIMITS.keys()
    assert check.beyond(found, CASES[name].get("tf32", False)) == ""
    assert 2 in {len(captured.graphs), 1 + len(captured.graphs)}  # it was a graph that was compared
    after = {**run.model.snapshot(), **run.adam.state_dict(), **run.sums.read()}
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value, err_msg=key)
    assert counted == (run.sums.batches, run.adam.units, run.schedule.t, run.adam.lr)


# What a kernel that is wrong may do
def _no_running_statistics(captured: CapturedSteps) -> None:
    step, ops = captured.plan.step, captured.model.ops

    def spoilt(number: int) -> None:
        step(number)
        ops.fill(captured.plan.halves[0].norm.running_mean, 0.0)

    captured.plan.step = spoilt  # type: ignore[method-assign]


def _another_batch(captured: CapturedSteps) -> None:
    captured.gpu.upload(captured.batches.order(7, captured.model.ops).astype(np.int32), captured.order)


def _larger_steps(captured: CapturedSteps) -> None:
    write = captured._write

    def larger(row: np.ndarray, number: int) -> None:
        write(row, number)
        row[3:4].view(np.float32)[:] *= 1.5  # Adam's size

    captured._write = larger  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(_another_batch, "loss"), (_larger_steps, "update"), (_no_running_statistics, "statistics")],
)
def test_what_is_wrong_is_found_and_told_and_the_plain_step_trains(
    gpu: Any, wrong: Any, told: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cpu, here = Run("cpu", 50), Run("gpu", 50)
    init = CapturedSteps.__init__

    def spoilt(self: CapturedSteps, *given: Any, **options: Any) -> None:
        init(self, *given, **options)
        wrong(self)

    monkeypatch.setattr(CapturedSteps, "__init__", spoilt)
    gpu.notes.clear()
    for number in range(2):
        cpu.epoch(number)
        here.epoch(number)
    said = capfd.readouterr().err
    assert said.startswith("note: launch after launch, without CUDA graphs: it trains otherwise with them (")
    assert f"{told} " in said
    assert said.count("\n") == 1
    assert here.step.captured is None
    assert here.sums.averages() == pytest.approx(cpu.sums.averages(), rel=1e-3)
    assert here.adam.steps == cpu.adam.steps


def test_a_loss_that_is_not_finite_says_nothing(gpu: Any) -> None:
    run = Run("gpu")
    run.model.ops.fill(run.model.children["output"].bias.data, float("nan"))  # type: ignore[attr-defined]
    assert check.apart(steps(run), run.step.plain, 0, *batch(run, 0)) == {}
    assert check.beyond({"loss": float("nan")}, True) == "loss nan"


def test_without_memory_for_it_training_goes_on(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> Any:
        raise unusable(0, "out of memory", OutOfMemory)

    run = Run("gpu", 50)
    monkeypatch.setattr(type(run.step.plain), "__call__", full)
    gpu.notes.clear()
    run.epoch(0)
    assert run.captured.captured
    assert run.adam.steps == run.batches.steps
    assert "no memory to compare the captured step with the plain one" in capfd.readouterr().err
