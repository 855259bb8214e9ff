"""Training from one view: no 3D in it, the same to the bit when resumed, stopped where it is of no use."""

from __future__ import annotations

import csv
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from weak_cases import check_joint_3d_has_no_part

from minilift import InputError, Lifter, LiftModel
from minilift.cli.settings import read_train
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint
from minilift.lift.build import build_model
from minilift.lift.recipe import make_settings
from minilift.lift.weak.batches import mirrored
from minilift.lift.weak.one_view.cycle import Weights
from minilift.lift.weak.one_view.measure import unlikeness
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.rows import OneViewBatches
from minilift.lift.weak.one_view.training import OneViewTraining, build_one_view
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import Poses, save_poses

Capture = pytest.CaptureFixture[str]
N, SIDES = 230, ("right", "left")
SMALL: dict[str, Any] = {"hidden": 16, "blocks": 1, "epochs": 3, "batch_size": 32, "device": "cpu"}
FLAGS = ["--hidden", "16", "--blocks", "1", "--epochs", "2", "--batch-size", "32", "--device", "cpu"]


def made(out: Path | None, poses: Poses, weights: Weights | None = None, **changes: Any) -> OneViewTraining:
    settings = make_settings("one-view", {**SMALL, **changes})
    options: Any = {"show": lambda line: None, "bar": False, "weights": weights}
    return build_one_view(settings, build_model(settings), poses, None, out, **options)


def test_joint_3d_has_no_part_in_training(tmp_path: Path) -> None:
    check_joint_3d_has_no_part(tmp_path, make_poses(N), made)


@pytest.mark.parametrize("elevation", ["find", "10"])
@pytest.mark.parametrize("steps", [3, 16])
def test_a_resumed_run_is_the_same_to_the_bit(steps: int, elevation: str, tmp_path: Path) -> None:
    """Lifter, discriminator, elevation, and the moments of all three."""
    poses = make_poses(N)
    straight, stopped = (made(tmp_path / name, poses, mean_elevation=elevation) for name in "ab")
    assert straight.fit()
    begin = stopped.trainer.optimiser.begin

    def begin_and_signal() -> None:
        begin()
        if stopped.trainer.optimiser.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)

    stopped.trainer.optimiser.begin = begin_and_signal  # type: ignore[method-assign]
    assert not stopped.fit()
    assert stopped.trainer.progress.batch
    again = made(tmp_path / "b", poses, mean_elevation=elevation)
    again.trainer.restore(*load_checkpoint(again.trainer.checkpoint_path))
    assert again.fit()
    for which in ("network", "optimiser"):
        one, other = (getattr(t.trainer, which) for t in (straight, again))
        states = [o.snapshot() if which == "network" else o.state_dict() for o in (one, other)]
        assert ("elevation" in states[0]) == (which == "network" and elevation == "find")
        for key, value in states[0].items():
            np.testing.assert_array_equal(states[1][key], value, err_msg=key)
    rows = []
    for name in "ab":
        with open(tmp_path / name / "log.csv") as file:
            rows.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
    assert rows[0] == rows[1]


def test_a_snapshot_of_another_kind_is_refused() -> None:
    networks = [Adversaries.of(LiftModel(0, 8, head="ray", slope=0.2), 0.1, e) for e in (None, 0.1)]
    with pytest.raises(ValueError, match="one of both learns the elevation"):
        networks[1].restore(networks[0].snapshot())


def test_unlike_is_what_is_spread_otherwise() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 3))
    assert unlikeness(rows, rows) == pytest.approx(0, abs=1e-9)
    assert unlikeness(rows, rows + np.array([1, 2, 0])) == pytest.approx(5)
    # along the axes it is the sum of squares of the differences of deviations
    square = np.linalg.qr(rng.standard_normal((400, 2)) - rng.standard_normal(2))[0]
    factor = np.linalg.cholesky(np.cov(square, rowvar=False))
    square = (square - square.mean(axis=0)) @ np.linalg.inv(factor).T
    assert unlikeness(square, square * [2, 4]) == pytest.approx(1 + 9)


def test_few_poses_and_none_that_spread() -> None:
    few = make_poses(3)
    assert made(None, few, batch_size=2).fit()
    assert np.isfinite(unlikeness(np.ones((1, 4)), np.zeros((1, 4))))
    assert np.isnan(unlikeness(np.full((2, 4), np.nan), np.zeros((2, 4))))
    pixels = Poses(1000 * np.asarray(make_poses(N).joint_2d) + 500, None)
    with pytest.raises(InputError, match=r"2D joints are spread by .*, as pixels are; subtract the middle"):
        made(None, pixels)
    with pytest.raises(InputError, match="all 2D joints are in one place"):
        made(None, replace(few, joint_2d=few.joint_2d * 0))


def test_batches_mirror_a_share() -> None:
    poses, ops = make_poses(400), get_ops("cpu")
    model = LiftModel(0, 8, head="ray", seed=3)
    plain = OneViewBatches(poses, model, 100, truth=True)
    changed = OneViewBatches(poses, model, 100, truth=True, flip=0.25)
    assert (len(changed), changed.steps) == (400, 4)
    order = np.asarray(changed.order(2, ops))
    np.testing.assert_array_equal(order % 400, plain.order(2, ops))
    assert 60 < (order >= 400).sum() < 140
    row = int(np.flatnonzero(order >= 400)[0])
    x, y = next(pair for i, pair in enumerate(changed.epoch(2, ops)) if i == row // 100)
    image, joints = x[row % 100].reshape(15, 2), y[row % 100].reshape(15, 3)
    np.testing.assert_allclose(image, joints[:, :2] / -joints[:, 2:], atol=1e-6)
    np.testing.assert_array_equal(image, mirrored(poses.joint_2d)[order[row] - 400])
    right, left = (np.asarray(poses.joint_2d)[:, COURSE15.joints.index(f"{side}_hip")] for side in SIDES)
    np.testing.assert_array_equal(mirrored(poses.joint_2d)[:, 0], left * np.array([-1, 1], np.float32))
    np.testing.assert_array_equal(poses.joint_2d[:, 0], right)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in changed.in_order(ops)]), plain.x)
    with pytest.raises(InputError, match="use LiftModel"):
        OneViewBatches(poses, LiftModel(0, 8), 100, truth=False)
    with pytest.raises(InputError, match="holds no poses"):
        OneViewBatches(poses.take(slice(0, 0)), model, 100, truth=False)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("one.npz", joint_2d_1=make_poses(300).joint_2d)
    save_poses("other.npz", make_poses(200, seed=1))
    assert train(["--weak", "one-view", "--data", "one.npz", *FLAGS]) == 0
    told = capsys.readouterr().out
    assert "one.npz: 300 poses" in told
    assert "best validation loss" in told
    assert "no liftModel.trust.npz: errors are measured against 3D, and the data has none" in told
    assert "weak one-view, mean elevation find" in told
    assert Lifter.load("liftModel").predict(make_poses(3).joint_2d).shape == (3, 15, 3)
    assert train(["--resume", "--epochs", "3", "--test", "other.npz"]) == 0
    assert "2 of 3 epochs done" in capsys.readouterr().out
    with open("log.csv") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["test_loss"]) > 0
    assert "test_mpjpe" not in last  # the training data has none
    np.savez("one.npz", joint_2d_1=make_poses(300, seed=2).joint_2d)
    assert train(["--resume", "--epochs", "4"]) == 2
    assert "not the poses that the run was begun with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--head", "xyz"], "--weak one-view: learns the depths of joints on their rays"),
        (["--norm", "batch"], "--weak one-view: lifts twice a step, and statistics of a batch would mix"),
        (["--noise", "0.01"], "--noise 0.01: changes images, with which --weak one-view compares those of"),
        (["--divided", "yes"], "--divided yes: acts with --weak two-view alone; leave it out"),
        (["--preset", "two-view"], "--weak one-view: --preset two-view is for another way to learn"),
        (["--yaw", "20"], "--yaw 20.0: is made of 3D, which --weak one-view does without"),
        (["--no-standardise"], "--no-standardise: --weak one-view needs the data's unit"),
        (["--mean-elevation", "up"], "--mean-elevation up: not find or a number of degrees"),
        (["--mean-elevation", "90"], "--mean-elevation 90: must be more than -90 and less than 90"),
        (["--mean-elevation", "nan"], "--mean-elevation nan: must be more than -90"),
    ],
)
def test_what_does_not_go_together(words: list[str], expected: str, capsys: Capture) -> None:
    assert train(["--weak", "one-view", "--data", "nowhere.npz", *words]) == 2
    assert expected in capsys.readouterr().err


def test_the_flag_alone_takes_its_preset() -> None:
    asked = read_train(["--weak", "one-view"]).settings
    assert asked == read_train(["--preset", "one-view"]).settings
    assert (asked.head, asked.norm, asked.mean_elevation) == ("ray", "none", "find")
