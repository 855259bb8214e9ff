"""A few labels: who has them, that no other 3D is learned from, and what they are worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses
from test_two_view_loss import two_views
from test_two_view_training import FLAGS, made

from minilift import InputError, LiftModel
from minilift.cli.train import main as train
from minilift.lift.build import labelled, split_data, split_rows
from minilift.lift.settings import TrainSettings
from minilift.lift.weak.labels import LEAST
from minilift.lift.weak.two_view.rows import LABEL, TwoViewBatches
from minilift.ops import get_ops
from minilift.poses.poses import save_poses
from minilift.poses.views import save_two_views

Capture = pytest.CaptureFixture[str]
N = 230


def test_a_seeded_share_has_labels() -> None:
    share = TrainSettings(labelled=0.1)
    some = labelled(500, share)
    assert some.sum() == 50
    np.testing.assert_array_equal(some, labelled(500, share))
    assert (some != labelled(500, replace(share, seed=1))).any()
    assert labelled(20, TrainSettings(labelled=0.01)).sum() == 1
    assert labelled(20, TrainSettings(labelled=1)).all()


def test_alone_they_are_all_there_is() -> None:
    settings, data = TrainSettings(labelled=0.1, val_fraction=0.2), make_poses(500)
    rows, held_out = split_rows(500, settings)
    assert (len(rows), len(held_out)) == (40, 10)
    all_rows, all_held_out = split_rows(500, replace(settings, labelled=0))
    assert set(rows) <= set(all_rows)
    assert set(held_out) <= set(all_held_out)
    np.testing.assert_array_equal(split_data(data, settings)[0].joint_2d, np.asarray(data.joint_2d)[rows])


def test_3d_of_others_has_no_part(tmp_path: Path) -> None:
    views, settings = two_views(N), TrainSettings(labelled=0.2)
    rows, held_out = split_rows(N, replace(settings, weak="two-view", head="ray"))
    others = np.concatenate([part[~labelled(len(part), settings)] for part in (rows, held_out)])
    joints = np.array(views.joint_3d)
    joints[others] *= 1.5
    found = []
    for name, given in (("a", views), ("b", replace(views, joint_3d=joints))):
        training = made(tmp_path / name, given, labelled=0.2)
        assert training.fit()
        found.append((tmp_path / name / "liftModel").read_bytes())
    plain = made(tmp_path / "plain", views)
    assert plain.fit()
    assert found[0] == found[1] != (tmp_path / "plain" / "liftModel").read_bytes()


@pytest.mark.parametrize(("share", "seen"), [(0.05, LEAST), (0.5, 0.5), (1.0, 1.0)])
def test_few_labels_are_seen_more_often(share: float, seen: float) -> None:
    views, ops = two_views(400), get_ops("cpu")
    labels = labelled(400, TrainSettings(labelled=share))
    model = LiftModel(0, 8, head="ray")
    batches = TwoViewBatches(views, model, 100, truth=True, flip=0.5, labels=labels)
    order = batches.order(3, ops) % 400
    assert labels[order].mean() == pytest.approx(seen)
    often = np.bincount(order, minlength=400)
    assert np.ptp(often[labels]) <= 1
    assert often[~labels].max(initial=0) <= 1
    quarters = labels[order].reshape(4, 100).mean(axis=1)
    assert np.ptp(quarters) < 0.2  # everywhere in the epoch
    for _, y in batches.epoch(3, ops):
        assert np.mean(np.asarray(y)[..., LABEL]) == pytest.approx(seen, abs=0.15)


def test_with_labels_less_is_left_to_learn(tmp_path: Path) -> None:
    """All labels are supervised training: the loss is the error."""
    training = made(None, two_views(N), labelled=1, epochs=2)
    assert training.fit()
    last = training.trainer.progress.history[-1]
    assert last["val_loss"] == pytest.approx(last["val_mpjpe"], rel=1e-6)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_two_views("two.npz", two_views(300))
    save_two_views("bare.npz", replace(two_views(300), joint_3d=None))
    assert train(["--weak", "two-view", "--labelled", "0.1", "--data", "two.npz", *FLAGS]) == 0
    assert "labelled 0.1" in capsys.readouterr().out
    assert train(["--resume", "--epochs", "3"]) == 0
    assert train(["--weak", "two-view", "--labelled", "0.1", "--data", "bare.npz", *FLAGS]) == 2
    expected = "--labelled 0.1: bare.npz has no joint_3d to learn from; leave it out"
    assert expected in capsys.readouterr().err
    save_poses("one.npz", make_poses(300))
    assert train(["--labelled", "0.2", "--data", "one.npz", "--test", "one.npz", *FLAGS]) == 0
    assert "57 poses to train on, 3 to validate" in capsys.readouterr().out
    with pytest.raises(InputError, match="labels are joint_3d, and not all of the data have it"):
        TwoViewBatches(two_views(9), LiftModel(0, 8, head="ray"), 3, truth=False, labels=np.ones(9, bool))
