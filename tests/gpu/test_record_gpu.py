"""What is recorded of a run on a GPU: the layers, and a reason for the gradients that are not."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import make_poses

from minilift import Adam, LiftModel, run_epoch
from minilift.show.runs.record import Recorder


def test_on_a_gpu_gradients_are_left_out_with_a_reason(gpu: Any) -> None:
    model = LiftModel(1, 16, device="gpu")
    data = make_poses(64)
    found = Recorder(model, model.ops.asarray(data.joint_2d.reshape(64, -1)))
    adam = Adam(model.parameters())
    run_epoch(0, data, model, adam, None, 32, progress=False, recorder=found)
    found.epoch(1)
    assert "on the CPU only" in found.why
    arrays = found.arrays()
    assert len(arrays["gradient_norm"]) == 0
    weight = model.state_dict()["res-block_0.4.weight"]
    assert arrays["weight_std"][0, 2] == pytest.approx(weight.std(dtype=float), rel=1e-6)
