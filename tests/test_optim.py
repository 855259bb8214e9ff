"""Optimisers and schedules against torch, and the flat vectors that they work on."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from minilift.nn import Linear, Sequential
from minilift.nn.params import ALIGN, ParamBuffer, Parameter, runs
from minilift.ops import Ops, get_ops
from minilift.ops.numpy_core import CHUNK
from minilift.optim import (
    SGD,
    Adam,
    AdamW,
    CosineAnnealingLR,
    ExponentialLR,
    OneCycleLR,
    StepLR,
    WarmUpCosineLR,
)

torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
lr_scheduler = torch.optim.lr_scheduler
F64 = get_ops("cpu", "float64")

OPTIMISERS = {
    "Adam": (Adam, torch.optim.Adam, {"lr": 1e-3}),
    "Adam of the report": (Adam, torch.optim.Adam, {"lr": 0.1, "betas": (0.5, 0.999)}),
    "Adam with large eps": (Adam, torch.optim.Adam, {"lr": 1e-3, "eps": 1e-3}),
    "Adam with weight decay": (Adam, torch.optim.Adam, {"lr": 1e-3, "weight_decay": 0.1}),
    "AdamW": (AdamW, torch.optim.AdamW, {"lr": 1e-2, "weight_decay": 0.1}),
    "AdamW as it comes": (AdamW, torch.optim.AdamW, {}),
    "SGD": (SGD, torch.optim.SGD, {"lr": 0.1}),
    "SGD with momentum": (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "SGD, Nesterov": (
        SGD,
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    ),
    "SGD with all": (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
}


def parameter(values: np.ndarray, ops: Ops = F64) -> Parameter:
    return Parameter(ops.asarray(values), ops)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_fifty_steps_equal_torchs(name: str) -> None:
    ours, theirs, options = OPTIMISERS[name]
    rng = np.random.default_rng(0)
    start = rng.standard_normal(CHUNK + 1000)  # more than one cache-sized piece
    p, q = parameter(start), torch.tensor(start, requires_grad=True)
    mine, torchs = ours([p], **options), theirs([q], **options)
    sizes = 10.0 ** rng.uniform(
        -9, 0, start.size
    )  # gradients from where eps rules to where it does not matter
    for _ in range(50):
        grad = rng.standard_normal(start.size) * sizes
        p.grad[...] = grad
        q.grad = torch.tensor(grad)
        mine.step()
        torchs.step()
        np.testing.assert_array_equal(p.grad, grad)
    np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=1e-13)  # worst seen 4e-15


@pytest.mark.parametrize("name", ["Adam", "SGD with momentum", "SGD, Nesterov"])
def test_a_restored_optimiser_goes_on_to_the_bit(name: str) -> None:
    make, _, options = OPTIMISERS[name]
    rng = np.random.default_rng(1)
    grads = rng.standard_normal((20, 10))
    straight, stopped = parameter(np.ones(10)), parameter(np.ones(10))
    whole, first = make([straight], **options), make([stopped], **options)
    for grad in grads:
        straight.grad[...] = grad
        whole.step()
    for grad in grads[:9]:
        stopped.grad[...] = grad
        first.step()
    second = make([stopped], **options)
    second.load_state_dict(first.state_dict())
    for grad in grads[9:]:
        stopped.grad[...] = grad
        second.step()
    np.testing.assert_array_equal(straight.data, stopped.data)


@pytest.mark.parametrize("scale", [1e-3, 10.0], ids=["spared", "clipped"])
def test_clipping_equals_torchs(scale: float) -> None:
    rng = np.random.default_rng(2)
    ps, qs, grads = [], [], [scale * rng.standard_normal(n) for n in (CHUNK + 10, 7)]
    for grad in grads:
        ps.append(parameter(np.zeros(grad.size)))
        ps[-1].grad[...] = grad
        qs.append(torch.zeros(grad.size, dtype=torch.float64))
        qs[-1].grad = torch.tensor(grad)
    SGD(ps, 1.0, max_norm=2.0).step()
    torch.nn.utils.clip_grad_norm_(qs, 2.0)
    for p, q in zip(ps, qs, strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)
        np.testing.assert_allclose(-p.data, q.grad.numpy(), rtol=1e-12)
    assert (np.abs(ps[0].grad - grads[0]).max() == 0) == (scale < 1)


def test_clipping_lets_nan_be_seen() -> None:
    p = parameter(np.zeros(3))
    p.grad[...] = [1, np.nan, 2]
    SGD([p], 1.0, max_norm=1.0).step()
    assert np.isnan(p.data).all()


def _warm_up(optimiser: Any, total: int, warm_up: int) -> Any:
    rise = lr_scheduler.LinearLR(optimiser, 1 / warm_up, total_iters=warm_up - 1)
    fall = lr_scheduler.CosineAnnealingLR(optimiser, total - warm_up)
    return lr_scheduler.SequentialLR(optimiser, [rise, fall], [warm_up])


SCHEDULES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "StepLR": (StepLR, lr_scheduler.StepLR, {"step_size": 30, "gamma": 0.3}),
    "ExponentialLR": (ExponentialLR, lr_scheduler.ExponentialLR, {"gamma": 0.97}),
    "Cosine": (CosineAnnealingLR, lr_scheduler.CosineAnnealingLR, {"T_max": 200, "eta_min": 1e-5}),
    "Cosine and up again": (CosineAnnealingLR, lr_scheduler.CosineAnnealingLR, {"T_max": 70}),
    "Warm-up and cosine": (
        lambda optimiser, total, warm_up: WarmUpCosineLR(optimiser, total, warm_up / total),
        _warm_up,
        {"total": 200, "warm_up": 20},
    ),
    "OneCycle": (OneCycleLR, lr_scheduler.OneCycleLR, {"max_lr": 0.1, "total_steps": 201}),
    "OneCycle by hand": (
        OneCycleLR,
        lr_scheduler.OneCycleLR,
        {"max_lr": 0.1, "total_steps": 201, "pct_start": 0.1, "div_factor": 5, "final_div_factor": 10,
         "base_momentum": 0.8, "max_momentum": 0.9},
    ),
    "OneCycle of the rate alone": (
        OneCycleLR, lr_scheduler.OneCycleLR, {"max_lr": 0.1, "total_steps": 201, "cycle_momentum": False}
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Detected call of")  # torch wants optimizer.step() before scheduler.step()
@pytest.mark.parametrize("optimiser", ["Adam", "SGD with momentum"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_two_hundred_steps_of_a_schedule_equal_torchs(name: str, optimiser: str) -> None:
    make, torchs, options = SCHEDULES[name]
    ours, theirs, settings = OPTIMISERS[optimiser]
    mine, other = (
        ours([parameter(np.ones(2))], **settings),
        theirs([torch.ones(2, requires_grad=True)], **settings),
    )
    schedule, expected = make(mine, **options), torchs(other, **options)
    for _ in range(201):
        group = other.param_groups[0]
        assert mine.lr == pytest.approx(group["lr"], rel=1e-10, abs=1e-15)
        if optimiser == "Adam":
            assert mine.betas == pytest.approx(group["betas"], rel=1e-12)
        else:
            assert mine.momentum == pytest.approx(group["momentum"], rel=1e-12)
        if schedule.t < 200:
            schedule.step()
            expected.step()
    assert schedule.t == 200


def test_schedules_start_anywhere() -> None:
    for make, _, options in SCHEDULES.values():
        one, other = (Adam([parameter(np.ones(2))], lr=0.1) for _ in range(2))
        walked, jumped = make(one, **options), make(other, **options)
        for _ in range(37):
            walked.step()
        jumped.seek(37)
        assert (one.lr, one.betas) == (other.lr, other.betas)


@pytest.mark.parametrize("total_steps", [1, 2, 3, 10])
@pytest.mark.parametrize("pct_start", [0.0, 0.3, 0.5, 1.0])
def test_short_one_cycles_do_not_divide_by_0(total_steps: int, pct_start: float) -> None:
    adam = Adam([parameter(np.ones(2))])
    schedule = OneCycleLR(adam, 0.1, total_steps, pct_start)
    for _ in range(total_steps + 3):
        schedule.step()
        assert 0 < adam.lr <= 0.1
    last = total_steps - 1
    assert (adam.lr, adam.betas[0]) == (schedule.lr_at(last), schedule.momentum_at(last))


def test_wrong_settings_are_told() -> None:
    p = [parameter(np.ones(2))]
    with pytest.raises(ValueError, match="learning rate must be at least 0, got -1"):
        Adam(p, lr=-1)
    with pytest.raises(ValueError, match=r"betas must lie in \[0, 1\), got \(0.9, 1.0\)"):
        Adam(p, betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="no parameters"):
        Adam([])
    with pytest.raises(ValueError, match="'batch' or 'epoch', got 'step'"):
        StepLR(Adam(p), 10, per="step")
    with pytest.raises(TypeError, match=r"give the optimiser model.parameters\(\), not a Linear"):
        Adam(Linear(2, 2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="weight decay must be at least 0, got -1"):
        Adam(p, weight_decay=-1)
    with pytest.raises(ValueError, match="eps must be more than 0, got 0"):
        Adam(p, eps=0)
    with pytest.raises(ValueError, match="momentum must be at least 0, got -1"):
        SGD(p, momentum=-1)
    with pytest.raises(ValueError, match="nesterov needs a momentum of more than 0, got 0"):
        SGD(p, nesterov=True)
    with pytest.raises(ValueError, match="T_max must be at least 1, got 0"):
        CosineAnnealingLR(Adam(p), 0)
    with pytest.raises(ValueError, match="pct_start must lie between 0 and 1, got 5"):
        OneCycleLR(Adam(p), 0.1, 10, pct_start=5)
    with pytest.raises(ValueError, match="step_size must be at least 1, got 0"):
        StepLR(Adam(p), 0)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_step_allocates_no_array(name: str) -> None:
    make, _, options = OPTIMISERS[name]
    p = parameter(np.ones(4 * CHUNK), get_ops())
    optimiser = make([p], **options)
    optimiser.step()
    tracemalloc.start()
    optimiser.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000 < CHUNK


def test_plain_sgd_has_no_momentum_for_a_cycle_to_move() -> None:
    sgd = SGD([parameter(np.ones(2))], lr=0.1)
    OneCycleLR(sgd, 0.1, 10).step()
    assert sgd.momentum == 0


# ---- the flat vectors ------------------------------------------------------------------------------


def test_gathered_parameters_are_views_of_one_vector() -> None:
    net = Sequential(Linear(3, 5), Linear(5, 2))
    before = [p.data.copy() for p in net.parameters()]
    flat = ParamBuffer(net.parameters(), net.ops)
    for p, data in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, data)
        assert np.shares_memory(p.data, flat.data)
        assert np.shares_memory(p.grad, flat.grad)
        assert p.start % ALIGN == 0
    net.forward(np.ones((2, 3)))
    net.backward(np.ones((2, 2)))
    assert flat.grad.sum() == pytest.approx(sum(p.grad.sum() for p in net.parameters()), rel=1e-4)
    [(data, grad)] = runs(net.parameters())
    assert data.size == flat.data.size
    assert np.shares_memory(grad, flat.grad)


def test_assigning_to_a_parameter_keeps_it_in_its_vector() -> None:
    net = Sequential(Linear(3, 5))
    flat, weight = ParamBuffer(net.parameters(), net.ops), net.parameters()[0]
    weight.data = np.full((5, 3), 2.0)
    weight.grad = np.full((5, 3), 3.0)
    assert flat.data[:15].tolist() == [2] * 15
    assert flat.grad[:15].tolist() == [3] * 15
    with pytest.raises(ValueError, match=r"Parameter\(5, 3\): assigned an array of shape \(3,\)"):
        weight.data = np.zeros(3)


def test_runs_join_neighbours_and_leave_the_rest_alone() -> None:
    net, loose = Sequential(Linear(3, 5), Linear(5, 2), Linear(2, 2)), parameter(np.ones(3), get_ops())
    ParamBuffer(net.parameters(), net.ops)
    parts = net.parameters()
    moved = parts[:2] + parts[4:]
    assert [len(runs(p)) for p in (parts, parts[:4], moved, [loose])] == [1, 1, 2, 1]
    assert len(runs([parts[0], loose, parts[1]])) == 3
    for p in parts:
        p.grad.fill(1)
    start = [p.data.copy() for p in parts]
    SGD(moved, lr=1.0).step()
    for p, data in zip(parts, start, strict=True):
        np.testing.assert_array_equal(p.data, data - 1 if p in moved else data)


def test_padding_stays_0() -> None:
    net = Sequential(Linear(3, 5))
    flat = ParamBuffer(net.parameters(), net.ops)
    used = np.zeros(flat.data.size, bool)
    for p in net.parameters():
        used[p.start : p.start + p.size] = True
        p.grad.fill(1)
    assert not used.all()
    adam = Adam(net.parameters(), weight_decay=0.1)
    for _ in range(3):
        adam.step()
    assert not flat.data[~used].any()
