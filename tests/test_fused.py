"""NormActDrop is BatchNorm1d, ReLU and Dropout, however its work is cut."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from test_dropout_hash import keeps

from minilift.lift.fast.norm_act_drop import NormActDrop
from minilift.nn import BatchNorm1d, Dropout, ReLU
from minilift.ops import Ops, get_ops, numpy_core, numpy_ops
from minilift.ops.keys import dropout_key
from minilift.ops.threads import Team

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # absolute; worst seen 3.6e-15 and 2.4e-6
TEAM = Team(3)  # on any machine


@pytest.fixture(autouse=True)
def _three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "team", lambda: TEAM)


class Plain:
    """The three layers one by one: what the fused one is measured against."""

    def __init__(self, ops: Ops, columns: int, p: float) -> None:
        rng = np.random.default_rng(columns)
        self.norm, self.relu = BatchNorm1d(columns, ops=ops), ReLU(ops=ops)
        self.dropout = Dropout(p, seed=5, stream=2, ops=ops)
        for array in (self.norm.weight.data, self.norm.bias.data, self.norm.running_mean):
            ops.copy(rng.standard_normal(columns), out=array)
        ops.copy(rng.uniform(0.5, 2, columns), out=self.norm.running_var)

    def layers(self) -> tuple[BatchNorm1d, ReLU, Dropout]:
        return self.norm, self.relu, self.dropout

    def forward(self, x: np.ndarray, train: bool = False) -> np.ndarray:
        for layer in self.layers():
            x = layer.forward(x, train)
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        for layer in reversed(self.layers()):
            dy = layer.backward(dy)
        return dy


def make(columns: int = 5, p: float = 0.4, dtype: str = "float64") -> tuple[NormActDrop, Plain]:
    """Two of the same weights and statistics."""
    fused, plain = (Plain(get_ops("cpu", dtype), columns, p) for _ in range(2))
    return NormActDrop(*fused.layers()), plain


def numbers(rows: int, columns: int = 5, dtype: str = "float64", seed: int = 0) -> tuple[Any, Any]:
    """x, with some means away from 0, and dy."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, columns)) * 2 + np.arange(columns)
    return x.astype(dtype), rng.standard_normal((rows, columns)).astype(dtype)


def state(layer: NormActDrop | Plain) -> dict[str, Any]:
    """Whatever a step leaves behind."""
    norm = layer.norm
    return {
        "dweight": norm.weight.grad, "dbias": norm.bias.grad, "running_mean": norm.running_mean,
        "running_var": norm.running_var, "tracked": norm.num_batches_tracked, "calls": layer.dropout.calls,
    }  # fmt: skip


# ---- equal to the plain layers ---------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1 << 17, 16, 10, 1])  # one chunk; of 3 rows and 1; of 2 and 1; of 1 each
@pytest.mark.parametrize("parallel", [False, True], ids=["alone", "team"])
@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_three_steps_equal_those_of_the_three_layers(
    dtype: str, p: float, parallel: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fused, plain = make(p=p, dtype=dtype)
    close = {"rtol": 0, "atol": TOLERANCE[dtype]}
    for step, rows in enumerate((13, 13, 7)):
        x, dy = numbers(rows, dtype=dtype, seed=step)
        y, dx = plain.forward(x, train=True), plain.backward(dy)
        with monkeypatch.context() as patch, fused.ops.parallel() if parallel else nullcontext():
            patch.setattr(numpy_core, "CHUNK", chunk)
            np.testing.assert_allclose(fused.forward(x, train=True), y, **close)
            np.testing.assert_allclose(fused.backward(dy), dx, **close)
        expected = state(plain)
        for name, value in state(fused).items():
            np.testing.assert_allclose(value, expected[name], **close, err_msg=name)
    assert state(fused)["tracked"] == state(fused)["calls"] == 3


def test_the_cut_does_not_depend_on_who_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "CHUNK", 64)
    (alone, _), (team, _) = make(dtype="float32"), make(dtype="float32")
    x, dy = numbers(100, dtype="float32")
    y, dx = alone.forward(x, train=True), alone.backward(dy)
    for _ in range(5):
        team.dropout.calls = 0
        with team.ops.parallel():
            np.testing.assert_array_equal(team.forward(x, train=True), y)
            np.testing.assert_array_equal(team.backward(dy), dx)
    np.testing.assert_array_equal(team.norm.weight.grad, alone.norm.weight.grad)
    np.testing.assert_array_equal(team.norm.bias.grad, alone.norm.bias.grad)


@pytest.mark.parametrize("chunk", [1 << 17, 800, 8])
def test_a_small_spread_about_a_large_mean_is_measured(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "CHUNK", chunk)
    fused, _ = make(columns=8, p=0.0, dtype="float32")
    x = (1e4 + np.random.default_rng(0).standard_normal((2000, 8))).astype(np.float32)
    expected = x.var(axis=0, dtype=np.float64)
    naive = np.square(x).mean(axis=0) - x.mean(axis=0) ** 2
    assert np.abs(naive / expected - 1).max() > 0.1  # the check checks
    fused.forward(x, train=True)
    np.testing.assert_allclose(fused.norm.var, expected, rtol=1e-3)  # worst seen 6.3e-5; plain 8.9e-5
    mean = x.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(fused.norm.mean, mean, rtol=0, atol=0.02)  # worst seen 7.4e-3; plain 9.4e-3


# ---- shift and reuse -------------------------------------------------------------------------------


def test_a_shift_moves_the_running_mean_and_nothing_else() -> None:
    (shifted, plain), (still, _) = make(), make()
    x, dy = numbers(12)
    shift = np.random.default_rng(1).standard_normal(5)
    y, dx = plain.forward(x + shift, train=True), plain.backward(dy)
    np.testing.assert_array_equal(shifted.forward(x, train=True, shift=shift), still.forward(x, train=True))
    np.testing.assert_allclose(shifted.y, y, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(shifted.backward(dy), still.backward(dy))
    np.testing.assert_allclose(shifted.backward(dy), dx, rtol=0, atol=1e-12)
    moved, unmoved, expected = state(shifted), state(still), state(plain)
    for name, value in moved.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)
    gap = moved.pop("running_mean") - unmoved.pop("running_mean")
    np.testing.assert_allclose(gap, 0.1 * shift, rtol=0, atol=1e-15)
    for name, value in moved.items():
        np.testing.assert_array_equal(value, unmoved[name], err_msg=name)


@pytest.mark.parametrize("chunk", [1 << 17, 16])
def test_reused_memory_gives_the_same_bits(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "CHUNK", chunk)
    (fresh, _), (reused, _) = make(), make()
    x, dy = numbers(13)
    written = x.copy()
    y, dx = fresh.forward(x, train=True), fresh.backward(dy)
    np.testing.assert_array_equal(reused.forward(written, train=True, reuse=True), y)
    np.testing.assert_allclose(written, x - x.mean(axis=0), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(reused.backward(dy), dx)
    for name, value in state(fresh).items():
        np.testing.assert_array_equal(state(reused)[name], value, err_msg=name)


# ---- evaluation, and the layers that it borrows ----------------------------------------------------


def test_evaluation_is_that_of_the_three_layers() -> None:
    fused, plain = make()
    (x, dy), first = numbers(9), numbers(9, seed=1)[0]
    for layer in (fused, plain):
        layer.forward(first, train=True)
    before = {name: np.array(value) for name, value in state(fused).items()}
    ops = fused.ops
    ops.copy(fused.norm.running_mean, out=plain.norm.running_mean)  # equal but for rounding so far
    ops.copy(fused.norm.running_var, out=plain.norm.running_var)
    np.testing.assert_array_equal(fused.forward(x), plain.forward(x))
    np.testing.assert_array_equal(fused.backward(dy), plain.backward(dy))
    np.testing.assert_array_equal(fused.norm.weight.grad, plain.norm.weight.grad)
    np.testing.assert_array_equal(fused.norm.bias.grad, plain.norm.bias.grad)
    for name in ("running_mean", "running_var", "tracked", "calls"):
        np.testing.assert_array_equal(state(fused)[name], before[name], err_msg=name)
    with pytest.raises(ValueError, match="in evaluation, add the shift to x"):
        fused.forward(x, shift=np.ones(5))


def test_backward_is_of_the_latest_forward_in_either_mode() -> None:
    fused, plain = make()
    x, dy = numbers(9)
    for modes in ((True, False), (False, True), (True, False, True)):
        for layer in (fused, plain):
            for train in modes:
                layer.forward(x, train)
        np.testing.assert_allclose(fused.backward(dy), plain.backward(dy), rtol=0, atol=1e-12)


def test_it_works_with_the_layers_own_parameters_and_counters() -> None:
    fused, _ = make()
    norm, dropout = fused.norm, fused.dropout
    assert fused.parameters() == norm.parameters()
    assert list(fused.state_dict()) == [
        f"0.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ]
    x, _ = numbers(9)
    first = fused.forward(x, train=True).copy()
    dropout.calls = 0
    np.testing.assert_array_equal(fused.forward(x, train=True), first)
    dropout.seed += 1
    dropout.calls = 0
    assert not np.array_equal(fused.forward(x, train=True), first)
    norm.bias.data.fill(-1e9)
    assert not fused.forward(x, train=True).any()


def test_misuse_is_told() -> None:
    fused, _ = make()
    with pytest.raises(ValueError, match=r"BatchNorm1d\(5.*at least 2 rows, got 1"):
        fused.forward(np.ones((1, 5)), train=True)
    assert state(fused)["calls"] == state(fused)["tracked"] == 0
    with pytest.raises(ValueError, match=r"expected input of shape \(batch, 5\), got \(4, 3\)"):
        fused.forward(np.ones((4, 3)), train=True)
    fused.forward(np.ones((4, 5)), train=True)
    with pytest.raises(ValueError, match=r"expected dy of shape \(4, 5\), got \(3, 5\)"):
        fused.backward(np.ones((3, 5)))


# ---- the mask --------------------------------------------------------------------------------------

BORDER = 1 << 16  # up to which one table of numbers serves
PARTS = {
    "at the start": (0, 300),
    "inside": (BORDER // 2 + 7, 300),
    "up to a border": (BORDER - 200, 200),
    "from a border": (BORDER, 200),
    "over a border": (2 * BORDER - 150, 300),
    "one before it": (BORDER - 1, 1),
    "the two about it": (3 * BORDER - 1, 2),
    "over two borders": (BORDER - 3, BORDER + 6),
    "beyond 2^31": (2**31 - 5, 10),
    "round 2^32": (2**32 - 5, 10),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("part", PARTS)
def test_any_part_of_the_mask_is_as_defined(part: str, dtype: str) -> None:
    (start, length), ops = PARTS[part], numpy_ops.NumpyOps(dtype)
    out = np.full(length, np.nan, dtype)
    every = max(length // 500, 1)  # of a long part, some elements and its ends
    chosen = sorted({*range(0, length, every), *range(min(length, 5)), *range(max(length - 5, 0), length)})
    for p, key in ((0.3, dropout_key(1, 2, 3)), (0.9, dropout_key(2**40, 0, 7)), (0.5, (0, 0xFFFFFFFF))):
        ops._keep(p, key, start, out)
        assert [out[i] for i in chosen] == [float(keeps(start + i, key, p)) for i in chosen]
    for p, kept in ((0.0, 1), (1e-12, 1), (1 - 1e-12, 0), (1.0, 0)):  # a share below 2^-32 is nothing
        ops._keep(p, dropout_key(4, 5, 6), start, out)
        np.testing.assert_array_equal(out, kept)
