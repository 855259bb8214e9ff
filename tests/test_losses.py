"""The losses, their gradients, and accuracy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minilift.nn import losses
from minilift.nn.losses import (
    MPJPE,
    MSE,
    BCEWithLogits,
    CrossEntropy,
    bce_with_logits,
    cross_entropy,
    mpjpe,
    mse,
)
from minilift.nn.metrics import accuracy
from minilift.ops import get_ops
from minilift.poses.metrics import cal_mpjpe

LOSSES = {"mpjpe": mpjpe, "mse": mse}
SHAPES = {"rows": (8, 45), "points": (8, 15, 3), "clips": (2, 4, 15, 3), "one": (45,)}


def pair(n: int = 8, seed: int = 0, shape: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = shape or (n, 45)
    return rng.standard_normal(shape), rng.standard_normal(shape)


def scores(n: int = 8, classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal((n, classes)), rng.integers(0, classes, n)


def test_a_class_and_a_ready_instance_each() -> None:
    for kind, ready, name in (
        (MPJPE, mpjpe, "mpjpe"),
        (MSE, mse, "mse"),
        (CrossEntropy, cross_entropy, "cross_entropy"),
        (BCEWithLogits, bce_with_logits, "bce_with_logits"),
    ):
        assert isinstance(ready, kind)
        assert kind.name == ready.name == name
        assert getattr(losses, name) is ready


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_is_the_derivative(loss: Callable[..., Any], shape: tuple[int, ...], seed: int) -> None:
    pred, target = pair(seed=seed, shape=shape)
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
    with pytest.raises(ValueError, match=r"pred \(2, 44\) is not whole joints"):
        mpjpe(np.ones((2, 44)), np.ones((2, 44)))
    with pytest.raises(ValueError, match=r"pred \(0, 45\) is empty"):
        mpjpe(np.ones((0, 45)), np.ones((0, 45)))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_shape_changes_no_bit(loss: Callable[..., Any]) -> None:
    pred, target = pair()
    value, grad = loss(pred, target)
    for shape in ((8, 15, 3), (2, 4, 45), (360,)):
        other, out = loss(pred.reshape(shape), target.reshape(shape))
        assert other == value
        np.testing.assert_array_equal(out, grad.reshape(shape))


# ---- classes -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(8, 10), (1, 2), (3, 4, 6), (5, 1)])
def test_cross_entropy_has_the_gradient_of_its_value(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred, target = 3 * rng.standard_normal(shape), rng.integers(0, shape[-1], shape[:-1])
    direction = rng.standard_normal(shape)
    _, grad = cross_entropy(pred, target)
    ends = [cross_entropy(pred + step * direction, target)[0] for step in (1e-6, -1e-6)]
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx((grad * direction).sum(), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1, 1e4])
def test_cross_entropy_equals_torch_also_for_large_scores(size: float, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    pred, target = scores(64)
    pred = (size * pred).astype(dtype)
    p = torch.tensor(pred, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(p, torch.tensor(target))
    expected.backward()
    loss, grad = cross_entropy(pred, target)
    assert grad.dtype == dtype
    close = {"float64": 1e-14, "float32": 1e-6}[dtype]  # seen 2e-16 and 8e-8
    assert loss == pytest.approx(expected.item(), rel=close)
    np.testing.assert_allclose(grad, p.grad.numpy(), rtol=0, atol=0.1 * close)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(8, 10), (7,), (3, 4, 6)])
def test_bce_has_the_gradient_of_its_value(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred, target, direction = 3 * rng.standard_normal(shape), rng.random(shape), rng.standard_normal(shape)
    _, grad = bce_with_logits(pred, target)
    ends = [bce_with_logits(pred + step * direction, target)[0] for step in (1e-6, -1e-6)]
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx((grad * direction).sum(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1, 1e4])
def test_bce_equals_torch_also_for_large_scores_and_takes_classes(size: float, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    pred, classes = scores(64)
    pred, target = (size * pred).astype(dtype), np.eye(10, dtype=dtype)[classes]
    p = torch.tensor(pred, requires_grad=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(p, torch.tensor(target))
    expected.backward()
    loss, grad = bce_with_logits(pred, target)
    close = {"float64": 1e-14, "float32": 1e-6}[dtype]  # seen 3e-16 and 1e-7
    assert loss == pytest.approx(expected.item(), rel=close)
    np.testing.assert_allclose(grad, p.grad.numpy(), rtol=0, atol=0.1 * close)
    of_classes, same = bce_with_logits(pred, classes)
    assert of_classes == loss
    np.testing.assert_array_equal(same, grad)


def test_cross_entropy_of_scores_that_say_nothing() -> None:
    loss, grad = cross_entropy(np.full((4, 10), 7.0), [0, 3, 9, 9])
    assert loss == pytest.approx(np.log(10))
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-16)
    assert grad[1, 3] == pytest.approx((0.1 - 1) / 4)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_classes_are_whole_numbers_of_any_kind(kind: str) -> None:
    pred, target = scores()
    assert cross_entropy(pred, target.astype(kind))[0] == cross_entropy(pred, target)[0]
    assert accuracy(pred, target.astype(kind)) == accuracy(pred, target)


@pytest.mark.parametrize("given", [False, True], ids=["alone", "with a total"])
@pytest.mark.parametrize("name", ["cross_entropy", "bce_with_logits", "accuracy"])
def test_targets_that_are_no_classes_are_told(name: str, given: bool) -> None:
    pred, target = scores(4)
    ops = get_ops("cpu", "float64")
    call: Any = {
        "cross_entropy": cross_entropy, "bce_with_logits": bce_with_logits, "accuracy": accuracy
    }[name]  # fmt: skip
    total = {"total": ops.zeros((1,), "float64")} if given else {}
    for wrong, told in (
        (target[:3], r"pred \(4, 10\) and target \(3,\)"),
        (target[:, None], r"pred \(4, 10\) and target \(4, 1\)"),
        (target + 0.5, "target must be whole numbers, the classes, got float64"),
        ([0, 1, 10, 2], "target has classes from 0 to 10, where pred has 10: they must be from 0 to 9"),
        ([0, -1, 9, 2], "target has classes from -1 to 9"),
    ):
        with pytest.raises(ValueError, match=f"{name}: {told}"):
            call(pred, wrong, ops, **total)
    with pytest.raises(ValueError, match=rf"{name}: pred \(0, 10\) is empty"):
        call(pred[:0], target[:0], ops, **total)


def test_accuracy_is_torchs_also_for_equal_scores() -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    rng = np.random.default_rng(0)
    pred, target = rng.integers(0, 3, (500, 7)).astype(float), rng.integers(0, 7, 500)  # most rows have ties
    pred[::50, 3] = np.nan
    expected = (torch.tensor(pred).argmax(dim=1) == torch.tensor(target)).double().mean().item()
    assert accuracy(pred, target) == expected
    assert accuracy(pred.reshape(5, 100, 7), target.reshape(5, 100)) == expected


def test_accuracy_is_added_to_a_total() -> None:
    pred, target = scores()
    ops = get_ops("cpu", "float64")
    total = ops.zeros((1,), "float64")
    for _ in range(3):
        assert accuracy(pred, target, ops, total) is total
    assert total[0] == pytest.approx(3 * accuracy(pred, target))


@pytest.mark.parametrize(
    "name", ["mpjpe", "mse", "cross_entropy", "bce_with_logits", "bce of classes", "accuracy"]
)
def test_a_second_step_allocates_no_array(name: str) -> None:
    ops = get_ops("cpu", "float32")
    pred, target = (a.astype(np.float32) for a in pair(shape=(100_000, 6)))
    grad, total = ops.empty(pred.shape), ops.zeros((1,), "float64")
    classes = np.arange(len(pred)) % 6
    work: dict[str, Callable[[], Any]] = {
        "mpjpe": lambda: mpjpe(pred, target, ops, grad, total),
        "mse": lambda: mse(pred, target, ops, grad, total),
        "cross_entropy": lambda: cross_entropy(pred, classes, ops, grad, total),
        "bce_with_logits": lambda: bce_with_logits(pred, target, ops, grad, total),
        "bce of classes": lambda: bce_with_logits(pred, classes, ops, grad, total),
        "accuracy": lambda: accuracy(pred, classes, ops, total),
    }
    work[name]()
    tracemalloc.start()
    try:
        work[name]()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000  # less than a byte a row; seen at most 67 kB: buffers of NumPy's broadcasting
