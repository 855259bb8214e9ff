"""The promises that every layer keeps. One row in cases.py puts a new layer under all of them."""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import LAYERS

from minilift.nn import Affine, BatchNorm1d, Dropout, Linear, Module, ReLU, Residual, Sequential
from minilift.ops import get_ops


def make(name: str, seed: int = 0, dtype: str = "float64") -> tuple[Module, np.ndarray, Any]:
    rng, case = np.random.default_rng(seed), LAYERS[name]
    layer = case.make(get_ops("cpu", dtype), rng)
    return layer, rng.standard_normal(case.shape(16)).astype(dtype), rng


def same_masks(layer: Module) -> None:
    """Let the next training forward draw the masks of the first one again."""
    for _, module in layer.modules():
        if isinstance(module, Dropout):
            module.calls = 0


def directional_error(layer: Module, x: np.ndarray, train: bool, rng: Any, eps: float = 1e-6) -> float:
    """Relative error of <gradient, r> against a central difference along one random direction r.

    The cotangent is random too: with ones, BatchNorm's dx is 0 and would hide a missing term.
    """

    def run() -> np.ndarray:
        same_masks(layer)
        return layer.forward(x, train)

    cotangent = rng.standard_normal(run().shape)
    dx = layer.backward(cotangent).copy()
    arrays = [(x, dx)] + [(p.data, p.grad.copy()) for p in layer.parameters()]
    directions = [rng.standard_normal(a.shape) for a, _ in arrays]
    starts = [a.copy() for a, _ in arrays]
    size = sum((d**2).sum() for d in directions) ** -0.5

    def loss_at(t: float) -> float:
        for (a, _), start, direction in zip(arrays, starts, directions, strict=True):
            a[...] = start + t * size * direction
        return float((run() * cotangent).sum())

    numeric = (loss_at(eps) - loss_at(-eps)) / (2 * eps)
    analytic = size * sum((g * d).sum() for (_, g), d in zip(arrays, directions, strict=True))
    return abs(numeric - analytic) / max(abs(numeric), abs(analytic), 1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_derivative(name: str, train: bool, seed: int) -> None:
    layer, x, rng = make(name, seed)
    assert directional_error(layer, x, train, rng) < 1e-5  # worst seen 6.2e-7


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_inputs_come_back_unchanged(name: str, train: bool) -> None:
    layer, x, rng = make(name)
    before = x.copy()
    y = layer.forward(x, train)
    dy = rng.standard_normal(y.shape)
    dy_before = dy.copy()
    layer.backward(dy)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(dy, dy_before)


@pytest.mark.parametrize("name", LAYERS)
def test_a_second_step_allocates_no_array(name: str) -> None:
    layer, x, rng = make(name, dtype="float32")
    x = np.repeat(
        x, 1000 if x.ndim < 4 else 200, axis=0
    )  # any array of this is larger than Python's small change
    dy = rng.standard_normal(layer.forward(x, True).shape).astype(np.float32)
    layer.backward(dy)
    tracemalloc.start()
    try:
        layer.backward(layer.forward(x, True) * 0 + dy)  # the check checks: this line makes two arrays
        caught = tracemalloc.get_traced_memory()[1]
        tracemalloc.clear_traces()
        tracemalloc.reset_peak()
        layer.forward(x, True)
        layer.backward(dy)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught > dy.nbytes
    # seen at most 35 kB, and 77 kB for images: NumPy's buffers, of each array that is not in one piece
    assert peak < (64_000 if x.ndim < 4 else 128_000) < x.nbytes


@pytest.mark.parametrize("name", LAYERS)
def test_smaller_batches_than_before_give_the_same(name: str) -> None:
    layer, x, rng = make(name)
    fresh, _, _ = make(name)
    layer.forward(x)
    np.testing.assert_array_equal(layer.forward(x[:5]), fresh.forward(x[:5]))
    dy = rng.standard_normal(fresh.forward(x[:5]).shape)
    np.testing.assert_array_equal(layer.backward(dy), fresh.backward(dy))


@pytest.mark.parametrize("name", ["Linear", "BatchNorm1d", "Residual", "LiftModel"])
def test_backward_assigns_and_backward_add_adds(name: str) -> None:
    layer, x, rng = make(name)
    dy = rng.standard_normal(layer.forward(x, True).shape)
    layer.backward(dy)
    once = [p.grad.copy() for p in layer.parameters()]
    layer.backward(dy)
    for p, grad in zip(layer.parameters(), once, strict=True):
        np.testing.assert_array_equal(p.grad, grad)
    dx = layer.backward(dy).copy()
    np.testing.assert_array_equal(layer.backward_add(dy), dx)
    for p, grad in zip(layer.parameters(), once, strict=True):
        np.testing.assert_array_equal(p.grad, 2 * grad)


def test_a_layer_is_usable_alone_in_three_lines() -> None:
    layer = Linear(30, 1024)
    y = layer.forward(np.ones((4, 30)))
    dx = layer.backward(np.ones((4, 1024)))
    assert y.shape == (4, 1024)
    assert dx.shape == (4, 30)
    assert y.dtype == np.float32
    assert layer.weight.data.shape == layer.weight.grad.shape == (1024, 30)
    assert layer.bias is not None
    np.testing.assert_array_equal(layer.bias.grad, np.full(1024, 4))


@pytest.mark.parametrize("name", LAYERS)
def test_backward_before_forward_is_an_error(name: str) -> None:
    layer, x, _ = make(name)
    with pytest.raises(RuntimeError, match="call forward before backward"):
        layer.backward(x)


def test_misuse_is_told_with_the_shapes() -> None:
    with pytest.raises(
        ValueError, match=r"Linear\(in_features=3.*expected input of shape \(\.\.\., 3\), got \(2, 4\)"
    ):
        Linear(3, 2).forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"expected input of shape \(batch, 3\), got \(2, 4, 3\)"):
        BatchNorm1d(3).forward(np.ones((2, 4, 3)))
    layer = ReLU()
    layer.forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"expected dy of shape \(2, 4\), got \(2, 3\)"):
        layer.backward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"turn shape \(2, 4\) into \(2, 3\)"):
        Residual(Linear(4, 3)).forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        Dropout(1.5)
    with pytest.raises(ValueError, match="initialiser 'ones' is unknown; use one of uniform"):
        Linear(3, 2, init="ones")


def test_one_layer_in_two_places_is_refused() -> None:
    layer, relu = Linear(3, 3), ReLU()
    with pytest.raises(ValueError, match="stands in two places"):
        Sequential(layer, ReLU(), layer)
    with pytest.raises(ValueError, match="stands in two places"):
        Sequential(relu, Residual(Linear(3, 3), relu))


def test_layers_of_different_precision_do_not_mix() -> None:
    with pytest.raises(ValueError, match="different devices or dtypes"):
        Sequential(Linear(3, 4, ops=get_ops("cpu", "float64")), ReLU())


@pytest.mark.parametrize(
    "layer", [ReLU(), Dropout(0.5), Residual(ReLU())], ids=lambda layer: type(layer).__name__
)
def test_another_shape_is_another_output(layer: Module) -> None:
    for shape in ((4, 3), (4, 1), (4, 5), (4, 2, 5), (3, 2, 5), (4, 3, 5), (6,)):
        x = np.ones(shape)
        assert layer.forward(x, train=True).shape == x.shape
        assert layer.backward(x).shape == x.shape


def test_backward_is_of_the_latest_forward_in_either_mode() -> None:
    layer, x, rng = make("BatchNorm1d")
    fresh, _, _ = make("BatchNorm1d")
    dy = rng.standard_normal(x.shape)
    layer.forward(x, train=True)
    fresh.load_state_dict(layer.state_dict())
    layer.forward(x)
    fresh.forward(x)
    np.testing.assert_array_equal(layer.backward(dy), fresh.backward(dy))


def test_two_passes_add_what_each_gives() -> None:
    layer, x, rng = make("Linear")
    first, second = rng.standard_normal((2, 16, 5))
    layer.forward(x)
    grads = []
    for dy in (first, second):
        layer.backward(dy)
        grads.append([p.grad.copy() for p in layer.parameters()])
    layer.backward(first)
    layer.backward_add(second)
    for p, a, b in zip(layer.parameters(), *grads, strict=True):
        np.testing.assert_allclose(p.grad, a + b, rtol=1e-14)


def test_impossible_sizes_are_told() -> None:
    with pytest.raises(ValueError, match="from 0 to 4 columns"):
        Linear(0, 4)
    with pytest.raises(ValueError, match="num_features 0"):
        BatchNorm1d(0)
    with pytest.raises(ValueError, match="momentum 2"):
        BatchNorm1d(3, momentum=2)


def test_batchnorm_refuses_to_train_on_one_row() -> None:
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        BatchNorm1d(4).forward(np.ones((1, 4)), train=True)
    assert BatchNorm1d(4).forward(np.ones((1, 4))).shape == (1, 4)


@pytest.mark.parametrize(
    "name", ["uniform", "kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal"]
)
def test_initial_weights_have_the_published_spread(name: str) -> None:
    fan_in, fan_out = 200, 600
    layer = Linear(fan_in, fan_out, init=name, rng=np.random.default_rng(0))
    variance = {"uniform": 1 / (3 * fan_in), "kaiming": 2 / fan_in, "xavier": 2 / (fan_in + fan_out)}
    expected = variance[name.split("_")[0]] ** 0.5
    weight = layer.weight.data
    assert weight.std() == pytest.approx(expected, rel=0.02)  # 120,000 draws: 0.3% is one deviation at most
    assert abs(weight.mean()) < 0.02 * expected
    widest = np.abs(weight).max() / expected
    assert widest > 4 if name.endswith("normal") else 1.70 < widest <= 3**0.5 + 1e-6
    assert layer.bias is not None
    assert bool(np.any(layer.bias.data)) == (name == "uniform")


def test_dropouts_of_one_network_draw_different_masks() -> None:
    net = Sequential(Dropout(), Residual(Dropout(), Dropout()), Dropout())
    drawn = [layer for _, layer in net.modules() if isinstance(layer, Dropout)]
    assert [layer.stream for layer in drawn] == [0, 1, 2, 3]
    net.forward(np.ones((8, 8)), train=True)
    masks = [layer.mask for layer in drawn]
    assert all(not np.array_equal(masks[i], masks[j]) for i in range(4) for j in range(i))


def test_state_dict_goes_out_and_in() -> None:
    source, x, _ = make("Residual", seed=1)
    target, _, _ = make("Residual", seed=2)
    source.forward(x, train=True)
    target.load_state_dict(source.state_dict())
    np.testing.assert_array_equal(source.forward(x), target.forward(x))
    state = source.state_dict()
    state["extra"] = state.pop("0.weight")
    with pytest.raises(ValueError, match=r"missing '0.weight'; unexpected 'extra'"):
        target.load_state_dict(state)
    with pytest.raises(ValueError, match=r"'weight' has shape \(3,\), expected \(5, 7\)"):
        make("Linear without bias")[0].load_state_dict({"weight": np.zeros(3)})


def test_printed_form_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    ours = Sequential(
        Linear(3, 4), BatchNorm1d(4), ReLU(), Dropout(0.25), Sequential(Linear(4, 2, bias=False))
    )
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Dropout(0.25),
        torch.nn.Sequential(torch.nn.Linear(4, 2, bias=False)),
    )  # fmt: skip
    # torch goes on about options that our layers do not have
    expected = re.sub(r", (inplace=False|affine=True.*?track_running_stats=True)", "", str(theirs))
    assert str(ours) == expected
    assert repr(Affine(np.ones(3), np.zeros(3))) == "Affine(3)"
