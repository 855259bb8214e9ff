"""Batches of pictures in order, of several resolutions and of any sizes; and what a Trainer makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minilift.images.batches import InOrder, Padded, Several
from minilift.nn import Linear, Sequential
from minilift.nn.losses import cross_entropy
from minilift.nn.metrics import accuracy
from minilift.ops import get_ops
from minilift.optim import SGD
from minilift.train import Batches, Measure, Trainer

OPS = get_ops("cpu")


def rows(n: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n, width), np.float32), rng.integers(0, 3, n)


def test_in_order_gives_every_row_once_in_the_order_of_the_file() -> None:
    x, y = rows(10, 2)
    batches = InOrder(x, y, 4)
    for epoch in range(2):
        found = [(a.copy(), b.copy()) for a, b in batches.epoch(epoch, OPS)]
        assert [len(a) for a, _ in found] == [4, 4, 2]
        assert batches.steps == 3
        np.testing.assert_array_equal(np.concatenate([a for a, _ in found]), x)
        np.testing.assert_array_equal(np.concatenate([b for _, b in found]), y)
    [(last, _)] = batches.epoch(0, OPS, first=2)
    np.testing.assert_array_equal(last, x[8:])
    noted: list[int] = []

    def augment(step: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noted.append(step)
        return x + 1, y

    changed = [a for a, _ in InOrder(x, y, 4, augment=augment).epoch(0, OPS, first=1, step=7)]
    assert noted == [7, 8]
    np.testing.assert_array_equal(changed[1], x[8:] + 1)


@pytest.mark.parametrize("mixed", [False, True])
def test_several_sets_keep_their_shapes_and_resume_within_an_epoch(mixed: bool) -> None:
    sets = [Batches(*rows(n, width, width), size=4, seed=3) for n, width in ((13, 2), (9, 5), (4, 3))]
    steps: list[int] = []

    def augment(step: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps.append(step)
        return x.copy(), y.copy()

    batches = Several(sets, mixed, augment)
    assert (len(batches), batches.steps, batches.size) == (26, 6, 4)
    whole = list(batches.epoch(2, OPS, step=12))
    widths = [x.shape[1] for x, _ in whole]
    assert sorted(widths) == [2, 2, 2, 3, 5, 5]
    assert (widths == [2, 2, 2, 5, 5, 3]) != mixed
    assert steps == list(range(12, 18))
    for first in range(7):
        rest = list(batches.epoch(2, OPS, first, step=12 + first))
        assert len(rest) == 6 - first
        for (a, b), (x, y) in zip(rest, whole[first:], strict=True):
            np.testing.assert_array_equal(a, x)
            np.testing.assert_array_equal(b, y)
    assert sum(len(x) for x, _ in batches.in_order(OPS)) == 26
    with pytest.raises(ValueError, match="give sets of batches"):
        Several([])


def test_padded_batches_have_zeros_around_and_single_pictures_none() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(1, 255, (1, 3 + i, 9 - i)).astype(np.uint8) for i in range(5)]
    y = np.arange(5) % 3
    [(x, found)] = list(Padded(pictures, y, 5).in_order(OPS))
    assert x.shape == (5, 1, 7, 9)
    np.testing.assert_array_equal(found, y)
    for i, picture in enumerate(pictures):
        np.testing.assert_allclose(x[i, :, : 3 + i, : 9 - i] * 255, picture, atol=1e-4)
        assert x[i].sum() == pytest.approx(picture.sum() / 255, rel=1e-5)
    single = Padded(pictures, y, 1, seed=4)
    order = single.order(3, OPS)
    for row, (x, found) in zip(order, single.epoch(3, OPS), strict=True):
        assert x.shape == (1, *pictures[row].shape)
        assert found == [y[row]]
    assert [len(x) for x, _ in Padded(pictures, y, 2).in_order(OPS)] == [2, 2, 1]
    assert [len(x) for x, _ in Padded(pictures, y, 2).epoch(0, OPS)] == [2, 2]


def test_measuring_counts_every_row_once_whatever_the_sets() -> None:
    network = Sequential(Linear(4, 3, rng=np.random.default_rng(1)))
    x, y = rows(30, 4)
    metrics = {"accuracy": accuracy}
    expected = Measure(network, cross_entropy, metrics)(Batches(x, y, size=30))
    parts = [Batches(x[a:b], y[a:b], size=8) for a, b in ((0, 11), (11, 14), (14, 30))]
    found = Measure(network, cross_entropy, metrics)(Several(parts))
    assert found == {name: pytest.approx(value, abs=1e-6) for name, value in expected.items()}


def test_a_run_over_several_sets_resumes_to_the_bit(tmp_path: Path) -> None:
    x, y = rows(60, 4)

    def trainer(out: Path) -> Trainer:
        network = Sequential(Linear(4, 3, rng=np.random.default_rng(1)))
        optimiser = SGD(network.parameters(), lr=0.1, momentum=0.9)
        return Trainer(network, cross_entropy, optimiser, out=out, show=lambda line: None, bar=False)

    def batches() -> Several:
        return Several([Batches(x[:25], y[:25], 8, seed=2), Batches(x[25:], y[25:], 8, seed=2)])

    whole = trainer(tmp_path / "whole")
    whole.fit(batches(), epochs=4)
    trainer(tmp_path / "parts").fit(batches(), epochs=2)
    rest = trainer(tmp_path / "parts")
    assert rest.resume()
    rest.fit(batches(), epochs=4)
    for name, array in whole.network.state_dict().items():
        np.testing.assert_array_equal(array, rest.network.state_dict()[name])
