"""Captured training steps: equal to those of the CPU, and without a read, a wait or an allocation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift.errors import InputError
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.fast.captured import STEPS, CapturedStep, CapturedSteps, not_captured
from minilift.lift.fast.choose import fast_step
from minilift.lift.fast.row_plan import RowPlan
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import mpjpe_metric, run_epoch, training_batches
from minilift.nn import losses
from minilift.optim import SGD, Adam, AdamW, OneCycleLR, StepLR
from minilift.studies.designs.block import Block
from minilift.train.step import Sums

POSES = make_poses(640)  # batches of 32: one launched as it is, a graph of 16, and three by ones
MANY = make_poses(1000)


class Run:
    """A model with all that trains it."""

    def __init__(
        self, device: str, batch: int = 32, *, loss: Any = losses.mpjpe, standardise: bool = True,
        p: float = 0.3, blocks: int = 2, hidden: int = 64, decay: float = 1e-3, poses: Any = POSES,
        tf32: bool = False, head: str = "xyz", adam: Any = Adam, max_norm: float = 0.0,
        **augmentation: float,
    ) -> None:  # fmt: skip
        self.model = LiftModel(blocks, hidden, p, seed=3, device=device, tf32=tf32, head=head)
        if standardise:
            self.model.standardise(poses.joint_2d, poses.joint_3d)
        self.adam = adam(self.model.parameters(), 1e-3, weight_decay=decay, max_norm=max_norm)
        self.schedule = OneCycleLR(self.adam, 2e-3, 100)
        self.batches = training_batches(poses, self.model, batch, Augmentation(**augmentation))
        self.step: Any = fast_step(self.model, loss, self.adam, mpjpe_metric())
        self.sums = self.step.sums

    @property
    def captured(self) -> CapturedSteps:
        """The steps of the latest epoch."""
        assert isinstance(self.step, CapturedStep)
        assert self.step.captured is not None
        return self.step.captured

    def epoch(self, number: int) -> None:
        self.sums.restore()
        for _ in self.step.epoch(number, self.batches, self.schedule):
            pass

    def steps(self, **options: Any) -> CapturedSteps:
        order = np.random.default_rng(0).permutation(len(self.batches))
        arguments = self.model, self.adam, self.schedule, self.sums
        return CapturedSteps(self.batches, order, *arguments, **options)


def assert_same(cpu: Run, gpu: Run, tolerance: float) -> None:
    """Everything that training leaves: sums, weights, statistics, moments, counters."""
    assert gpu.sums.averages() == pytest.approx(cpu.sums.averages(), rel=1e-5)
    expected, found = cpu.model.snapshot(), gpu.model.snapshot()
    for key, value in expected.items():
        limit = tolerance * np.abs(value).max(initial=1)
        np.testing.assert_allclose(found[key], value, rtol=0, atol=limit, err_msg=key)
    expected, found = cpu.adam.state_dict(), gpu.adam.state_dict()
    assert found["steps"] == expected["steps"]
    np.testing.assert_allclose(found["units"], expected["units"], rtol=1e-12)
    for key in ("m.0", "v.0"):
        limit = 1e-3 * np.abs(expected[key]).max()  # worst seen 2.3e-4, of squared errors in raw units
        np.testing.assert_allclose(found[key], expected[key], rtol=0, atol=limit, err_msg=key)
    assert gpu.schedule.t == cpu.schedule.t


CASES: dict[str, dict[str, Any]] = {
    "columns, 32": {"batch": 32},
    "columns, 64": {"batch": 64, "standardise": False},
    "columns, 96": {"batch": 96, "decay": 0.0},
    "columns, 128": {"batch": 128, "blocks": 1, "hidden": 128},
    "columns, three blocks": {"batch": 32, "blocks": 3},
    "columns, dropping nothing": {"batch": 32, "p": 0.0},
    "columns, dropping all": {"batch": 32, "p": 1.0},
    "columns, on rays": {"batch": 32, "head": "ray"},
    "columns, 128, on raw rays": {"batch": 128, "head": "ray", "standardise": False},
    "columns, AdamW": {"batch": 64, "adam": AdamW, "decay": 0.1},
    "columns, augmented": {
        "batch": 32,
        "head": "ray",
        "flip": 0.5,
        "noise": 0.001,
        "body": 1.0,
        "yaw": 180.0,
    },
    "rows, augmented": {"batch": 50, "mix": 0.5, "tilt": 10.0, "distance": 0.2, "joint_dropout": 0.1},
    "rows, clipped": {"batch": 64, "max_norm": 0.5},
    "rows, AdamW": {"batch": 50, "adam": AdamW, "decay": 0.1},
    "rows, 50": {"batch": 50},
    "rows, on rays": {"batch": 50, "head": "ray"},
    "rows, on raw rays": {"batch": 300, "head": "ray", "standardise": False, "loss": losses.mse},
    "rows, raw": {"batch": 50, "standardise": False, "decay": 0.0},
    "rows, composed": {"batch": 300},
    "rows, another width": {"batch": 32, "hidden": 50},
    "rows, no block": {"batch": 40, "blocks": 0},
    "rows, another loss": {"batch": 32, "loss": losses.mse},
    "rows, all in one": {"batch": 640},
}


@pytest.mark.parametrize("name", CASES)
def test_an_epoch_equals_that_of_the_cpu(gpu: Any, name: str) -> None:
    cpu, here = Run("cpu", **CASES[name]), Run("gpu", **CASES[name])
    cpu.epoch(0)
    here.epoch(0)
    assert here.captured.path == name.split(",")[0]
    assert here.captured.captured
    assert_same(cpu, here, 2e-5)


@pytest.mark.parametrize("name", ["columns, 32", "columns, augmented", "rows, 50", "rows, composed"])
def test_a_second_epoch_has_another_order_and_new_sums(gpu: Any, name: str) -> None:
    """The errors alone are compared: a ReLU on the other side of 0 soon makes other weights."""
    cpu, here = Run("cpu", **CASES[name]), Run("gpu", **CASES[name])
    for number in range(2):
        cpu.epoch(number)
        here.epoch(number)
        assert here.sums.averages() == pytest.approx(cpu.sums.averages(), rel=1e-3)


@pytest.mark.parametrize("path", ["rows", "columns"])
def test_fifty_steps_equal_those_of_the_cpu(gpu: Any, path: str) -> None:
    poses = make_poses(32 * 51)
    cpu, here = Run("cpu", poses=poses), Run("gpu", poses=poses)
    cpu.epoch(0)
    order = here.model.ops.generator((3, 0)).permutation(len(poses))
    arguments = here.model, here.adam, here.schedule, here.sums
    CapturedSteps(here.batches, order, *arguments, path=path).run(0, 51)
    assert_same(cpu, here, 2e-5)


def test_other_poses_are_in_every_step_and_other_masks(gpu: Any) -> None:
    """What a graph has frozen must not be what changes: with the same poses and no learning, losses differ by
    the masks alone."""
    run = Run("gpu", poses=make_poses(32 * STEPS), decay=0.0, p=0.5)
    run.adam.lr = 0.0
    run.schedule = None  # type: ignore[assignment]
    steps, seen = run.steps(), []
    before = 0.0
    for _ in range(5):
        steps.run(0, 1)
        total = run.sums.read()["loss"]
        seen.append(total - before)
        before = total
    assert len(set(seen)) == 5
    steps.run(0, STEPS)  # of one graph
    many = [half.norm.num_batches_tracked for half in steps.plan.halves]
    assert set(many) == {5 + STEPS}
    with pytest.raises(ValueError, match="batches 1 to 16 of 512 poses"):  # beyond lies other memory
        steps.run(1, STEPS)


def test_a_step_reads_waits_and_allocates_nothing(gpu: Any) -> None:
    for path in ("columns", "rows"):
        run = Run("gpu", poses=MANY)
        steps = run.steps(path=path)
        steps.run(0, 18)  # plain, then of a graph each of 1 and 16
        steps.run(0, STEPS)
        backend, held = gpu.backend, gpu.pool_bytes()
        before = [getattr(backend, name, 0) for name in ("host_reads", "syncs", "allocations")]
        steps.run(1, 2 * STEPS - 3)
        assert [getattr(backend, name, 0) for name in ("host_reads", "syncs", "allocations")] == before
        assert gpu.pool_bytes() == held
        assert getattr(backend, "off_stream", 0) == 0


def test_the_launches_of_a_step(gpu: Any) -> None:
    counts = []
    for path, batch, flip in (
        ("columns", 32, 0.0),
        ("columns", 32, 0.5),
        ("rows", 32, 0.0),
        ("rows", 300, 0.0),
    ):
        steps = Run("gpu", batch, flip=flip).steps(path=path)
        with gpu.recording() as launches:
            steps.plan.step(0)
        counts.append(len(launches))
    assert counts == [18, 21, 29, 32]


@pytest.mark.parametrize("path", ["rows", "columns"])
def test_the_order_of_threads_changes_no_bit(gpu: Any, path: str) -> None:
    if not hasattr(gpu.backend, "reversed_threads"):
        pytest.skip("a real GPU chooses the order itself")
    forwards, backwards = Run("gpu", p=0.4), Run("gpu", p=0.4)
    forwards.steps(path=path).run(0, 4)
    with gpu.backend.reversed_threads():
        backwards.steps(path=path).run(0, 4)
    expected, found = forwards.model.snapshot(), backwards.model.snapshot()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)
    assert forwards.sums.read() == backwards.sums.read()


@pytest.mark.parametrize("path", ["rows", "columns"])
def test_two_runs_give_the_same_bits(gpu: Any, path: str) -> None:
    states = []
    for _ in range(2):
        run = Run("gpu", poses=MANY)
        run.steps(path=path).run(0, 20)
        states.append(run.model.snapshot())
    for key, value in states[0].items():
        np.testing.assert_array_equal(states[1][key], value, err_msg=key)


@pytest.mark.parametrize("path", ["rows", "columns"])
def test_graphs_and_plain_launches_give_the_same_bits(gpu: Any, path: str) -> None:
    captured, plain = Run("gpu", poses=MANY), Run("gpu", poses=MANY)
    captured.steps(path=path).run(0, 25)
    plain.steps(path=path, capture=False).run(0, 25)
    expected, found = captured.model.snapshot(), plain.model.snapshot()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_where_nothing_can_be_captured_it_goes_on_and_says_so_once(
    gpu: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    if not hasattr(gpu.backend, "can_capture"):
        pytest.skip("a real GPU can")
    gpu.backend.can_capture = False
    cpu, here = Run("cpu"), Run("gpu")
    for number in range(2):
        cpu.epoch(number)
        here.epoch(number)
    assert_same(cpu, here, 2e-5)
    said = capfd.readouterr().err.splitlines()
    assert said == [
        "note: no CUDA graphs, but launch after launch: cudaErrorNotSupported: this device cannot capture"
    ]


def test_what_is_not_captured_is_trained_all_the_same(gpu: Any, capfd: pytest.CaptureFixture[str]) -> None:
    models = []
    for device in ("cpu", "gpu"):
        model = LiftModel(1, 16, seed=2, device=device)
        sgd = SGD(model.parameters(), 0.01, momentum=0.9)
        run_epoch(0, POSES, model, sgd, StepLR(sgd, 1), 100, progress=False)
        models.append(model.state_dict())
    for key, value in models[0].items():
        np.testing.assert_allclose(models[1][key], value, atol=1e-5, err_msg=key)
    assert "the optimiser is not an Adam of all the model's parameters" in capfd.readouterr().err


def test_blocks_of_ones_own_are_trained_on_a_gpu(gpu: Any, capfd: pytest.CaptureFixture[str]) -> None:
    models = []
    for device in ("cpu", "gpu"):
        model = LiftModel(1, 16, seed=2, device=device, make_block=Block("linear relu norm dropout"))
        sgd = SGD(model.parameters(), 0.01)  # Adam makes whole steps of rounding where a gradient is 0
        run_epoch(0, POSES, model, sgd, None, 100, progress=False)
        found = run_epoch(0, POSES, model, split="test")
        models.append({**model.state_dict(), "mpjpe": np.array(found.mpjpe)})
    for key, value in models[0].items():
        np.testing.assert_allclose(models[1][key], value, atol=1e-5, err_msg=key)
    assert "the model has blocks of its own" in capfd.readouterr().err


def test_why_steps_are_not_captured(gpu: Any) -> None:
    def own(*_: Any) -> Any:
        raise NotImplementedError

    run, cpu, double = Run("gpu"), Run("cpu"), LiftModel(1, 16, device="gpu", dtype="float64")
    some = Adam(run.model.parameters()[2:])
    given = run.batches, run.sums
    assert not_captured(run.model, run.adam, *given) == ""
    assert "not on a GPU" in not_captured(cpu.model, cpu.adam, cpu.batches, cpu.sums)
    assert "float64" in not_captured(double, run.adam, *given)
    assert "of all the model's parameters" in not_captured(run.model, some, *given)
    assert "a loss of your own" in not_captured(run.model, run.adam, run.batches, Sums(run.model.ops, own))
    others = Sums(run.model.ops, losses.mpjpe, {"own": own})
    assert "metrics other than" in not_captured(run.model, run.adam, run.batches, others)
    run.batches.augment = lambda step, x, y: (x, y)
    assert "an augmentation of your own" in not_captured(run.model, run.adam, *given)
    with pytest.raises(ValueError, match="no captured steps: the model is not on a GPU"):
        cpu.steps()
    for options, reason in (
        ({"batch": 40}, "a batch of 40, not 32, 64, 96, 128"),
        ({"hidden": 48}, "a width of 48, not a multiple of 64"),
        ({"blocks": 0}, "without blocks"),
        ({"loss": losses.mse}, "not the MPJPE"),
        ({"max_norm": 1.0}, "to be clipped"),
    ):
        with pytest.raises(ValueError, match=f"no path 'columns': .*{reason}"):
            Run("gpu", **options).steps(path="columns")


def test_a_captured_epoch_serves_again_until_something_else_is_wanted(gpu: Any) -> None:
    run = Run("gpu")
    run.epoch(0)
    first = run.captured
    run.epoch(1)
    assert run.captured is first
    run.model.standardise(POSES.joint_2d * 2, POSES.joint_3d)  # other arrays than those of the graph
    run.epoch(2)
    assert run.captured is not first
    second = run.captured
    run.model.dropouts[0].p = 0.1  # a number in a graph
    run.epoch(2)
    assert run.captured is not second
    run.batches = training_batches(POSES, run.model, 64)
    run.epoch(3)
    assert run.captured.batch_size == 64


def test_tf32_changes_the_products_of_rows_a_little(gpu: Any) -> None:
    """A card takes to TF32 where products are large; the stand-in always."""
    hidden = 64 if hasattr(gpu.backend, "can_capture") else 1024
    exact, rounded = Run("gpu", 300, hidden=hidden), Run("gpu", 300, hidden=hidden, tf32=True)
    for run in (exact, rounded):
        run.epoch(0)
    losses_seen = exact.sums.averages()["loss"], rounded.sums.averages()["loss"]
    assert losses_seen[0] != losses_seen[1]
    assert losses_seen[1] == pytest.approx(losses_seen[0], rel=1e-2)


def test_it_is_told_where_tf32_does_nothing(gpu: Any, capfd: pytest.CaptureFixture[str]) -> None:
    gpu.notes.clear()
    Run("gpu", 50, tf32=True).steps()
    Run("gpu", 32).steps()
    assert capfd.readouterr().err == ""
    for _ in range(2):
        Run("gpu", 32, tf32=True).steps()
    told = "tf32 changes nothing here: batches of 32, 64, 96, 128 have kernels of their own, in float32"
    assert capfd.readouterr().err == f"note: {told}\n"


def test_a_batch_with_more_parts_than_a_grid_has_blocks(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million poses; here of few, where a grid may have two."""
    whole, cut = Run("gpu", 100), Run("gpu", 100)
    whole.epoch(0)
    monkeypatch.setattr(RowPlan, "BLOCKS", 2)
    cut.epoch(0)
    expected, found = whole.model.snapshot(), cut.model.snapshot()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_a_divergent_run_is_seen(gpu: Any) -> None:
    run = Run("gpu")
    run.model.ops.fill(run.model.children["output"].bias.data, float("nan"))  # type: ignore[attr-defined]
    run.epoch(0)
    assert np.isnan(run.sums.averages()["loss"])


def test_too_few_poses_are_told(gpu: Any) -> None:
    with pytest.raises(InputError, match="at least 2 poses"):
        Run("gpu", poses=make_poses(1))


def test_placed_joints_are_trained_launch_by_launch(gpu: Any, capfd: pytest.CaptureFixture[str]) -> None:
    options: Any = {"head": "place", "batch": 160, "joint_dropout": 0.2}  # composed: 45 inputs
    cpu, here = Run("cpu", **options), Run("gpu", **options)
    cpu.epoch(0)
    here.epoch(0)
    assert here.step.captured is None
    assert type(cpu.step) is type(here.step.plain)
    assert_same(cpu, here, 2e-5)
    assert "without CUDA graphs: the model has the head 'place'" in capfd.readouterr().err
