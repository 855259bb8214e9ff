"""Training from one view on a GPU: the numbers of the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import make_poses

from minilift import SGD, LiftModel
from minilift.lift.weak.one_view.cycle import Weights
from minilift.lift.weak.one_view.measure import OneViewMeasure
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.operations import turned_against
from minilift.lift.weak.one_view.rows import OneViewBatches
from minilift.lift.weak.one_view.step import OneViewStep
from minilift.ops import get_ops

UNIT = 0.1


def test_the_generator_out_of_the_discriminator(gpu: Any) -> None:
    rng = np.random.default_rng(0)
    scores, dimages = 20 * rng.standard_normal((300, 2)), rng.standard_normal((300, 6))
    found = []
    for device in ("cpu", "gpu"):
        ops = get_ops(device, "float64")
        total, out = ops.zeros((1,), "float64"), ops.empty(dimages.shape)
        turned_against(ops, ops.asarray(scores), ops.asarray(dimages), 0.7, total, out)
        found.append([ops.to_host(array) for array in (total, out)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


def test_steps_and_the_measure(gpu: Any) -> None:
    poses, found = make_poses(60), []
    for device in ("cpu", "gpu"):
        lifter = LiftModel(1, 16, 0.0, head="ray", slope=0.2, device=device)
        network = Adversaries.of(lifter, UNIT, None)
        optimiser = SGD(network.parameters(), 0.01, max_norm=1.0)
        step = OneViewStep(network, optimiser, UNIT, Weights(), truth=True)
        batches = OneViewBatches(poses, lifter, 20, truth=True, flip=0.5)
        for x, y in batches.epoch(0, network.ops):
            step(x, y)
        measured = OneViewMeasure(network, UNIT, truth=True)(batches)
        found.append((step.sums.read(), measured, network.snapshot()))
    for one, other in zip(*found, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.items():
            np.testing.assert_allclose(other[key], value, rtol=1e-4, atol=1e-5, err_msg=key)
