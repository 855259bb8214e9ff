"""What any network has: one vector, a snapshot, a file, copies, and another device."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Adam, InputError
from minilift.nn import Affine, BatchNorm1d, Dropout, Linear, Network, ReLU, Residual, Sequential


class Deep(Network):
    """Layers at every depth, and of every kind that counts something."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        inner = Sequential(Linear(5, 6, rng=rng), BatchNorm1d(6), ReLU(), Dropout(0.4), Linear(6, 5, rng=rng))
        self.children["units"] = Affine(np.full(5, 2.0), rng.standard_normal(5))
        self.children["body"] = Residual(inner, Dropout(0.3))
        self.children["out"] = Linear(5, 2, rng=rng)

    def forward(self, x: Any, train: bool = False) -> Any:
        for child in self.children.values():
            x = child.forward(x, train)
        return x

    def backward(self, dy: Any) -> Any:
        for child in reversed(self.children.values()):
            dy = child.backward(dy)
        return dy


def train(net: Network, adam: Adam, steps: int, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        x = rng.standard_normal((8, 5)).astype(net.dtype)
        y = net.forward(x, train=True)
        net.backward(y - 1)
        adam.step()


def assert_gathered(net: Network) -> None:
    """Every parameter of its layers is a view of the vector that the optimiser gets."""
    flat = net.flat
    for _, p in net.named_parameters():
        assert np.shares_memory(p.data, flat.data)
        assert np.shares_memory(p.grad, flat.grad)
        assert p.data.dtype == flat.data.dtype == net.dtype


def test_the_parameters_are_views_of_one_vector() -> None:
    net = Deep()
    flat = net.flat
    assert_gathered(net)
    assert np.shares_memory(net.flat.data, flat.data)
    assert len(Adam(net.parameters()).runs) == 1
    assert sum(p.size for p in net.parameters()) <= flat.data.size


def test_a_part_of_a_network_leaves_the_whole_as_it_is() -> None:
    """An inner Sequential is a network, too: asking it for its parameters must not take them away."""
    net = Deep()
    whole = net.flat
    body: Any = net.children["body"]
    assert np.shares_memory(body.flat.data, whole.data)
    assert body.flat.data.size < whole.data.size
    assert np.shares_memory(net.flat.data, whole.data)
    body.flat.data.fill(0.0)
    assert not body[0].children["0"].weight.data.any()


def test_networks_put_into_another_become_one_vector_again() -> None:
    parts = [Sequential(Linear(3, 3), Dropout(0.5)), Sequential(Linear(3, 2), Dropout(0.5))]
    for part in parts:
        part.parameters()
    values = [p.data.copy() for part in parts for p in part.parameters()]
    whole = Sequential(*parts)
    assert len(Adam(whole.parameters()).runs) == 1
    for p, value in zip(whole.parameters(), values, strict=True):
        np.testing.assert_array_equal(p.data, value)
    assert [layer.stream for part in parts for layer in part if isinstance(layer, Dropout)] == [0, 1]


def test_layers_that_were_made_apart_share_operations_and_no_mask() -> None:
    """Threads and scratch memory belong to the operations, and a mask to the number of a dropout layer."""

    class Two(Deep):
        def __init__(self) -> None:
            super().__init__()
            self.children = {name: Dropout(0.5) for name in ("a", "b")} | {"c": Linear(5, 5)}

    net = Two()
    net.parameters()
    assert {module.ops for _, module in net.modules()} == {net.ops}
    masks = [net.children[name].forward(np.ones((4, 5), np.float32), train=True) for name in ("a", "b")]
    assert (masks[0] != masks[1]).any()


def test_a_network_of_no_parameters() -> None:
    net = Sequential(ReLU())
    assert net.parameters() == []
    assert net.flat.data.size == 0
    assert "0 trainable parameters" in net.summary()


def test_a_snapshot_goes_on_to_the_bit() -> None:
    net, other = Deep(), Deep(seed=1)
    adams = [Adam(n.parameters(), 0.01) for n in (net, other)]
    train(net, adams[0], 7)
    other.restore(net.snapshot())
    adams[1].load_state_dict(adams[0].state_dict())
    train(net, adams[0], 5, seed=1)
    train(other, adams[1], 5, seed=1)
    assert net.snapshot().keys() == other.snapshot().keys()
    for key, value in net.snapshot().items():
        np.testing.assert_array_equal(other.snapshot()[key], value, err_msg=key)
    counters = {key for key in net.snapshot() if key not in net.state_dict()}
    assert counters == {"body.0.3.calls", "body.1.calls", "units.scale", "units.shift"}


def test_a_snapshot_of_another_network_is_refused() -> None:
    net = Deep()
    good = net.snapshot()
    for damage in (
        {"body.1.calls": np.zeros(3, np.int64)},
        {"units.scale": np.ones(4)},
        {"out.bias": np.zeros(3)},
        {"stranger": np.zeros(1)},
    ):
        with pytest.raises(ValueError, match="fit"):
            Deep().restore({**good, **damage})
    del good["body.1.calls"]
    with pytest.raises(ValueError, match=r"no 'body\.1\.calls'"):
        Deep().restore(good)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    net, other = Deep(), Deep(seed=1)
    train(net, Adam(net.parameters()), 3)
    net.save(tmp_path / name)
    other.load(tmp_path / name)
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[key], value, err_msg=key)
    with pytest.raises(InputError, match=f"{name}: .*has shape .*; give the weights of this net"):
        Sequential(Linear(2, 2)).load(tmp_path / name)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"]
)
def test_a_copy_is_a_network_of_its_own(copied: Callable[[Network], Network]) -> None:
    net = Deep()
    train(net, Adam(net.parameters()), 2)
    other = copied(net)
    before = net.flat.data.copy()
    assert_gathered(other)
    adam = Adam(other.parameters())
    assert len(adam.runs) == 1
    train(other, adam, 2)
    np.testing.assert_array_equal(net.flat.data, before)
    assert (other.state_dict()["out.weight"] != net.state_dict()["out.weight"]).any()


def test_to_another_dtype_and_back() -> None:
    net = Deep()
    train(net, Adam(net.parameters()), 3)
    before, x = net.snapshot(), np.random.default_rng(2).standard_normal((4, 5))
    y = net.forward(x.astype(np.float32)).copy()
    assert net.to("cpu", "float64") is net
    assert net.dtype == "float64"
    assert_gathered(net)
    wide = net.forward(x)
    assert wide.dtype == np.float64
    np.testing.assert_allclose(wide, y, rtol=0, atol=1e-5)
    train(net, Adam(net.parameters()), 1)
    net.restore(before)
    net.to("cpu", "float32")
    for key, value in net.snapshot().items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)
        assert value.dtype == before[key].dtype, key


def test_to_a_device_that_is_not_there() -> None:
    with pytest.raises(InputError, match="unknown; use cpu, gpu"):
        Deep().to("tpu")


def test_the_summary_adds_up() -> None:
    net = Sequential(Linear(4, 8), ReLU(), Linear(8, 3))
    plain, shown = net.summary().splitlines(), net.summary((2, 4)).splitlines()
    assert "Output shape" not in plain[0]
    assert plain[-1] == "67 trainable parameters, 0.0 MB as float32"
    assert [line.split("  ")[0] for line in shown[2:5]] == ["0 (Linear)", "1 (ReLU)  ".strip(), "2 (Linear)"]
    assert ["(n, 2, 8)" in line for line in shown[2:5]] == [True, True, False]
    assert "(n, 2, 3)" in shown[4]
