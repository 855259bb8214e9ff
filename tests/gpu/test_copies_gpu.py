"""Copies and pickles of what lies on a GPU: by way of the host, in the order of its stream."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, Lifter, LiftModel
from minilift.lift.fast.choose import fast_step
from minilift.nn import Linear, losses
from minilift.nn.module import Module

COPIES = {"copy": copy.deepcopy, "pickle": lambda value: pickle.loads(pickle.dumps(value))}
POSES = make_poses(40)


def trained(head: str, levels: bool = False) -> LiftModel:
    model = LiftModel(1, 32, 0.3, seed=1, device="gpu", head=head, levels=levels)
    model.standardise(POSES.joint_2d, POSES.joint_3d)
    step(model)
    return model


def step(model: LiftModel) -> None:
    ops = model.ops
    x, y = (ops.asarray(rows.reshape(len(POSES), -1)) for rows in (POSES.joint_2d, POSES.joint_3d))
    fast_step(model, losses.mpjpe, Adam(model.parameters(), 1e-2))(x, y)


@pytest.mark.parametrize("made", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("head", ["xyz", "ray", "place"])
def test_a_network_on_a_gpu_is_copied_whole(gpu: Any, head: str, made: Callable[[Any], Any]) -> None:
    model = trained(head)
    before = model.snapshot()
    other = made(model)
    assert other.ops is not model.ops
    assert other.device == "gpu"
    for net in (other, model):  # the copy learns by itself, and as its original does
        for key, value in before.items():
            np.testing.assert_array_equal(net.snapshot()[key], value, err_msg=key)
        step(net)
    for key, value in model.snapshot().items():
        np.testing.assert_array_equal(other.snapshot()[key], value, err_msg=key)
    assert any((model.snapshot()[key] != value).any() for key, value in before.items())


@pytest.mark.parametrize("made", COPIES.values(), ids=COPIES)
def test_a_lifter_on_a_gpu_is_copied(gpu: Any, made: Callable[[Any], Any]) -> None:
    lifter = Lifter(trained("ray"))
    np.testing.assert_array_equal(made(lifter).predict(POSES.joint_2d), lifter.predict(POSES.joint_2d))


def test_what_is_copied_goes_to_the_card_it_came_from(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr("minilift.ops.cuda.cupy_core.open_gpu", lambda index: opened.append(index) or gpu)
    model = LiftModel(1, 16, device="gpu:3")
    monkeypatch.setattr(model.ops, "index", 3)  # the stand-in is the first card, whatever it is asked for
    copy.deepcopy(model)
    assert opened == [3, 3]


def test_a_copied_layer_is_trained_by_itself() -> None:
    """The vector in which its parameters lay stays with the original."""
    model = LiftModel(1, 16)
    layer = model.children["hidden1"]
    assert isinstance(layer, Linear)
    other = copy.deepcopy(layer)
    before, kept = other.weight.data.copy(), layer.weight.data.copy()
    adam = Adam(Module.parameters(other), 0.1)
    other.weight.grad = np.ones_like(other.weight.data)
    adam.step()
    assert (other.weight.data != before).all()
    np.testing.assert_array_equal(layer.weight.data, kept)
