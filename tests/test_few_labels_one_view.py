"""A few labels with one view: the gradient, that no other 3D is learned from, and how epochs are chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses
from test_one_view_step import UNIT, N, drawn, losses_of
from test_one_view_step import made as made_step
from test_one_view_training import FLAGS, made

from minilift import InputError, LiftModel, Poses
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint
from minilift.lift.build import labelled, split_rows
from minilift.lift.settings import TrainSettings
from minilift.lift.weak.labels import LEAST
from minilift.lift.weak.one_view.rows import LABEL, TRUTH, OneViewBatches
from minilift.ops import get_ops
from minilift.poses.poses import save_poses

Capture = pytest.CaptureFixture[str]
PEOPLE = 230


@pytest.mark.parametrize("seed", range(2))
def test_labelled_poses_add_their_error_and_its_gradient(seed: int) -> None:
    step, (x, ways), rng = made_step(0.1, seed, labels=2.0), drawn(seed), np.random.default_rng(seed)
    y = np.concatenate([rng.standard_normal((N, 45)), (np.arange(N) % 3 == 0)[:, None]], axis=1)
    way = ways + np.array([0.1, 0, 0.1])
    plain = losses_of(step, x, ways)["loss"]

    def loss() -> float:
        step.sums.restore()
        step.gradients(x, way, ways[:, 2], y)
        return step.sums.read()["loss"]

    value = loss()
    apart = (step.cycle.p - y[:, TRUTH]).reshape(N, 15, 3)
    error = np.linalg.norm(apart, axis=2).mean(axis=1)
    assert value - plain == pytest.approx(2.0 * (error * y[:, LABEL.start]).mean() / UNIT, rel=1e-9)
    flat, lifter = step.pair.flat, step.pair.parts["lifter"]
    grad, start, direction = flat.grad.copy(), flat.data.copy(), np.zeros(flat.data.size)
    direction[lifter] = rng.standard_normal(direction[lifter].size)
    found = []
    for size in (1e-6, -1e-6):
        flat.data[:] = start + size * direction
        found.append(loss())
    assert float((grad * direction).sum()) == pytest.approx((found[0] - found[1]) / 2e-6, rel=2e-6)


def test_3d_of_others_has_no_part(tmp_path: Path) -> None:
    poses, settings = make_poses(PEOPLE), TrainSettings(labelled=0.2)
    rows, held_out = split_rows(PEOPLE, replace(settings, weak="two-view", head="ray"))
    others = np.concatenate([part[~labelled(len(part), settings)] for part in (rows, held_out)])
    joints = np.array(poses.joint_3d)
    joints[others] *= 1.5
    for name, given in (("a", poses), ("b", Poses(poses.joint_2d, joints))):
        assert made(tmp_path / name, given, labelled=0.2, epochs=2).fit()
    assert made(tmp_path / "plain", poses, epochs=2).fit()
    a, b, plain = ((tmp_path / name / "liftModel").read_bytes() for name in ("a", "b", "plain"))
    assert a == b != plain


def test_few_labels_are_seen_more_often_and_epochs_are_chosen_by_them_too() -> None:
    poses, ops = make_poses(400), get_ops("cpu")
    labels = labelled(400, TrainSettings(labelled=0.05))
    batches = OneViewBatches(poses, LiftModel(0, 8, head="ray"), 100, truth=True, flip=0.5, labels=labels)
    order = np.asarray(batches.order(1, ops))
    assert labels[order % 400].mean() == LEAST
    np.testing.assert_array_equal(batches.y[order][:, LABEL.start], labels[order % 400])
    training = made(None, make_poses(PEOPLE), labelled=0.5, epochs=1)
    assert training.fit()
    row = training.trainer.progress.history[0]
    assert row["val_loss"] == pytest.approx(row["val_gap"] + row["val_cycle"] + row["val_labelled"])
    assert row["val_labelled"] > 0
    with pytest.raises(InputError, match="labels are joint_3d, and not all of the data have it"):
        OneViewBatches(poses, LiftModel(0, 8, head="ray"), 100, truth=False, labels=labels)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_poses("one.npz", make_poses(300))
    words = ["--weak", "one-view", "--labelled", "0.1", *FLAGS]
    assert train([*words, "--data", "one.npz", "--test", "one.npz"]) == 0
    assert "labelled 0.1" in capsys.readouterr().out
    once = load_checkpoint(Path("checkpoint.npz"))[1]["progress"]
    assert train(["--resume", "--epochs", "3"]) == 0
    assert load_checkpoint(Path("checkpoint.npz"))[1]["progress"]["history"][:2] == once["history"]
    np.savez("bare.npz", joint_2d_1=make_poses(300).joint_2d)
    assert train([*words, "--data", "bare.npz"]) == 2
    assert "--labelled 0.1: bare.npz has no joint_3d to learn from" in capsys.readouterr().err
