"""The layers on a GPU give what they give on the CPU, in both directions and both modes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from cases import LAYERS
from conftest import make_poses

from minilift import Lifter, LiftModel, evaluate
from minilift.images.layers import GlobalMaxPool2d, MaxPool2d
from minilift.nn import Module, Sequential, losses
from minilift.ops import get_ops


def passes(name: str, device: str, train: bool) -> dict[str, np.ndarray]:
    """Two forward and backward passes: the second shows what the first has left behind."""
    rng, case = np.random.default_rng(3), LAYERS[name]
    layer: Module = case.make(get_ops(device, "float64"), rng)
    ops, found = layer.ops, {}
    for number in range(2):
        y = layer.forward(ops.asarray(rng.standard_normal(case.shape(16))), train)
        found[f"y {number}"] = ops.to_host(y)
        dx = layer.backward(ops.asarray(rng.standard_normal(y.shape)))
        found[f"dx {number}"] = ops.to_host(dx)
        gradients = {k: ops.to_host(p.grad) for k, p in layer.named_parameters()}
        found |= {f"{k} {number}": value for k, value in gradients.items()}
    return {**found, **layer.state_dict()}


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_same_on_both(gpu: Any, name: str, train: bool) -> None:
    expected, found = passes(name, "cpu", train), passes(name, "gpu", train)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12, err_msg=key)  # worst seen 4e-15


@pytest.mark.parametrize("layer", [MaxPool2d(2), MaxPool2d(3, 1), GlobalMaxPool2d()], ids=repr)
def test_of_equal_values_both_take_the_first(gpu: Any, layer: Module) -> None:
    x = np.maximum(np.random.default_rng(3).integers(-4, 2, (4, 2, 6, 5)), 0).astype(np.float32)  # mostly 0
    dy = np.random.default_rng(4).standard_normal(layer.forward(x).shape).astype(np.float32)
    expected = layer.backward(dy)
    other = copy.deepcopy(Sequential(layer)).to("gpu")
    np.testing.assert_array_equal(other.ops.to_host(other.forward(x)), layer.forward(x))
    np.testing.assert_allclose(other.ops.to_host(other.backward(dy)), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["Conv2d", "Conv2d with strides"])
def test_images_in_parts_give_the_same(gpu: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = passes(name, "gpu", True)
    monkeypatch.setattr("minilift.images.ops.cupy_images.COLUMNS", 5000)  # a few images at a time
    found = passes(name, "gpu", True)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12, err_msg=key)


def test_a_second_pass_adds(gpu: Any) -> None:
    layer: Module = LAYERS["Sequential"].make(get_ops("gpu", "float64"), np.random.default_rng(0))
    x, dy = np.random.default_rng(1).standard_normal((2, 16, 7))
    layer.forward(x)
    layer.backward(dy[:, :3])
    once = [layer.ops.to_host(p.grad) for p in layer.parameters()]
    layer.forward(x)
    layer.backward_add(dy[:, :3])
    for p, grad in zip(layer.parameters(), once, strict=True):
        np.testing.assert_allclose(layer.ops.to_host(p.grad), 2 * grad, rtol=1e-12)


def test_losses_take_arrays_of_the_device(gpu: Any) -> None:
    ops = get_ops("gpu")
    value, grad = losses.mpjpe(ops.ones((2, 6)), ops.zeros((2, 6)), ops)
    assert value == pytest.approx(3**0.5)
    assert ops.to_host(grad).shape == (2, 6)


def trained(device: str) -> LiftModel:
    poses = make_poses(100)
    model = LiftModel(2, 64, seed=4, device=device)
    model.standardise(poses.joint_2d, poses.joint_3d)
    x = model.ops.asarray(poses.joint_2d.reshape(100, 30))
    for _ in range(3):
        model.forward(x, train=True)
    return model


def test_prediction_is_the_same_on_both(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "minilift.ops.cuda.cupy_ops.CupyOps.rows_at_once", 8
    )  # several parts of several chunks
    poses = make_poses(150, seed=1)
    cpu, here = trained("cpu"), trained("gpu")
    expected = Lifter(cpu).predict(poses.joint_2d)
    lifter = Lifter(here)
    np.testing.assert_allclose(lifter.predict(poses.joint_2d), expected, atol=2e-6)
    np.testing.assert_allclose(lifter.predict(poses.joint_2d[0]), expected[0], atol=2e-6)
    assert lifter.predict(np.zeros((0, 15, 2))).shape == (0, 15, 3)
    assert evaluate(here, poses).mpjpe == pytest.approx(evaluate(cpu, poses).mpjpe, abs=1e-6)


def test_weights_move_between_the_two(gpu: Any) -> None:
    model = trained("gpu")
    state = model.state_dict()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    moved = LiftModel.from_state_dict(state, device="cpu")
    back = LiftModel.from_state_dict(moved.state_dict(), device="gpu").state_dict()
    for key, value in state.items():
        np.testing.assert_array_equal(back[key], value, err_msg=key)


def test_operations_are_pickled_by_their_settings(gpu: Any) -> None:
    ops = get_ops("gpu", "float64", tf32=True)
    for again in (copy.copy(ops), pickle.loads(pickle.dumps(ops))):
        assert (again.device, again.dtype, again.tf32) == ("gpu", "float64", True)


@pytest.mark.parametrize("levels", [False, True], ids=["plain", "levels"])
@pytest.mark.parametrize("told", [False, True], ids=["exact", "told"])
def test_joints_that_were_not_seen_and_doubt_are_the_same_on_both(gpu: Any, levels: bool, told: bool) -> None:
    if told and not levels:
        with pytest.raises(ValueError, match="expected input of shape"):
            LiftModel(1, 8, device="gpu", head="place").forward(np.zeros((2, 45)))
        return
    rng, data = np.random.default_rng(2), make_poses(40)
    x = data.joint_2d.reshape(40, 30).astype(np.float64)
    x.reshape(40, 15, 2)[rng.random((40, 15)) < 0.3] = np.nan
    x[3, 7] = np.nan  # one coordinate alone says it, too
    if told:
        x = np.concatenate([x, rng.choice([0, 0.003, 0.05], (40, 15))], axis=1)
    dy, found = rng.standard_normal((40, 45)), []
    for device in ("cpu", "gpu"):
        model = LiftModel(1, 16, 0.0, head="place", levels=levels, seed=1, device=device, dtype="float64")
        model.standardise(data.joint_2d, data.joint_3d)
        ops = model.ops
        y = ops.to_host(model.forward(ops.asarray(x), True)).copy()
        dx = ops.to_host(model.backward(ops.asarray(dy))).copy()
        predicted = np.empty((40, 45))
        model.predictor().lift(x, predicted)
        gradients = [ops.to_host(p.grad) for _, p in model.named_parameters()]
        found.append([y, dx, predicted, *gradients])
    for here, there in zip(*found, strict=True):
        assert np.isfinite(here).all()
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-10)
