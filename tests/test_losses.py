"""Both losses and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minilift.nn.losses import mpjpe, mse
from minilift.ops import get_ops
from minilift.poses.metrics import cal_mpjpe

LOSSES = {"mpjpe": mpjpe, "mse": mse}


def pair(n: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 45)), rng.standard_normal((n, 45))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_is_the_derivative(loss: Callable[..., Any], seed: int) -> None:
    pred, target = pair(seed=seed)
    direction = np.random.default_rng(seed + 100).standard_normal(pred.shape)
    _, grad = loss(pred, target)
    eps = 1e-6
    numeric = (loss(pred + eps * direction, target)[0] - loss(pred - eps * direction, target)[0]) / (2 * eps)
    assert numeric == pytest.approx((grad * direction).sum(), rel=1e-6)  # worst seen 8e-8


def torch_loss(name: str, pred: Any, target: Any) -> Any:
    if name == "mse":
        return ((pred - target) ** 2).mean()
    return (pred - target).reshape(len(pred), -1, 3).norm(dim=2).mean()


@pytest.mark.parametrize("name", LOSSES)
def test_equals_torch_also_at_distance_0(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    pred, target = pair()
    pred[2, 6:9] = target[2, 6:9]
    target[3, :3] = 0
    pred[3, :3] = (1e-200, 0, 0)  # its square vanishes
    loss, grad = LOSSES[name](pred, target)
    p = torch.tensor(pred, requires_grad=True)
    expected = torch_loss(name, p, torch.tensor(target))
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-14)
    np.testing.assert_allclose(grad, p.grad.numpy(), rtol=0, atol=1e-15)
    assert not grad[2, 6:9].any() or name == "mse"


def test_mpjpe_at_distance_0_in_float32() -> None:
    pred = np.zeros((2, 45), np.float32)
    pred[1, 0] = 3
    loss, grad = mpjpe(pred, np.zeros_like(pred))
    assert loss == pytest.approx(3 / 30)
    assert grad.dtype == np.float32
    assert grad[1, 0] == pytest.approx(1 / 30)
    assert np.count_nonzero(grad) == 1


def test_the_loss_is_the_metric() -> None:
    pred, target = pair()
    assert mpjpe(pred, target)[0] == pytest.approx(
        cal_mpjpe(pred.reshape(-1, 15, 3), target.reshape(-1, 15, 3))
    )


@pytest.mark.parametrize("distance", [1e-3, 1e-9, 1e-15, 1e-18])
def test_small_distances_pull_as_hard_as_large_ones_in_float32(distance: float) -> None:
    pred = np.zeros((1, 3), np.float32)
    pred[0, 1] = distance
    assert mpjpe(pred, np.zeros_like(pred))[1][0, 1] == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_an_array_that_cannot_take_the_gradient_is_refused(loss: Callable[..., Any]) -> None:
    pred, target = pair()
    ops = get_ops("cpu", "float64")
    for grad in (np.zeros((8, 90))[:, :45], np.zeros((8, 45), np.float32), np.zeros((8, 44))):
        with pytest.raises(ValueError, match=r"grad must be a C-contiguous float64 array of shape \(8, 45\)"):
            loss(pred, target, ops, grad)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_given_arrays_are_written_and_added_to(loss: Callable[..., Any]) -> None:
    pred, target = pair()
    ops = get_ops("cpu", "float64")
    grad, total = ops.empty(pred.shape), ops.zeros((1,), "float64")
    value, expected = loss(pred, target)
    for _ in range(3):
        returned, out = loss(pred, target, ops, grad, total)
    assert returned is total
    assert out is grad
    assert total[0] == pytest.approx(3 * value)
    np.testing.assert_array_equal(grad, expected)


def test_shapes_that_do_not_fit_are_told() -> None:
    with pytest.raises(ValueError, match=r"pred \(2, 45\) and target \(3, 45\)"):
        mpjpe(np.ones((2, 45)), np.ones((3, 45)))
    with pytest.raises(ValueError, match="44 columns are not whole joints"):
        mpjpe(np.ones((2, 44)), np.ones((2, 44)))
