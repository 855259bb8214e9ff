"""The dropout mask: what it is, bit by bit, and that it behaves like chance."""

from __future__ import annotations

import numpy as np
import pytest

from minilift.nn import Dropout
from minilift.ops import get_ops
from minilift.ops.keys import _splitmix64, dropout_key
from minilift.ops.numpy_core import CHUNK


def keeps(i: int, key: tuple[int, int], p: float) -> bool:
    """The definition again, one element at a time in Python's integers."""
    h = (i ^ key[0]) & 0xFFFFFFFF
    h ^= h >> 16
    h = h * 0x7FEB352D & 0xFFFFFFFF
    h ^= h >> 15
    h ^= key[1]
    h = h * 0x846CA68B & 0xFFFFFFFF
    return h >= round(p * 2**32)


def mask(shape: tuple[int, int], p: float = 0.5, seed: int = 0, stream: int = 0, step: int = 0) -> np.ndarray:
    ops = get_ops()
    return ops.dropout_mask(p, dropout_key(seed, stream, step), ops.empty(shape))


def test_the_key_is_frozen() -> None:
    """A change here changes every seeded run, and parts the backends."""
    assert _splitmix64(0) == 0xE220A8397B1DCDAF  # the generator's published first output for seed 0
    assert dropout_key(0, 0, 0) == (956087953, 595752380)
    assert dropout_key(7, 3, 1000) == (1915639653, 1941830535)
    assert dropout_key(2**63, 1, 2**40) == (3120472147, 2986529911)


def test_every_element_is_as_defined_also_beyond_a_chunk() -> None:
    key, p = dropout_key(1, 2, 3), 0.3
    drawn = mask((3, CHUNK // 2 + 5), p, 1, 2, 3).reshape(-1)
    assert drawn.size > CHUNK
    for i in [*range(200), *range(CHUNK - 100, CHUNK + 100), drawn.size - 1]:
        assert drawn[i] == np.float32(keeps(i, key, p) / (1 - p)), i


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.9999])
def test_the_share_dropped_is_p(p: float) -> None:
    drawn = mask((1000, 1024), p)
    deviation = (p * (1 - p) / drawn.size) ** 0.5
    assert np.mean(drawn == 0) == pytest.approx(p, abs=4 * deviation)
    assert set(np.unique(drawn)) == {np.float32(0), np.float32(1 / (1 - p))}


def test_masks_of_other_steps_layers_seeds_rows_and_columns_are_independent() -> None:
    a = mask((256, 1024))
    others = [mask((256, 1024), step=1), mask((256, 1024), stream=1), mask((256, 1024), seed=1)]
    others += [np.roll(a, 1, axis=0), np.roll(a, 1, axis=1), np.roll(a, 512, axis=1), np.roll(a, 128, axis=0)]
    for b in others:
        correlation = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert abs(correlation) < 5 / a.size**0.5


def test_no_dropout_and_nothing_but_dropout() -> None:
    x = np.ones((4, 4), np.float32)
    assert Dropout(0.0).forward(x, train=True) is x
    assert not Dropout(1.0).forward(x, train=True).any()
    assert Dropout(1.0).forward(x) is x


def test_same_seed_same_masks_in_both_precisions() -> None:
    one, other = Dropout(0.5, seed=4), Dropout(0.5, seed=4, ops=get_ops("cpu", "float64"))
    x = np.ones((16, 16))
    for _ in range(3):
        np.testing.assert_array_equal(one.forward(x, train=True), other.forward(x, train=True))
    assert one.calls == 3
