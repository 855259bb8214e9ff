"""`minilift train --start`: fine-tuning of weights, whose change of units is not that of the new data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from test_cli import fails

from minilift import Lifter, LiftModel
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint
from minilift.files.weights import load_state_dict
from minilift.lift.trust import trust_path
from minilift.lift.weights.begin import begin
from minilift.lift.weights.starting import STARTING
from minilift.poses.poses import save_poses

Capture = pytest.CaptureFixture[str]
HEADS: list[dict[str, Any]] = [
    {"head": "xyz"},
    {"head": "ray"},
    {"head": "place"},
    {"head": "place", "levels": True},
]
FEW = [
    "--data",
    "poses.npz",
    "--epochs",
    "2",
    "--device",
    "cpu",
    "--batch-size",
    "64",
    "--val-fraction",
    "0.4",
]


def changed(model: LiftModel, seed: int) -> None:
    """Statistics and weights as after training, none of them 0 or 1."""
    rng = np.random.default_rng(seed)
    state = {
        name: np.abs(rng.standard_normal(a.shape)).astype(a.dtype) + 0.5 if a.dtype.kind == "f" else a
        for name, a in super(LiftModel, model).state_dict().items()
    }
    for value in state.values():
        if value.ndim == 2:
            value *= np.float32(0.02) * rng.choice([-1, 1], value.shape)
    super(LiftModel, model).load_state_dict(state)


@pytest.mark.parametrize("options", HEADS, ids=str)
def test_the_weights_predict_the_same_in_other_units(options: dict[str, Any]) -> None:
    few, many = make_poses(50, 1), make_poses(500, 2)
    first = LiftModel(1, 12, dtype="float64", **options)
    first.standardise(few.joint_2d, few.joint_3d)
    changed(first, 3)
    other = LiftModel(1, 12, dtype="float64", **options)
    other.standardise(1.7 * many.joint_2d + 0.1, 0.6 * many.joint_3d)
    begin(other, first.state_dict())
    x = many.joint_2d[:40].reshape(40, 30).astype(np.float64)
    if options["head"] == "place":
        x[::3, 4:6] = np.nan
    if options.get("levels"):
        x = np.concatenate([x, np.full((40, 15), 0.004)], axis=1)
    wanted, found = np.array(first.forward(x)), np.array(other.forward(x))
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
    for name, array in first.state_dict().items():
        np.testing.assert_allclose(other.state_dict()[name], array, rtol=1e-9, atol=1e-9)
    assert other.before is not None
    assert not np.allclose(other.before.scale, first.before.scale)  # type: ignore[union-attr]


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit the model"):
        begin(LiftModel(1, 8), LiftModel(1, 12).state_dict())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_poses("poses.npz", make_poses(600))
    model = LiftModel(1, 16, head="ray")
    model.standardise(make_poses(600).joint_2d, make_poses(600).joint_3d)
    Lifter(model).save("mine")
    return tmp_path


def test_training_starts_from_the_weights_that_come_with_the_package(place: Path, capsys: Capture) -> None:
    words = [*FEW, "--epochs", "1", "--lr", "1e-12", "--start", "--out", "fine"]
    assert train(words) == 0
    printed = capsys.readouterr().out
    assert "start starting" in printed
    tuned, given = Lifter.load("fine/liftModel"), Lifter.load()
    points = make_poses(20, 5).joint_2d
    assert tuned.model.takes_noise
    assert tuned.has_trust
    now = load_state_dict("fine/liftModel")
    # the rate is next to nothing, so only the statistics of the normalisation have moved
    for name in ("hidden1.weight", "output.weight"):
        np.testing.assert_allclose(now[name], given.model.state_dict()[name], rtol=1e-4, atol=1e-5)
    assert tuned.predict(points).shape == (20, 15, 3)


def test_a_run_takes_the_shape_of_its_weights_and_is_gentle(place: Path) -> None:
    assert train([*FEW, "--start", "mine"]) == 0
    _, meta = load_checkpoint("checkpoint.npz")
    config: Any = meta["settings"]
    config = config["config"]
    wanted = {"start": "mine", "blocks": 1, "hidden": 16, "head": "ray", "lr": 1e-3}
    assert {name: config[name] for name in wanted} == wanted
    assert trust_path("liftModel").exists()


def test_a_run_resumed_without_the_weights_gives_the_same_bits(place: Path) -> None:
    words = [*FEW, "--start", "mine", "--scheduler", "none", "--yaw", "30"]
    assert train([*words, "--epochs", "3", "--out", "whole"]) == 0
    assert train([*words, "--epochs", "1", "--out", "parts"]) == 0
    (place / "mine").unlink()
    assert train(["--resume", "--out", "parts", "--epochs", "3"]) == 0
    assert (place / "whole" / "liftModel").read_bytes() == (place / "parts" / "liftModel").read_bytes()


def test_what_contradicts_the_weights_is_said(place: Path, capsys: Capture) -> None:
    mine = [*FEW, "--start", "mine"]
    fails(train([*mine, "--hidden", "32"]), capsys, "--hidden 32: the weights to start from have --hidden 16")
    fails(train([*mine, "--head", "xyz"]), capsys, "--head xyz: the weights to start from have --head ray")
    fails(train([*mine, "--joint-dropout", "0.1"]), capsys, "--joint-dropout 0.1", "no ray")
    fails(train([*FEW, "--start", "--noise-to", "0"]), capsys, "--noise-to 0", "--noise-to 0.012")
    fails(train([*FEW, "--start", "gone"]), capsys, "gone: no such file")
    fails(train([*FEW, "--start", "poses.npz"]), capsys, "poses.npz")
    Lifter(LiftModel(1, 8, head="place")).save("old")
    fails(
        train([*FEW, "--start", "old", "--noise-to", "0.01"]),
        capsys,
        "take no noise levels; give --noise-to 0",
    )


def test_starting_is_the_word_of_the_flag_alone(place: Path) -> None:
    from minilift.cli.settings import read_train

    assert read_train(["--start"]).settings.start == STARTING
    assert read_train(["--start", "mine"]).settings.start == "mine"
    assert read_train([]).settings.start == ""
