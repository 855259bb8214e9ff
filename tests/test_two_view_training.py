"""Training from two views: no 3D in it, the same to the bit when resumed, in Python and as a command."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses
from test_two_view_loss import joints_of, two_views
from weak_cases import check_joint_3d_has_no_part

from minilift import AdamW, InputError, LiftModel, evaluate, run_epoch_weak
from minilift.cli.settings import read_train
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint
from minilift.files.weights import save_state_dict
from minilift.lift.recipe import make_settings
from minilift.lift.training import Training
from minilift.lift.weak.two_view.build import build_two_view, with_triangulated
from minilift.lift.weak.two_view.rows import ROTATION, TRUTH, TwoViewBatches, mirror_image, rows_of
from minilift.ops import get_ops
from minilift.poses.poses import save_poses
from minilift.poses.views import TwoViews, save_two_views

Capture = pytest.CaptureFixture[str]
N = 230
SMALL: dict[str, Any] = {
    "hidden": 16, "blocks": 1, "epochs": 3, "batch_size": 32, "noise": 0.002, "device": "cpu",
    "dropout": 0.1,
}  # fmt: skip
FLAGS = ["--hidden", "16", "--blocks", "1", "--epochs", "2", "--batch-size", "32", "--device", "cpu"]


def made(out: Path | None, views: TwoViews, **changes: Any) -> Training:
    settings = make_settings("two-view", {**SMALL, **changes})
    model = LiftModel(settings.blocks, settings.hidden, settings.dropout, head="ray")
    training = build_two_view(settings, model, views, None, out)
    training.trainer.show, training.trainer.bar = lambda line: None, False
    return training


def test_joint_3d_has_no_part_in_training(tmp_path: Path) -> None:
    check_joint_3d_has_no_part(tmp_path, two_views(N), made)


@pytest.mark.parametrize("steps", [3, 16])
def test_a_resumed_run_is_the_same_to_the_bit(steps: int, tmp_path: Path) -> None:
    views = two_views(N)
    straight, stopped = made(tmp_path / "a", views), made(tmp_path / "b", views)
    assert straight.fit()
    begin = stopped.trainer.optimiser.begin

    def begin_and_signal() -> None:
        begin()
        if stopped.trainer.optimiser.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)

    stopped.trainer.optimiser.begin = begin_and_signal  # type: ignore[method-assign]
    assert not stopped.fit()
    assert stopped.trainer.optimiser.steps == steps
    assert stopped.trainer.progress.batch
    again = made(tmp_path / "b", views)
    again.trainer.restore(*load_checkpoint(again.trainer.checkpoint_path))
    assert again.fit()
    for key, value in straight.trainer.network.snapshot().items():
        np.testing.assert_array_equal(again.trainer.network.snapshot()[key], value, err_msg=key)
    rows = []
    for name in "ab":
        with open(tmp_path / name / "log.csv") as file:
            rows.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
    assert rows[0] == rows[1]


def test_depths_are_learned_without_3d() -> None:
    views = two_views(700)
    first, test = views.take(slice(0, 600)), views.take(slice(600, None))
    model = LiftModel(1, 64, 0.0, head="ray")
    pseudo = with_triangulated(first)
    model.standardise(pseudo.joint_2d, pseudo.joint_3d)
    optimiser = AdamW(model.parameters(), 3e-3)
    before = evaluate(model, test.first()).mpjpe
    for epoch in range(15):
        run_epoch_weak(epoch, first, model, optimiser, batch_size=50, progress=False)
    found = run_epoch_weak(0, test, model, split="test")
    assert found.mpjpe < before / 2
    assert evaluate(model, test.first()).mpjpe < before / 2
    hidden = run_epoch_weak(0, replace(test, joint_3d=None), model, split="test")
    assert hidden.loss == found.loss
    assert math.isnan(hidden.mpjpe)


def test_the_other_view_is_what_the_camera_says() -> None:
    views = two_views(5)
    rows = rows_of(views, True)
    joints = joints_of(views).reshape(5, 2, -1)
    np.testing.assert_allclose(rows.y[..., TRUTH], joints, atol=1e-6)
    there = joints.reshape(10, -1, 3)
    np.testing.assert_allclose(rows.x.reshape(10, -1, 2), there[..., :2] / -there[..., 2:], atol=1e-6)
    turns = rows.y[..., ROTATION].reshape(5, 2, 3, 3)
    np.testing.assert_allclose(turns[:, 0] @ turns[:, 1], np.tile(np.eye(3), (5, 1, 1)), atol=1e-6)
    # a person in a mirror before mirrored cameras is consistent, too
    other = mirror_image(views)
    flipped = joints_of(other).reshape(10, -1, 3)
    image = rows_of(other, False).x.reshape(10, -1, 2)
    np.testing.assert_allclose(image, flipped[..., :2] / -flipped[..., 2:], atol=1e-6)
    again = mirror_image(other)
    np.testing.assert_array_equal(again.joint_2d_2, views.joint_2d_2)
    np.testing.assert_array_equal(again.rotation, views.rotation)


def test_batches_mirror_a_share_and_keep_what_is_compared() -> None:
    views, ops = two_views(400), get_ops("cpu")
    model = LiftModel(0, 8, head="ray", seed=3)
    plain = TwoViewBatches(views, model, 100, truth=False)
    changed = TwoViewBatches(views, model, 100, truth=False, flip=0.25, noise=0.01)
    assert (len(changed), changed.steps) == (400, 4)
    order = changed.order(2, ops)
    assert sorted(order % 400) == list(range(400))
    assert 60 < (order >= 400).sum() < 140
    np.testing.assert_array_equal(order % 400, plain.order(2, ops))
    x, y = (np.array(array) for array in next(iter(changed.epoch(2, ops))))
    np.testing.assert_array_equal(y, changed.y[order[:100]])
    assert np.std(x - changed.x[order[:100]]) == pytest.approx(0.01, rel=0.05)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in changed.in_order(ops)]), plain.x)
    with pytest.raises(InputError, match="use LiftModel"):
        TwoViewBatches(views, LiftModel(0, 8), 100, truth=False)
    with pytest.raises(InputError, match="holds no poses"):
        TwoViewBatches(views.take(slice(0, 0)), model, 100, truth=False)


def test_one_view_is_no_data_for_two() -> None:
    poses: Any = make_poses(20)
    with pytest.raises(TypeError, match=r"^data is Poses, not TwoViews; .* load_two_views"):
        run_epoch_weak(0, poses, LiftModel(0, 8, head="ray"))


def test_a_file_of_one_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    save_two_views("two.npz", two_views(1))
    assert train(["--weak", "two-view", "--data", "two.npz", *FLAGS]) == 2
    told = capsys.readouterr()
    assert "two.npz: 1 pose in two views\n" in told.out
    assert "--data two.npz: 1 row is too few to train on" in told.err


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    views = two_views(900)
    save_two_views("two.npz", replace(views, joint_3d=None))
    save_two_views("other.npz", two_views(200, seed=1))
    files = ["--data", "two.npz", "--divided", "yes"]
    assert train(["--weak", "two-view", *files, *FLAGS, "--val-fraction", "0.3"]) == 0
    told = capsys.readouterr().out
    assert "two.npz: 900 poses in two views\n  P2 = R P1 + T with rot row by row" in told
    assert "best validation loss" in told
    assert "wrote liftModel.trust.npz" in told
    assert "weak two-view, divided yes" in told
    assert train(["--resume", "--epochs", "3", "--test", "other.npz"]) == 0
    assert "2 of 3 epochs done" in capsys.readouterr().out
    with open("log.csv") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["test_loss"]) > 0
    save_two_views("two.npz", two_views(900, seed=4))
    assert train(["--resume", "--epochs", "4"]) == 2
    assert "not the poses that the run was begun with" in capsys.readouterr().err
    save_poses("one.npz", make_poses(50))
    save_state_dict("xyz", LiftModel(1, 16).state_dict())
    for words, expected in (
        (["--data", "one.npz"], "one.npz: no second view: no key joint_2d_2; a file of two views has one"),
        (
            ["--data", "two.npz", "--head", "xyz"],
            "--weak two-view: learns the depths of joints on their rays",
        ),
        ([], "--data data_train_lift.pkl: no such file; give one of two views, or make it: minilift data"),
        (
            ["--data", "two.npz", "--start", "xyz"],
            "--start xyz: these weights have head xyz, and --weak two-view",
        ),
        (["--data", "two.npz", "--yaw", "20"], "--yaw 20.0: is made of 3D, which --weak two-view does"),
        (["--data", "two.npz", "--synthetic", "1"], "--synthetic 1.0: is made of 3D, which --weak two-view"),
        (
            ["--data", "two.npz", "--swap", "0.1"],
            "--swap 0.1: --weak two-view takes noise and no other",
        ),
        (
            ["--data", "two.npz", "--mean-elevation", "5"],
            "--mean-elevation 5: acts with --weak one-view",
        ),
        (["--data", "two.npz", "--preset", "one-view"], "--weak two-view: --preset one-view is for another"),
        (["--data", "two.npz", "--loss", "mse"], "--loss mse: compares with 3D, which --weak two-view does"),
    ):
        assert train(["--weak", "two-view", *words, *FLAGS]) == 2
        assert expected in capsys.readouterr().err


def test_the_flag_alone_takes_its_preset() -> None:
    asked = read_train(["--weak", "two-view"]).settings
    assert asked == read_train(["--preset", "two-view"]).settings
    assert asked.head == "ray"
    assert read_train(["--preset", "quick", "--weak", "none"]).settings.epochs == 5


def test_the_picture_is_what_the_program_draws(tmp_path: Path) -> None:
    drawn, images = tmp_path / "weak.svg", ROOT / "docs" / "images"
    subprocess.run([sys.executable, str(images / "weak.py"), str(drawn)], check=True, cwd=ROOT)
    assert drawn.read_text() == (images / "weak.svg").read_text()
