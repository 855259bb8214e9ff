"""Models without normalisation: saved, read, predicted with and exported as others are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, Lifter, LiftModel, evaluate, run_epoch
from minilift.errors import InputError
from minilift.files.weights import load_state_dict, save_state_dict
from minilift.lift.onnx import difference, to_onnx
from minilift.lift.weights.begin import begin
from minilift.nn import ReLU

POSES = make_poses(200)


def plain(slope: float = 0.25, seed: int = 3, **options: object) -> LiftModel:
    model = LiftModel(2, 24, 0.0, seed=seed, slope=slope, head="ray", **options)  # type: ignore[arg-type]
    model.standardise(POSES.joint_2d, POSES.joint_3d)
    adam = Adam(model.parameters(), 1e-2)
    for epoch in range(2):
        run_epoch(epoch, POSES, model, adam, None, 50, progress=False)
    return model


def slopes(model: LiftModel) -> set[float]:
    return {layer.slope for _, layer in model.modules() if isinstance(layer, ReLU)}


@pytest.mark.parametrize("name", ["liftModel", "w.safetensors"])
def test_a_file_says_that_there_is_no_normalisation_and_the_slope(tmp_path: Path, name: str) -> None:
    model, points = plain(), POSES.joint_2d
    Lifter(model).save(tmp_path / name)
    again = Lifter.load(tmp_path / name)
    assert slopes(again.model) == {0.25}
    assert not any("running" in key for key in again.model.state_dict())
    np.testing.assert_allclose(again.predict(points), Lifter(model).predict(points), atol=1e-6)
    layered = model.forward(points.reshape(len(points), -1)).reshape(-1, *points.shape[1:-1], 3)
    np.testing.assert_allclose(again.predict(points), layered, atol=1e-6)  # worst seen 2e-7
    np.testing.assert_allclose(again.predict(points[7]), layered[7], atol=1e-6)
    assert evaluate(again.model, POSES).mpjpe == pytest.approx(evaluate(model, POSES).mpjpe, rel=1e-5)


def test_it_goes_on_from_where_it_was(tmp_path: Path) -> None:
    model, other, third = plain(), plain(0.5, seed=4), plain(0.5, seed=5)
    other.restore(model.snapshot())
    begin(third, model.state_dict())
    assert slopes(other) == slopes(third) == {0.25}
    x = POSES.joint_2d.reshape(len(POSES), -1)
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    np.testing.assert_allclose(third.forward(x), model.forward(x), atol=1e-6)


def test_onnx_has_the_slope() -> None:
    pytest.importorskip("onnxruntime", reason="ONNX is an extra: pip install minilift[onnx]")
    pytest.importorskip("onnx")
    assert difference(to_onnx(plain()), plain()) < 1e-6


@pytest.mark.parametrize("slope", [[1.5], [np.nan], [-0.1], [0.1, 0.2], []])
def test_a_slope_that_is_none_is_refused(tmp_path: Path, slope: list[float]) -> None:
    state = plain().state_dict() | {"slope": np.array(slope, np.float32)}
    save_state_dict(tmp_path / "w", state)
    with pytest.raises(InputError, match="'slope'"):
        Lifter.load(tmp_path / "w")


def test_weights_with_and_without_normalisation_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        begin(plain(), LiftModel(2, 24, head="ray").state_dict())
    state = {name: array for name, array in plain().state_dict().items() if name != "slope"}
    save_state_dict(tmp_path / "w", state)
    with pytest.raises(InputError, match="res-block_0"):
        load_state_dict(tmp_path / "w") and Lifter.load(tmp_path / "w")
    with pytest.raises(ValueError, match="slope must be"):
        ReLU(1.0)
