"""Poses of one view that are of no use are told from right ones, and what then becomes of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_one_view_training import made

from minilift import LiftModel
from minilift.cli.train import main as train
from minilift.lift.weak.one_view import guard
from minilift.lift.weak.one_view.cycle import Weights
from minilift.lift.weak.one_view.guard import ENOUGH, Collapsed, useless
from minilift.lift.weak.one_view.measure import OneViewMeasure
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.rows import OneViewBatches
from minilift.lift.weak.one_view.training import OneViewTraining, unit_of
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, save_poses

Capture = pytest.CaptureFixture[str]
FLAGS = ["--hidden", "16", "--blocks", "1", "--batch-size", "8", "--device", "cpu"]


def people(n: int = 600) -> Poses:
    made = synthesize(n, 3)
    return Poses(made.joint_2d, made.joint_3d)


@pytest.mark.parametrize("n", [ENOUGH, 600])
def test_the_measure_knows_truth_from_flat_and_flipped(n: int) -> None:
    """Without 3D: poses as they are look from elsewhere as people do."""
    poses = people(n)
    images = np.asarray(poses.joint_2d).reshape(len(poses), -1)
    truth = np.asarray(poses.joint_3d)[..., 2]
    model = LiftModel(0, 8, head="ray", slope=0.2)
    measure = OneViewMeasure(Adversaries.of(model, unit_of(poses), np.radians(7.5)), unit_of(poses), False)
    found = {}
    for name, depth in (("true", truth), ("flipped", -2 - truth), ("flat", truth * 0 - 1 + 1e-4)):
        joints = np.empty((len(poses), 45), np.float32)
        joints[:, 0::3], joints[:, 1::3] = -images[:, 0::2] * depth, -images[:, 1::2] * depth
        joints[:, 2::3] = depth

        class Knows:
            def lift(self, rows: np.ndarray, out: np.ndarray, joints: np.ndarray = joints) -> None:
                out[:] = joints

        measure.pair.predictor = lambda knows=Knows: knows()  # type: ignore[method-assign,assignment,misc]
        row = {f"val_{k}": v for k, v in measure.seen_from_elsewhere(images).items()}
        found[name] = useless(row), row
    assert found["true"][0] == ""
    assert found["true"][1]["val_gap"] < 0.7 * found["true"][1]["val_flat"]
    assert found["flipped"][0] == "front and back are exchanged"
    assert "than flat ones" in found["flat"][0]


def collapsing(out: Path | None) -> OneViewTraining:
    """Without a discriminator."""
    return made(out, people(), Weights(adversarial=0.0), epochs=40, lr=3e-3, mean_elevation="7.5")


def test_a_collapse_stops_the_run_and_leaves_no_useless_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a discriminator flat poses are the cheapest."""
    monkeypatch.setattr(guard, "GRACE", 30)
    training = collapsing(tmp_path)
    with pytest.raises(Collapsed, match=r"than flat ones \(gap .*start again with another seed") as caught:
        training.fit()
    best = training.trainer.progress.best_epoch
    left = f"{tmp_path / 'liftModel'}, of epoch {best}, was as useless and is removed; to resume would go on"
    assert left in str(caught.value)
    history = training.trainer.progress.history
    assert 3 <= len(history) < 40
    assert useless(history[-1])
    assert not (tmp_path / "liftModel").exists()
    assert "val_flipped" in (tmp_path / "log.csv").read_text()


def test_weights_from_before_a_collapse_are_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "GRACE", 30)
    training = collapsing(tmp_path)
    measure, first = training.trainer.measure, list[dict[str, float]]()

    class GoodAtFirst:
        def __call__(self, batches: OneViewBatches) -> dict[str, float]:
            found = measure(batches)
            if not first:
                first.append(found)
                return {**found, "gap": 0.0, "loss": 0.0}
            return found

        sums = measure.sums

    training.trainer.measure = GoodAtFirst()  # type: ignore[assignment]
    with pytest.raises(Collapsed, match="liftModel is that of epoch 1, before the collapse; to resume would"):
        training.fit()
    assert (tmp_path / "liftModel").exists()
    with pytest.raises(
        Collapsed, match=r"lower learning rate; to resume would go on with what has collapsed$"
    ):
        collapsing(None).fit()


def test_few_held_out_poses_are_judged_together_with_those_of_training() -> None:
    poses = people(400)
    training = made(None, poses, epochs=1)
    held_out = training.validation
    assert isinstance(held_out, OneViewBatches)
    assert (len(held_out), training.judged) == (20, 400)
    assert held_out.others is not None
    seen = np.concatenate([held_out.x, held_out.others])
    every = np.asarray(poses.joint_2d).reshape(400, -1)
    assert sorted(map(bytes, seen)) == sorted(map(bytes, every))
    measure = training.trainer.measure
    assert isinstance(measure, OneViewMeasure)
    measured, wanted = measure(held_out), measure.seen_from_elsewhere(seen)
    assert {name: measured[name] for name in wanted} == wanted
    many = made(None, people(5000), epochs=1, val_fraction=0.1)
    assert isinstance(many.validation, OneViewBatches)
    assert (many.validation.others, many.judged) == (None, 500)


def test_poses_that_are_too_few_to_tell_stop_nothing() -> None:
    few, enough = people(ENOUGH - 1), people(ENOUGH)
    for poses, told in ((few, True), (enough, False)):
        training = made(None, poses, epochs=1)
        assert bool(training.trainer.listeners) != told
        rows = [{"epoch": 1, "steps": 10, "val_gap": 2.0, "val_flat": 1.0, "val_flipped": 3.0}]
        training.trainer.progress.history, training.trainer.progress.best_epoch = rows, 1
        assert training.doubt() == ("" if told else useless(rows[0]))


def test_what_the_command_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Of poses that are too few, and of a run that ends before it is more than flat."""
    monkeypatch.chdir(tmp_path)
    data = ["--weak", "one-view", "--data", "few.npz", "--epochs", "2", *FLAGS]
    save_poses("few.npz", replace(people(ENOUGH - 1), joint_3d=None))
    assert train(data) == 0
    told = capsys.readouterr().out
    assert f"warning: {ENOUGH - 1} poses: too few to tell right ones from flat ones" in told
    assert "of no use" not in told
    save_poses("few.npz", replace(people(400), joint_3d=None))
    assert train([*data, "--lr", "1e-5"]) == 0
    told = capsys.readouterr().out
    assert "too few" not in told
    wanted = "of no use: from elsewhere they look no more like people than flat ones"
    assert f"warning: these poses may be {wanted}; train longer (--resume --epochs 4), or" in told
