"""Epochs, evaluation, and a Trainer that loses nothing."""

from __future__ import annotations

import csv
import errno
import os
import signal
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, InputError, Lifter, LiftModel, StepLR, cal_mpjpe, evaluate, load_poses, run_epoch
from minilift.files.checkpoint import load_checkpoint
from minilift.files.weights import load_state_dict
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.fast import step
from minilift.lift.fast.step import TrainStep
from minilift.lift.run_epoch import training_batches
from minilift.lift.training import Training, lift_training
from minilift.nn import losses
from minilift.ops import NumpyOps
from minilift.poses.poses import Poses
from minilift.train.batches import hold_out


def small(data: Poses, seed: int = 0, **options: Any) -> tuple[LiftModel, Adam]:
    model = LiftModel(1, 16, 0.2, seed=seed, **options)
    model.standardise(data.joint_2d, data.joint_3d)
    return model, Adam(model.parameters(), lr=3e-3)


# ---- run_epoch -------------------------------------------------------------------------------------


def test_training_brings_the_error_down() -> None:
    data = make_poses(2000)
    model, adam = small(data)
    before = evaluate(model, data).mpjpe
    first = run_epoch(0, data, model, adam, StepLR(adam, 5), batch_size=50)
    for epoch in range(1, 8):
        last = run_epoch(epoch, data, model, adam, None, batch_size=50, split="train", progress=False)
    assert adam.steps == 8 * 40
    assert last.loss == last.mpjpe < first.loss
    assert evaluate(model, data).mpjpe < 0.5 * before


@pytest.mark.parametrize("n", [1, 7, 1024, 1025, 2500])
def test_evaluation_counts_every_row_once(n: int) -> None:
    data = make_poses(n)
    model, _ = small(make_poses(100))
    joint_3d = data.joint_3d.copy()
    joint_3d[-1] += 5  # a last row that is left out or counted twice shows
    data = Poses(data.joint_2d, joint_3d)
    expected = cal_mpjpe(Lifter(model).predict(data.joint_2d), joint_3d)
    found = run_epoch(0, data, model, split="test")
    assert found.mpjpe == found.loss == pytest.approx(expected, rel=1e-6)


def test_evaluation_changes_nothing() -> None:
    data = make_poses(300)
    model, adam = small(data)
    schedule = StepLR(adam, 1)
    run_epoch(0, data, model, adam, schedule, split="train", progress=False)
    before = {key: value.copy() for key, value in model.snapshot().items()}
    lr, steps = adam.lr, adam.steps
    run_epoch(1, data, model, adam, schedule, split="test")
    for key, value in model.snapshot().items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)
    assert (adam.lr, adam.steps) == (lr, steps)


def test_schedules_step_per_batch_or_per_epoch() -> None:
    data = make_poses(330)
    for per, steps in (("batch", 5), ("epoch", 1)):
        model, adam = small(data)
        schedule = StepLR(adam, 2, 0.1, per=per)
        run_epoch(0, data, model, adam, schedule, batch_size=64, progress=False)
        assert schedule.t == steps
    assert adam.lr == 3e-3


def test_every_row_is_used_and_the_order_changes() -> None:
    """With Identity-like bookkeeping: the rows that reach the device, epoch by epoch."""
    seen: list[np.ndarray] = []

    class Recorder(NumpyOps):
        def asindex(self, x: Any) -> np.ndarray:
            seen.append(np.array(x))
            return super().asindex(x)

    data = make_poses(130)
    model, adam = small(data)
    model.ops = Recorder()
    for epoch in (0, 1, 1):
        run_epoch(epoch, data, model, adam, None, progress=False)
    for order in seen:
        np.testing.assert_array_equal(np.sort(order), np.arange(130))
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[1], seen[2])


def test_mse_trains_and_reports_both() -> None:
    data = make_poses(200)
    model, adam = small(data)
    result = run_epoch(0, data, model, adam, None, loss=losses.mse, progress=False)
    assert result.loss != result.mpjpe
    found = evaluate(model, data, loss=losses.mse)
    predicted = Lifter(model).predict(data.joint_2d)
    assert found.loss == pytest.approx(np.square(predicted - data.joint_3d).mean(), rel=1e-5)
    assert found.mpjpe == pytest.approx(cal_mpjpe(predicted, data.joint_3d), rel=1e-5)


def test_a_batch_larger_than_the_data_is_the_data() -> None:
    data = make_poses(20)
    model, adam = small(data)
    run_epoch(0, data, model, adam, None, batch_size=64, progress=False)
    assert adam.steps == 1
    with pytest.raises(InputError, match="at least 2 poses in a batch, got 1"):
        run_epoch(0, make_poses(1), model, adam, None)
    with pytest.raises(InputError, match="no joint_3d"):
        run_epoch(0, Poses(data.joint_2d), model, adam, None)
    with pytest.raises(ValueError, match="needs an optimiser"):
        run_epoch(0, data, model)


def test_same_seed_same_bits_and_another_seed_others() -> None:
    data, results = make_poses(300), []
    for seed in (1, 1, 2):
        model, adam = small(data, seed)
        for epoch in range(3):
            run_epoch(epoch, data, model, adam, None, progress=False)
        results.append(model.flat.data.copy())
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_held_out_rows_are_whole_blocks_of_the_asked_share() -> None:
    train, held = hold_out(10_000, 0.05, seed=0)
    assert len(held) == 500
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), np.arange(10_000))
    assert (np.diff(held) > 1).sum() < 10  # ten blocks of fifty neighbours
    assert not np.array_equal(held, hold_out(10_000, 0.05, seed=1)[1])
    assert [len(part) for part in hold_out(3, 0.05, 0)] == [2, 1]
    assert len(hold_out(10_000, 0.0485, seed=0)[1]) == 500  # 9.7 blocks are 10
    with pytest.raises(InputError, match="2 rows are too few"):
        hold_out(2, 0.05, 0)
    with pytest.raises(InputError, match=r"^1 row is too few"):
        hold_out(1, 0.05, 0)


def test_a_training_step_never_waits_for_the_device() -> None:
    class Deaf(NumpyOps):
        def to_host(self, x: Any) -> np.ndarray:
            raise AssertionError("something was read back within a step")

    data = make_poses(100)
    model, adam = small(data)
    for _, module in model.modules():
        module.ops = Deaf()
    train_step = TrainStep(model, losses.mpjpe, adam)
    batches, schedule = training_batches(data, model, 20), StepLR(adam, 2, per="batch")
    adam.ops = model.ops
    assert len(list(train_step.epoch(0, batches, schedule))) == 5
    assert adam.steps == 5


def test_misuse_of_run_epoch_is_told() -> None:
    data = make_poses(20)
    model, adam = small(data)
    with pytest.raises(ValueError, match="split 'Train' is unknown; use one of train, val"):
        run_epoch(0, data, model, adam, split="Train")
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        run_epoch(0, data, model, adam, batch_size=0)
    with pytest.raises(InputError, match="got 1 of 20 poses; give more data or a larger batch_size"):
        run_epoch(0, data, model, adam, batch_size=1, progress=False)
    with pytest.raises(TypeError, match="give poses as load_poses returns them, not a str"):
        run_epoch(0, "poses.pkl", model, adam)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="30 and 45 numbers do not fit a model from 34 to 45"):
        run_epoch(0, data, LiftModel(1, 8, input_nodes=34), adam)
    with pytest.raises(ValueError, match="joint_2d has 20 poses, joint_3d has 19"):
        Poses(data.joint_2d, data.joint_3d[:19])
    with pytest.raises(InputError, match="holds no poses"):
        evaluate(model, data.take(slice(0, 0)))


# ---- Trainer ---------------------------------------------------------------------------------------


class Run:
    """A Trainer on its poses, and what it has shown."""

    def __init__(self, training: Training, lines: list[str]) -> None:
        self.fit, self.lines, self.trainer = training.fit, lines, training.trainer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.trainer, name)


def trainer(out: Path, epochs: int = 3, **options: Any) -> Run:
    data = make_poses(400)
    model, adam = small(data)
    parts = {
        "train": data.take(slice(0, 320)),
        "validation": data.take(slice(320, 400)),
        "test": make_poses(50, 1),
    }
    schedule = StepLR(adam, 7, 0.5, per="batch")
    lines: list[str] = []
    made = lift_training(
        model,
        adam,
        schedule,
        **parts,
        epochs=epochs,
        batch_size=32,
        out=out,
        show=lines.append,
        bar=False,
        **options,
    )
    return Run(made, lines)


def stop_after(t: Run, steps: int) -> None:
    """Ask the trainer to stop by a real signal while a step of the optimiser is under way."""
    step = t.optimiser.step

    def step_and_signal() -> None:
        step()
        if t.optimiser.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)

    t.optimiser.step = step_and_signal  # type: ignore[method-assign]


def test_fit_writes_the_best_weights_a_log_and_a_checkpoint(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    assert t.fit()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.npz", "liftModel", "log.csv"]
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["steps"] for row in rows] == ["10", "20", "30"]
    val = [float(row["val_mpjpe"]) for row in rows]
    assert t.progress.best == min(val)
    validation = make_poses(400).take(slice(320, 400))
    model = Lifter.load(tmp_path / "liftModel").model
    assert evaluate(model, validation).mpjpe == pytest.approx(min(val), rel=1e-5)
    assert len(t.lines) == 3
    assert "test" in t.lines[0]


def test_the_best_epoch_is_chosen_by_validation_not_by_the_last(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    t.optimiser.lr = t.scheduler.base_lr = 3e-3
    t.fit()
    best = load_state_dict(tmp_path / "liftModel")
    again = trainer(tmp_path, epochs=5)
    again.restore(*load_checkpoint(tmp_path / "checkpoint.npz"))
    again.optimiser.step = lambda: again.network.flat.data.__imul__(1.2)  # type: ignore[method-assign,assignment]
    again.fit()
    assert again.progress.best_epoch == t.progress.best_epoch
    for key, value in load_state_dict(tmp_path / "liftModel").items():
        np.testing.assert_array_equal(value, best[key])


@pytest.mark.parametrize("steps", [1, 10, 14, 29])
def test_interrupted_and_resumed_is_to_the_bit_as_uninterrupted(steps: int, tmp_path: Path) -> None:
    straight, stopped = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    for t in (straight, stopped):
        t.checkpoint_path.parent.mkdir()
    assert straight.fit()
    stop_after(stopped, steps)
    assert not stopped.fit()
    assert stopped.signal == signal.SIGINT
    assert stopped.optimiser.steps == steps
    resumed = trainer(tmp_path / "b")
    resumed.restore(*load_checkpoint(resumed.checkpoint_path))
    assert resumed.fit()
    assert resumed.optimiser.steps == 30
    np.testing.assert_array_equal(resumed.network.flat.data, straight.network.flat.data)
    for key, value in straight.network.snapshot().items():
        np.testing.assert_array_equal(resumed.network.snapshot()[key], value, err_msg=key)
    assert resumed.progress.best == straight.progress.best
    drop = "seconds"
    assert [{**r, drop: 0} for r in resumed.progress.history] == [
        {**r, drop: 0} for r in straight.progress.history
    ]
    assert (tmp_path / "a" / "liftModel").read_bytes() == (tmp_path / "b" / "liftModel").read_bytes()


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    t = trainer(tmp_path)

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    t.optimiser.step = twice  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        t.fit()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_disk_that_fills_up_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    t = trainer(tmp_path, epochs=1)
    t.fit()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    again = trainer(tmp_path, epochs=2)
    again.restore(*load_checkpoint(again.checkpoint_path))
    again.progress.best = 1e9
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device") as error:
        again.fit()
    assert "\n" not in str(error.value)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_divergence_is_told_and_the_files_stay(tmp_path: Path) -> None:
    t = trainer(tmp_path, epochs=2)
    t.fit()
    before = (tmp_path / "liftModel").read_bytes()
    again = trainer(tmp_path, epochs=3)
    again.restore(*load_checkpoint(again.checkpoint_path))
    again.network.flat.data.fill(np.nan)
    with pytest.raises(
        InputError, match=r"training diverged: the loss of epoch 3 is nan; use a lower learning rate"
    ):
        again.fit()
    assert (tmp_path / "liftModel").read_bytes() == before


def test_a_diverged_epoch_does_not_replace_the_checkpoint(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).fit()
    before = (tmp_path / "checkpoint.npz").read_bytes()
    again = trainer(tmp_path, epochs=3)
    again.restore(*load_checkpoint(again.checkpoint_path))
    again.network.flat.data.fill(np.nan)
    stop_after(again, 14)
    with pytest.raises(InputError, match="training diverged: the loss of epoch 2 is nan"):
        again.fit()
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_a_signal_in_the_last_batch_of_all_comes_too_late(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    stop_after(t, 30)
    assert t.fit()
    assert t.progress.epoch == 3


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    t = trainer(tmp_path, epochs=1)
    t.fit()
    arrays, meta = load_checkpoint(t.checkpoint_path)
    other = trainer(tmp_path)
    other.trainer.network = LiftModel(2, 16)
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        other.restore(arrays, meta)
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        trainer(tmp_path).restore({"rubbish": np.ones(3)}, meta)
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        trainer(tmp_path).restore(arrays, {})
    for name, value in (("epoch", "1"), ("history", {}), ("best", None), ("sums", 3)):
        damaged = {**meta, "progress": {**meta["progress"], name: value}}
        with pytest.raises(InputError, match="not a checkpoint of this network"):
            trainer(tmp_path).restore(arrays, damaged)
    bad = {**arrays, "optimiser.m.0": np.ones(1)}  # would broadcast
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        trainer(tmp_path).restore(bad, meta)


def test_resuming_without_the_best_weights_writes_new_ones(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).fit()
    (tmp_path / "liftModel").unlink()
    again = trainer(tmp_path, epochs=2)
    arrays, meta = load_checkpoint(again.checkpoint_path)
    meta["progress"]["best"] = 0.0  # nothing beats it
    again.restore(arrays, meta)
    again.fit()
    assert (tmp_path / "liftModel").exists()
    assert again.progress.best_epoch == 2


def test_long_epochs_save_on_the_way(tmp_path: Path) -> None:
    t, saved = trainer(tmp_path, epochs=1, checkpoint_every=1e-9), []
    save, t.trainer.files.poll = t.save_checkpoint, lambda: True  # type: ignore[method-assign]
    t.trainer.save_checkpoint = lambda: (saved.append(t.progress.batch), save())  # type: ignore[method-assign,assignment,func-returns-value]
    t.fit()
    assert saved == [*range(1, 10), 0]


def test_no_array_is_made_during_an_epoch(tmp_path: Path) -> None:
    data = make_poses(40_960)
    model = LiftModel(1, 256, 0.2)
    adam = Adam(model.parameters())
    steps = TrainStep(model, losses.mpjpe, adam).epoch(0, training_batches(data, model, 1024))
    peaks = []
    for _ in range(10):  # a thread makes its scratch memory with its first work of a kind: the least counts
        tracemalloc.start()
        next(steps)
        next(steps)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks) < 100_000 < 1024 * 30 * 4  # the smallest array of a step; seen 68 kB of NumPy's buffers


def test_real_poses_are_learnt(mocap: Path) -> None:
    """Two short epochs of a narrow network on motion capture, against a linear map fitted to the same."""
    train = load_poses(mocap / "data_train_lift.pkl", need_3d=True)
    test = load_poses(mocap / "data_test_lift.pkl", need_3d=True, scale=mocap / "data_test_scale.npy")
    design = [np.c_[poses.joint_2d.reshape(-1, 30), np.ones(len(poses))] for poses in (train, test)]
    fit = np.linalg.lstsq(design[0], train.joint_3d.reshape(-1, 45).astype(float), rcond=None)[0]
    linear = cal_mpjpe(design[1] @ fit, test.joint_3d.reshape(-1, 45), avg=False)
    mean = np.broadcast_to(train.joint_3d.mean(axis=0, dtype=float), test.joint_3d.shape)
    # The baselines, as the data's own description has them: units and millimetres
    for errors, units, mm in (
        (cal_mpjpe(mean, test.joint_3d, avg=False), 0.0469, 188),
        (linear, 0.0129, 51.9),
    ):
        assert errors.mean() == pytest.approx(units, abs=5e-5)
        assert 1000 * (errors * test.scale).mean() == pytest.approx(mm, abs=0.5)
    model = LiftModel(1, 128)
    model.standardise(train.joint_2d, train.joint_3d)
    adam = Adam(model.parameters(), lr=2e-3)
    for epoch in range(2):
        run_epoch(epoch, train, model, adam, batch_size=256, progress=False)
    assert run_epoch(0, test, model, split="test").mpjpe < 0.75 * linear.mean()  # seen 0.59


# ---- augmentation ------------------------------------------------------------------------------------


def test_augmented_steps_depend_on_the_seed_and_the_step_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The poses of an epoch, as the network saw them: the same again, others in another epoch."""
    seen: list[np.ndarray] = []
    forward = step.TrainStep.__call__

    def watch(self: step.TrainStep, x: np.ndarray, y: np.ndarray) -> None:
        seen.append(np.concatenate([x, y], axis=1))
        forward(self, x, y)

    monkeypatch.setattr(step.TrainStep, "__call__", watch)
    data = make_poses(64)
    for _ in range(2):
        model = LiftModel(1, 16, seed=5)
        adam = Adam(model.parameters())
        for _ in range(2):  # twice in the same order
            run_epoch(0, data, model, adam, None, 32, progress=False, augmentation=Augmentation(yaw=180.0))
    first, again = np.array(seen[:4]), np.array(seen[4:])
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[0] - first[2]).max() > 0.01
    x, y = first[..., :30].reshape(-1, 15, 2), first[..., 30:].reshape(-1, 15, 3)
    np.testing.assert_allclose(x, y[..., :2] / -y[..., 2:], atol=1e-6)


def test_a_hidden_joint_has_no_ray() -> None:
    data, model = make_poses(64), LiftModel(1, 16, head="ray")
    adam, hiding = Adam(model.parameters()), Augmentation(joint_dropout=0.1)
    with pytest.raises(InputError, match=r"^joint_dropout 0\.1: .* use LiftModel\(head='place'\)"):
        run_epoch(0, data, model, adam, None, 32, progress=False, augmentation=hiding)


def test_evaluation_does_not_augment() -> None:
    data, model = make_poses(64), LiftModel(1, 16, seed=5)
    expected = run_epoch(0, data, model, split="test")
    assert run_epoch(0, data, model, split="test", augmentation=Augmentation(noise=0.1)) == expected
