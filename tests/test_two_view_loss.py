"""The loss of two views: its gradient, the same in torch, and what it is least for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift.lift.weak.symmetry import PAIRS, PARENTS
from minilift.lift.weak.two_view.loss import TruthMetric, TwoViewLoss
from minilift.lift.weak.two_view.rows import (
    IMAGE,
    JOINTS,
    ROTATION,
    SCALE,
    TRANSLATION,
    TRUTH,
    in_second_view,
    rows_of,
)
from minilift.ops import get_ops
from minilift.poses.views import TwoViews, second_view
from minilift.poses.views.make import draw_apart

N = 7


def two_views(n: int = N, seed: int = 0, noise: float = 0.0) -> TwoViews:
    """People before two cameras at different distances, with joint_3d."""
    rng = np.random.default_rng(seed)
    joints = np.asarray(make_poses(n, seed).joint_3d)
    first, other = np.radians(rng.uniform(-10, 25, (2, n)))
    view = second_view(joints, draw_apart(rng, n), first, other, rng.uniform(0.7, 1.4, n))
    images = joints[..., :2] / -joints[..., 2:], view.joint_2d
    images = tuple((x + noise * rng.standard_normal(x.shape)).astype(np.float32) for x in images)
    return TwoViews(images[0], images[1], view.rotation, view.translation, joints)


def drawn(seed: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """Poses of both views that are wrong everywhere, and what they are compared with, float64."""
    rng, views = np.random.default_rng(seed), two_views(seed=seed)
    truth = joints_of(views)
    return rng, truth + 0.1 * rng.standard_normal(truth.shape), rows_of(views, False).y.astype(float)


def joints_of(views: TwoViews) -> np.ndarray:
    """(2n, 3J): of view 1 and of view 2 in turn."""
    joints = np.asarray(views.joint_3d)
    return np.stack([joints, in_second_view(joints, views)], axis=1).reshape(2 * len(views), -1).astype(float)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weights", [(0, 0), (0.5, 0), (0, 0.1), (0.5, 0.1)])
def test_its_gradient_is_the_derivative(weights: tuple[float, float], seed: int) -> None:
    loss, (rng, pred, target) = TwoViewLoss(*weights), drawn(seed)
    ops = get_ops("cpu", "float64")
    before = pred.copy(), target.copy()
    _, grad = loss(pred, target, ops)
    np.testing.assert_array_equal(pred, before[0])
    np.testing.assert_array_equal(target, before[1])
    direction = rng.standard_normal(pred.shape)
    there, back = (float(loss(pred + step * direction, target, ops)[0]) for step in (1e-6, -1e-6))
    assert float((grad * direction).sum()) == pytest.approx((there - back) / 2e-6, rel=1e-6)


def test_torch_agrees() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the reference of this test")
    _, pred, target = drawn(4)
    value, grad = TwoViewLoss(0.3, 0.2)(pred, target, get_ops("cpu", "float64"))
    p = torch.tensor(pred, requires_grad=True)
    rows = torch.tensor(target).reshape(2 * N, -1)
    joints, turn = p.reshape(-1, JOINTS, 3), rows[:, ROTATION].reshape(-1, 3, 3)
    moved = joints @ turn.mT + rows[:, None, TRANSLATION]
    image = moved[..., :2] / torch.clamp(-moved[..., 2:], min=0.05)
    wanted = torch.linalg.norm(image - rows[:, IMAGE].reshape(-1, JOINTS, 2), dim=2).mean()
    other = joints.reshape(N, 2, JOINTS, 3).flip(1).reshape(joints.shape)
    apart = moved - rows[:, SCALE, None] * other
    wanted = wanted + 0.3 * torch.linalg.norm(apart, dim=2).mean()
    root = torch.tensor([0.0, 0, -1], dtype=torch.float64).expand(2 * N, 1, 3)
    lengths = torch.linalg.norm(joints - torch.cat([joints, root], 1)[:, PARENTS], dim=2)
    unlike = (lengths[:, PAIRS[:, 0]] - lengths[:, PAIRS[:, 1]]) / lengths.mean(1, keepdim=True)
    wanted = wanted + 0.2 * (unlike**2).mean()
    wanted.backward()
    assert value == pytest.approx(wanted.item(), rel=1e-12)
    np.testing.assert_allclose(grad, p.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_the_truth_costs_nothing_and_a_wrong_unit_does() -> None:
    views, ops = two_views(), get_ops("cpu", "float64")
    truth, target = joints_of(views), rows_of(views, True).y.astype(float)
    loss = TwoViewLoss(symmetry=0)
    assert loss(truth, target, ops)[0] < 1e-6
    total = ops.zeros((1,), dtype="float64")
    TruthMetric()(truth, target, ops, total)
    assert total[0] < 1e-7
    target[..., SCALE] = 1
    assert loss(truth, target, ops)[0] > 0.05
    with pytest.raises(ValueError, match="two views: pred"):
        loss(truth[:-1], target[:-1], ops)


@pytest.mark.parametrize("seed", range(2))
def test_a_label_is_in_place_of_the_other_view(seed: int) -> None:
    rng, pred, _ = drawn(seed)
    views, ops = two_views(seed=seed), get_ops("cpu", "float64")
    label = np.arange(N) % 3 == 0
    target = rows_of(views, True, label).y.astype(float)
    loss = TwoViewLoss()
    value, grad = loss(pred, target, ops)
    direction = rng.standard_normal(pred.shape)
    there, back = (float(loss(pred + step * direction, target, ops)[0]) for step in (1e-6, -1e-6))
    assert float((grad * direction).sum()) == pytest.approx((there - back) / 2e-6, rel=1e-6)
    # each part by itself, over as many rows
    pairs = pred.reshape(N, 2, -1)
    weak, _ = loss(pairs[~label].reshape(-1, 3 * JOINTS), rows_of(views, False).y.astype(float)[~label], ops)
    apart = (pairs - target[..., TRUTH])[label].reshape(label.sum(), 2, JOINTS, 3)
    truth = np.linalg.norm(apart, axis=3).mean()
    assert value == pytest.approx(weak * (~label).mean() + truth * label.mean(), rel=1e-12)


def test_float32_adds_to_totals_as_float64_does() -> None:
    _, pred, target = drawn(5)
    wanted, dwanted = TwoViewLoss()(pred, target, get_ops("cpu", "float64"))
    ops = get_ops("cpu")
    grad, total = ops.empty(pred.shape), ops.zeros((1,), dtype="float64")
    total[0] = 1
    found = TwoViewLoss()(pred.astype(np.float32), target.astype(np.float32), ops, grad, total)
    assert found[0] is total
    assert found[1] is grad
    assert total[0] == pytest.approx(1 + wanted, rel=1e-6)
    np.testing.assert_allclose(grad, dwanted, rtol=1e-3, atol=1e-6)
