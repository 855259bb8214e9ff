"""Near and far people alike: the layers around the network, and the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minilift import LiftModel
from minilift.lift.rays.size import Sized, Unsized, WithSize
from minilift.lift.relative import relative_mpjpe
from minilift.nn import losses
from minilift.ops import get_ops

N, J = 9, 4


def drawn(seed: int) -> tuple[Any, np.ndarray]:
    """Points with standard deviations (N, 3J); some were not seen, of one row all, and one is tiny."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.standard_normal((N, 2 * J)), rng.uniform(0.01, 0.1, (N, J))], axis=1)
    x[1, : 2 * J] = np.nan
    x[2, 3] = np.nan
    x[3] *= 1e-6
    return rng, x


def slope(function: Any, at: np.ndarray, direction: np.ndarray) -> float:
    there, back = (float(function(at + step * direction)) for step in (1e-6, -1e-6))
    return (there - back) / 2e-6


@pytest.mark.parametrize("seed", range(3))
def test_gradients_are_derivatives(seed: int) -> None:
    rng, x = drawn(seed)
    ops = get_ops("cpu", "float64")
    sized, with_size, unsized = Sized(J, ops=ops), WithSize(ops=ops), Unsized(ops=ops)
    with_size.scale, with_size.shift = 0.7, 0.3
    o = rng.standard_normal((N, 3 * J))
    of_y, of_first, of_placed = (rng.standard_normal((N, c)) for c in (3 * J, 3 * J + 1, 3 * J))
    of_y[2, 2] = 0  # its other coordinate is NaN: what comes behind looks at neither

    def value(x: np.ndarray, o: np.ndarray = o) -> float:
        y = sized.forward(x)
        total = np.nansum(y * of_y) + np.nansum(with_size.forward(y, sized.size)[:, -1] * of_first[:, -1])
        return float(total + (unsized.forward(o, sized.size) * of_placed).sum())

    value(x)
    last = np.zeros_like(of_first)
    last[:, -1] = of_first[:, -1]
    _, by_column = with_size.backward(last)
    do, by_place = unsized.backward(of_placed)
    dx = sized.backward(of_y, by_column + by_place, np.zeros((N, 2 * J))).copy()
    direction = np.where(np.isnan(x), 0, rng.standard_normal(x.shape))
    direction[3] *= 1e-6
    assert np.nansum(dx * direction) == pytest.approx(slope(value, x, direction), rel=1e-6)
    across = rng.standard_normal(o.shape)
    assert (do * across).sum() == pytest.approx(slope(lambda o: value(x, o), o, across), rel=1e-6)


def test_a_network_answers_alike_for_a_person_twice_as_far_away() -> None:
    """But for the one column that tells the size: with that column cut, in proportion."""
    model = LiftModel(1, 32, 0.0, head="place", levels=True, seed=2, dtype="float64")
    model.children["hidden1"].weight.data[:, -1] = 0
    rng, ahead = np.random.default_rng(0), np.array([0, 0, 1])
    image = rng.standard_normal((5, 30)) * 0.1
    near = model.forward(image).reshape(5, -1, 3).copy()
    far = model.forward(image / 2).reshape(5, -1, 3)
    np.testing.assert_allclose((far + ahead)[..., 2], (near + ahead)[..., 2] / 2, atol=1e-12)


def test_the_units_of_the_data_go_into_the_weights() -> None:
    rng = np.random.default_rng(1)
    model = LiftModel(1, 16, 0.0, head="place", levels=True, seed=2, dtype="float64")
    model.standardise(rng.standard_normal((60, 30)) * 0.1, rng.standard_normal((60, 45)) - 1)
    x = rng.standard_normal((7, 30)) * 0.1
    y = model.forward(x).copy()
    again = LiftModel.from_state_dict(model.state_dict(), dtype="float64")
    np.testing.assert_allclose(again.forward(x), y, atol=1e-9)
    resumed = LiftModel(1, 16, 0.0, head="place", levels=True, dtype="float64")
    resumed.restore(model.snapshot())
    np.testing.assert_array_equal(resumed.forward(x), y)


def test_the_relative_loss_and_its_gradient() -> None:
    rng = np.random.default_rng(4)
    pred, target = (rng.standard_normal((N, 3 * J)) for _ in range(2))
    loss, grad = relative_mpjpe(pred, target)
    joints = target.reshape(N, J, 3) + np.array([0, 0, 1])
    size = np.sqrt((joints**2).sum(axis=2).mean(axis=1))
    off = np.linalg.norm((pred - target).reshape(N, J, 3), axis=2) / size[:, None]
    assert loss == pytest.approx(off.mean(), rel=1e-12)
    direction = rng.standard_normal(pred.shape)
    found = slope(lambda p: relative_mpjpe(p, target)[0], pred, direction)
    assert (grad * direction).sum() == pytest.approx(found, rel=1e-7)
    half = np.array([0, 0, -0.5] * J) + target / 2  # everyone twice as far away
    assert relative_mpjpe(np.array([0, 0, -0.5] * J) + pred / 2, half)[0] == pytest.approx(loss, rel=1e-12)
    with pytest.raises(ValueError, match="must have one shape"):
        relative_mpjpe(pred, target[:-1])
    assert losses.mpjpe(pred, target)[0] != pytest.approx(loss)
