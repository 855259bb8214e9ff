"""Any network on a GPU: what the Trainer does there, and a lifter that moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from test_trainer import CASES

from minilift import SGD, LiftModel, Trainer, evaluate


def test_a_classifier_trains_as_on_the_cpu(gpu: Any) -> None:
    make, data = CASES["classifier"]
    found = []
    for device in ("cpu", "gpu"):
        made = make(None)
        net = made.network.to(device)
        # Adam makes whole steps of rounding where a gradient is 0
        trainer = Trainer(
            net, made.measure.sums.loss, SGD(net.parameters(), 0.05), metrics=made.measure.sums.metrics,
            show=lambda line: None, bar=False,
        )  # fmt: skip
        assert trainer.fit(*data(), epochs=2)
        found.append((trainer.progress.history, net.state_dict()))
    for here, there in zip(*(history for history, _ in found), strict=True):
        for key in here.keys() - {"seconds"}:
            assert there[key] == pytest.approx(here[key], rel=1e-4, abs=1e-6), key
    for key, value in found[0][1].items():
        np.testing.assert_allclose(found[1][1][key], value, rtol=0, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("head", ["xyz", "ray"])
def test_a_lifter_moves_with_its_units(gpu: Any, head: str) -> None:
    poses = make_poses(100)
    model = LiftModel(1, 32, head=head)
    model.standardise(poses.joint_2d, poses.joint_3d)
    before, state = evaluate(model, poses), model.snapshot()
    assert model.to("gpu").device == "gpu"
    assert evaluate(model, poses) == pytest.approx(before, rel=1e-4)
    for key, value in model.to("cpu").snapshot().items():
        np.testing.assert_array_equal(value, state[key], err_msg=key)
