"""Batches, the evaluation loop over them, and the sums that both keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import MSE, Batches, CrossEntropy, Linear, Measure, Sequential, accuracy
from minilift.files.npz import map_npy
from minilift.nn.losses import mse
from minilift.ops import NumpyOps
from minilift.train.step import LossMetric, Sums

OPS = NumpyOps("float64")


def numbered(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that say which they are, of two axes each, and classes that say the same."""
    x = np.arange(n)[:, None, None] + np.array([[0.0, 0.25], [0.5, 0.75]])
    return x, np.arange(n)


def test_an_epoch_has_every_row_once_in_the_order_of_seed_and_epoch() -> None:
    x, y = numbered(30)
    batches = Batches(x, y, size=10, seed=4)
    seen = {}
    for epoch in (0, 1):
        numbers = []
        for bx, by in batches.epoch(epoch, OPS):
            assert bx.shape == (10, 2, 2)
            assert by.dtype.kind == "i"
            np.testing.assert_array_equal(bx, x[by])
            numbers += by.tolist()
        assert sorted(numbers) == list(range(30))
        seen[epoch] = numbers
    assert seen[0] != seen[1]
    np.testing.assert_array_equal(seen[1], np.random.default_rng((4, 1)).permutation(30))
    later = [by.tolist() for _, by in batches.epoch(1, OPS, first=2)]
    assert later == [seen[1][20:]]


def test_training_batches_are_full_and_evaluation_has_the_rest() -> None:
    batches = Batches(*numbered(25), size=10)
    assert (len(batches), batches.steps) == (25, 2)
    assert [len(y) for _, y in batches.epoch(0, OPS)] == [10, 10]
    assert [len(y) for _, y in batches.in_order(OPS)] == [10, 10, 5]
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches.in_order(OPS)]), np.arange(25))
    assert Batches(*numbered(25), size=100).size == 25


def test_the_dtypes_are_those_of_the_network() -> None:
    whole = np.arange(12).reshape(6, 2)
    for dtype in ("float32", "float64"):
        ((x, y),) = Batches(whole, whole, size=6).epoch(0, NumpyOps(dtype))  # no classes: they have two axes
        assert (x.dtype, y.dtype) == (dtype, dtype)
        ((x, y),) = Batches(whole.tolist(), whole[:, 0].astype(np.uint8), size=6).epoch(0, NumpyOps(dtype))
        assert (x.dtype, y.dtype) == (dtype, np.intp)


def test_another_device_gets_its_own_arrays() -> None:
    batches = Batches(*numbered(4), size=2)
    for ops in (OPS, NumpyOps("float32"), OPS):
        assert next(batches.epoch(0, ops))[0].dtype == ops.dtype


def test_augmentation_sees_the_step_and_changes_training_alone() -> None:
    steps: list[int] = []

    def augment(step: int, x: Any, y: Any) -> tuple[Any, Any]:
        steps.append(step)
        return -x, y

    x, y = numbered(20)
    batches = Batches(x, y, size=5, augment=augment)
    for bx, by in batches.epoch(0, OPS, first=1, step=101):
        np.testing.assert_array_equal(bx, -x[by])
    assert steps == [101, 102, 103]
    for bx, by in batches.in_order(OPS):
        np.testing.assert_array_equal(bx, x[by])


def test_rows_of_a_file_stay_there(tmp_path: Path) -> None:
    x, y = numbered(50)
    x = x.astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = map_npy(tmp_path / "x.npy")
    kept, memory = Batches(mapped, y, size=8, seed=2), Batches(x, y, size=8, seed=2)
    assert (kept.mapped, memory.mapped) == (True, False)
    assert kept.on(OPS)[0] is mapped
    for a, b in zip(kept.epoch(3, OPS), memory.epoch(3, OPS), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    for a, b in zip(kept.in_order(OPS), memory.in_order(OPS), strict=True):
        np.testing.assert_array_equal(a[0], b[0])


def test_misuse_is_told() -> None:
    x, y = numbered(5)
    with pytest.raises(ValueError, match="x has 5 rows, y has 4; they must be as many"):
        Batches(x, y[:4])
    with pytest.raises(ValueError, match="no rows"):
        Batches(x[:0], y[:0])
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        Batches(x, y, size=0)


# ---- Measure -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 16, 20, 64])
def test_every_row_counts_once_however_the_batches_fall(size: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((33, 4)), rng.integers(3, size=33)
    x[-1] *= 50  # a last row that is left out or counted twice shows
    net = Sequential(Linear(4, 3, rng=rng))
    net.to("cpu", "float64")
    before = net.snapshot()
    found = Measure(net, CrossEntropy(), {"accuracy": accuracy})(Batches(x, y, size))
    scores = x @ before["0.weight"].T + before["0.bias"]
    surprise = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(33), y]
    assert found["loss"] == pytest.approx(surprise.mean(), rel=1e-12)
    assert found["accuracy"] == pytest.approx((scores.argmax(axis=1) == y).mean(), rel=1e-12)
    for key, value in net.snapshot().items():
        np.testing.assert_array_equal(value, before[key])


def test_a_measure_serves_again() -> None:
    net = Sequential(Linear(4, 4))
    x = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    measure = Measure(net, mse)
    first = measure(Batches(x, x, 4))
    assert measure(Batches(x, x, 4)) == first
    net.flat.data.fill(0)
    assert measure(Batches(x, x, 4))["loss"] == pytest.approx(np.square(x).mean(), rel=1e-6)


# ---- Sums ----------------------------------------------------------------------------------------------


def test_sums_add_up_and_can_be_restored() -> None:
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((n, 2, 3)), rng.standard_normal((n, 2, 3))) for n in (5, 5, 8, 3)]
    sums = Sums(OPS, mse, {"half": lambda p, t, ops, total: total.__iadd__(0.5)})
    for pred, target in batches:
        grad = sums.add(pred, target)
        np.testing.assert_allclose(grad, 2 * (pred - target) / pred.size, rtol=1e-12)
    expected = [np.square(pred - target).mean() for pred, target in batches]
    assert sums.read() == {"loss": pytest.approx(sum(expected), rel=1e-12), "half": 2.0}
    assert sums.averages() == {"loss": pytest.approx(np.mean(expected), rel=1e-12), "half": 0.5}
    other = Sums(OPS, mse, sums.metrics)
    other.restore(sums.batches, sums.read())
    for each in (sums, other):
        each.add(*batches[0])
    assert other.averages() == sums.averages()
    sums.restore()
    assert (sums.batches, sums.read()) == (0, {"loss": 0.0, "half": 0.0})


def test_a_metric_that_is_the_loss_is_computed_once() -> None:
    class Counting(MSE):
        calls = 0

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            self.calls += 1
            return super().__call__(*arguments, **options)

    loss, other = Counting(), Counting()
    sums = Sums(OPS, loss, {"own": LossMetric(loss), "other": LossMetric(other)})
    sums.add(np.ones((2, 2)), np.zeros((2, 2)))
    assert (loss.calls, other.calls) == (1, 1)
    assert sums.read() == {"loss": 1.0, "own": 1.0, "other": 1.0}
