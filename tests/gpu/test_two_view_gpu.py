"""Training from two views on a GPU: the numbers of the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from test_two_view_loss import drawn, two_views

from minilift import SGD, LiftModel, run_epoch_weak
from minilift.lift.weak.two_view.build import with_triangulated
from minilift.lift.weak.two_view.loss import TwoViewLoss
from minilift.ops import get_ops


def test_the_loss_and_its_gradient(gpu: Any) -> None:
    _, pred, target = drawn(1)
    wanted, dwanted = TwoViewLoss()(pred, target, get_ops("cpu", "float64"))
    ops = get_ops("gpu", "float64")
    found, grad = TwoViewLoss()(ops.asarray(pred), ops.asarray(target), ops)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_allclose(ops.to_host(grad), dwanted, rtol=1e-9, atol=1e-13)


def test_an_epoch(gpu: Any) -> None:
    views, pseudo = two_views(100), with_triangulated(two_views(100))
    found = []
    for device in ("cpu", "gpu"):
        model = LiftModel(1, 16, 0.1, head="ray", device=device)
        model.standardise(pseudo.joint_2d, pseudo.joint_3d)
        given: dict[str, Any] = {"batch_size": 25, "progress": False, "flip": 0.5, "noise": 0.01}
        given["labels"] = np.arange(100) % 4 == 0
        optimiser = SGD(model.parameters(), 0.05)
        averages = run_epoch_weak(0, views, model, optimiser, **given)
        found.append((averages, run_epoch_weak(0, views, model, split="val"), model.state_dict()))
    (*here, weights), (*there, others) = found
    np.testing.assert_allclose(there, here, rtol=1e-4)
    for key, value in weights.items():
        np.testing.assert_allclose(others[key], value, rtol=0, atol=1e-5, err_msg=key)
