"""What is recorded of a run: against the plain layers, computed anew, and without a trace in the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, InputError, LiftModel, StepLR, run_epoch
from minilift.cli.train import main as train
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.training import Training, lift_training
from minilift.nn import Linear, ReLU, losses
from minilift.poses.poses import save_poses
from minilift.show.runs import curves as curves_module
from minilift.show.runs.curves import Curves
from minilift.show.runs.logs import read_record
from minilift.show.runs.record import FIRST_STEPS, Recorder

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
SMALL = ["--hidden", "16", "--epochs", "2", "--batch-size", "64", "--blocks", "1", "--device", "cpu"]


def made(dtype: str = "float32", **options: Any) -> tuple[LiftModel, Adam]:
    data = make_poses(300)
    model = LiftModel(2, 16, 0.2, seed=3, dtype=dtype, **options)
    model.standardise(data.joint_2d, data.joint_3d)
    return model, Adam(model.parameters(), lr=3e-3)


def recorder(model: LiftModel, rows: int = 40) -> Recorder:
    return Recorder(model, model.ops.asarray(make_poses(rows, 5).joint_2d.reshape(rows, -1)))


@pytest.mark.parametrize("head", ["xyz", "ray"])
@pytest.mark.parametrize("batch", [20, 75])  # the step composes two layers where the batch is large
def test_gradients_are_those_of_the_plain_layers(head: str, batch: int) -> None:
    """The same steps, done with forward, loss, backward and step one by one."""
    data = make_poses(300)
    fast, adam = made("float64", head=head)
    found = recorder(fast)
    run_epoch(0, data, fast, adam, None, batch, progress=False, recorder=found)

    plain, adam = made("float64", head=head)
    ops = plain.ops
    order = ops.generator((plain.seed, 0)).permutation(300)
    means, norms = [], []
    for first in range(0, 300, batch):
        rows = order[first : first + batch]
        x, y = (ops.asarray(joints[rows].reshape(batch, -1)) for joints in (data.joint_2d, data.joint_3d))
        pred, grad = plain.forward(x, train=True), ops.empty(y.shape)
        losses.mpjpe(pred, y, ops, grad, ops.zeros((1,), dtype="float64"))
        plain.backward(grad)
        every = np.concatenate([p.grad.ravel() for p in plain.parameters()])
        means.append(np.abs(every).mean())
        norms.append(np.linalg.norm(every))
        adam.step()
    arrays = found.arrays()
    np.testing.assert_allclose(arrays["gradient_mean"], means, rtol=1e-9)
    np.testing.assert_allclose(arrays["gradient_norm"], norms, rtol=1e-9)


def test_clipped_gradients_are_recorded_as_the_optimiser_took_them() -> None:
    model, _ = made()
    adam = Adam(model.parameters(), max_norm=1e-3)
    found = recorder(model)
    run_epoch(0, make_poses(300), model, adam, None, 50, progress=False, recorder=found)
    np.testing.assert_allclose(found.arrays()["gradient_norm"], 1e-3, rtol=1e-4)


def test_only_the_first_steps_are_recorded() -> None:
    model, adam = made()
    found = recorder(model)
    for epoch in range(2):
        run_epoch(epoch, make_poses(300), model, adam, None, 4, progress=False, recorder=found)
    assert adam.steps == 150
    assert len(found.arrays()["gradient_norm"]) == FIRST_STEPS == 100


def test_layers_against_the_plain_layers_one_by_one() -> None:
    model, adam = made()
    run_epoch(0, make_poses(300), model, adam, None, 50, progress=False)
    for layer in (model.children["res-block_0"].children["1"], model.children["res-block_1"].children["5"]):
        layer.bias.data = np.where(np.arange(16) < 5, -1e3, 0.1)  # type: ignore[attr-defined]
    found = recorder(model)
    found.epoch(0)
    found.epoch(1)
    arrays = found.arrays()
    assert arrays["epochs"].tolist() == [0, 1]
    state = model.snapshot()
    for i, name in enumerate(arrays["weight_names"]):
        assert arrays["weight_mean"][1, i] == pytest.approx(state[f"{name}.weight"].mean(dtype=float))
        assert arrays["weight_std"][1, i] == pytest.approx(state[f"{name}.weight"].std(dtype=float))
    assert arrays["weight_names"].tolist() == [
        "hidden1", "res-block_0.0", "res-block_0.4", "res-block_1.0", "res-block_1.4", "output",
    ]  # fmt: skip
    names = ["hidden1", "res-block_0.2", "res-block_0.6", "res-block_1.2", "res-block_1.6", "output"]
    assert arrays["activation_names"].tolist() == names
    assert arrays["relu_names"].tolist() == names[1:-1]

    assert model.before is not None
    x, given = model.before.forward(found.sample), {}
    for child in model.children.values():
        start = x
        for layer in child.children.values() or [child]:
            x = layer.forward(x)
            given[id(layer)] = x.copy()
        x = start + x if child.children else x
    layers = dict(model.modules())
    for i, name in enumerate(names):
        assert isinstance(layers[name], ReLU if "." in name else Linear)
        y = given[id(layers[name])].astype(float)
        assert arrays["activation_mean"][1, i] == pytest.approx(y.mean(), rel=1e-5)
        assert arrays["activation_std"][1, i] == pytest.approx(y.std(), rel=1e-5)
    dead = [(given[id(layers[name])] == 0).all(axis=0).sum() / 16 for name in names[1:-1]]
    np.testing.assert_array_equal(arrays["dead"][1], dead)
    assert min(dead[0], dead[3]) >= 5 / 16
    assert max(dead[1], dead[2]) < 1


# ---- Trainer -------------------------------------------------------------------------------------------


def trainer(out: Path, record: bool, **options: Any) -> Training:
    data = make_poses(400)
    model, adam = made()
    parts = {"train": data.take(slice(0, 320)), "validation": data.take(slice(320, 400))}
    return lift_training(
        model, adam, StepLR(adam, 7, 0.5, per="batch"), **parts, epochs=3, batch_size=32, out=out,
        show=lambda line: None, bar=False, recorder=recorder(model, 70) if record else None, **options,
    )  # fmt: skip


@pytest.mark.parametrize("augmentation", [None, Augmentation(flip=0.5, noise=0.01)])
def test_recording_changes_no_bit(tmp_path: Path, augmentation: Augmentation | None) -> None:
    runs = [trainer(tmp_path / str(record), record, augmentation=augmentation) for record in (False, True)]
    for run in runs:
        assert run.fit()
    plain, watched = (run.trainer.network.snapshot() for run in runs)
    for key, value in plain.items():
        np.testing.assert_array_equal(watched[key], value, err_msg=key)
    files = [(tmp_path / str(record) / "liftModel").read_bytes() for record in (False, True)]
    assert files[0] == files[1]
    assert not (tmp_path / "False" / "record.npz").exists()


def test_the_record_lies_beside_the_log(tmp_path: Path) -> None:
    run = trainer(tmp_path, True)
    assert run.fit()
    found = read_record(tmp_path / "record.npz")
    assert found["epochs"].tolist() == [0, 1, 2, 3]
    assert len(found["gradient_norm"]) == 30
    assert run.trainer.recorder is not None
    for name, array in run.trainer.recorder.arrays().items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_a_record_goes_on_where_the_checkpoint_does(tmp_path: Path) -> None:
    straight, first = trainer(tmp_path / "a", True), trainer(tmp_path / "b", True)
    assert straight.fit()
    first.epochs = 1
    assert first.fit()
    seen = first.trainer.recorder
    assert seen is not None
    seen.step(11)  # what a killed run had recorded behind its checkpoint
    seen.epoch(2)
    again = trainer(tmp_path / "b", True)
    resumed, found = again.trainer, again.trainer.recorder
    assert resumed.resume()
    assert found is not None
    found.restore(seen.arrays(), resumed.optimiser.steps, resumed.progress.epoch)
    assert (len(found.gradients), list(found.layers)) == (10, [0, 1])
    assert again.fit()
    assert straight.trainer.recorder is not None
    for name, array in straight.trainer.recorder.arrays().items():
        np.testing.assert_array_equal(found.arrays()[name], array, err_msg=name)


def test_a_record_of_another_model_is_not_taken_over() -> None:
    other = recorder(LiftModel(1, 16))
    other.gradients = [(1.0, 1.0)]
    mine = recorder(made()[0])
    mine.restore(other.arrays(), 1, 1)
    assert mine.gradients == []


# ---- train.py --plot -------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_poses("data_train_lift.pkl", make_poses(600))
    return tmp_path


def test_plot_draws_while_training_and_changes_no_weight(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    assert train([*SMALL, "--out", "plain"]) == 0
    assert train([*SMALL, "--out", "drawn", "--plot", "pictures/curves.svg"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "wrote pictures/curves.svg"
    assert Path("plain/liftModel").read_bytes() == Path("drawn/liftModel").read_bytes()
    text = Path("pictures/curves.svg").read_text()
    for words in ("MPJPE [units]", "gradient norm, first steps", "activations: spread", "res-block_0.4"):
        assert f"<!-- {words} -->" in text
    assert train(["--resume", "--out", "drawn", "--epochs", "3"]) == 0  # its settings are those of the run
    assert read_record("drawn/record.npz")["epochs"].tolist() == [0, 1, 2, 3]
    assert Path("pictures/curves.svg").read_text() != text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--plot", "curves.jpg"], "the name must end in .png, .svg or .pdf"),
        (["--plot", "a.png", "--weights", "a.png"], "--plot a.png: another file needs that name"),
        (["--plot", "data_train_lift.pkl/a.png"], "data_train_lift.pkl is not a folder"),
        (["--weights", "record.npz"], "another file needs that name"),
    ],
)
def test_a_bad_place_is_told_before_training(
    folder: Path, capsys: Capture, flags: list[str], words: str
) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    assert train([*SMALL, *flags]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["data_train_lift.pkl"]


def test_without_matplotlib_nothing_is_begun(folder: Path, capsys: Capture, monkeypatch: Patch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert train([*SMALL, "--plot", "curves.png"]) == 2
    assert capsys.readouterr().err == (
        "minilift train: error: drawing needs matplotlib: pip install 'minilift[plot]'\n"
    )
    assert [path.name for path in folder.iterdir()] == ["data_train_lift.pkl"]


def test_drawing_takes_no_more_than_its_share(monkeypatch: Patch, capsys: Capture) -> None:
    """With drawings of 3 s and epochs of 10 s, one in three epochs is drawn: 3 of 30."""
    now, drawn = [100.0], []

    def draw(rows: Any, path: str, record: Any) -> None:
        now[0] += 3
        drawn.append(len(rows))
        if len(drawn) == 2:
            raise InputError("no space left")

    monkeypatch.setattr(curves_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(curves_module, "plot_training", draw)
    curves = Curves("a.png", made()[0], make_poses(30))
    for epoch in range(1, 11):
        now[0] += 10
        curves.after_epoch([{}] * epoch)
    assert drawn == [1, 4, 7, 10]
    assert capsys.readouterr().err == "warning: no space left\n"
