"""A TrainStep does what the layers and the optimiser do one by one."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, LiftModel, run_epoch
from minilift.lift.fast.step import TrainStep
from minilift.lift.run_epoch import mpjpe_metric
from minilift.nn import losses
from minilift.ops import numpy_core
from minilift.ops.threads import Team, blas
from minilift.optim import SGD, OneCycleLR, Optimiser, Schedule
from minilift.train.step import Sums

TEAM = Team(2)  # on any machine

OPTIMISERS: dict[str, Callable[[LiftModel], Optimiser]] = {
    "Adam": lambda model: Adam(model.parameters(), lr=1e-3),
    "Adam, weight decay": lambda model: Adam(model.parameters(), lr=1e-3, weight_decay=0.1),
    "SGD, momentum": lambda model: SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01),
}


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "team", lambda: TEAM)


def make(
    blocks: int = 1, hidden: int = 37, dropout: float = 0.3, standardised: bool = True,
    dtype: str = "float64", **options: Any,
) -> LiftModel:  # fmt: skip
    """A model with normalisations that do something: they start with weights of 1 and biases of 0."""
    model = LiftModel(blocks, hidden, dropout, seed=3, dtype=dtype, **options)
    rng = np.random.default_rng(0)
    for name, p in model.named_parameters():
        if ".1." in name or ".5." in name:
            p.data[...] = rng.uniform(0.5, 1.5, p.shape) * (1 if name.endswith("weight") else 0.3)
    if standardised:
        x, y = (rng.standard_normal((100, width)) for width in (model.input_nodes, model.joint_nodes))
        model.standardise(5 * x + 2, 0.1 * y - 1)
    return model


def numbers(n: int, model: LiftModel, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    widths = model.input_nodes, model.joint_nodes
    x, y = (rng.standard_normal((n, width)).astype(model.ops.dtype) for width in widths)
    if model.head == "place":
        x[rng.random(x.shape) < 0.1] = np.nan
    if model.takes_noise:
        x = np.concatenate([x, rng.uniform(0, 0.05, (n, x.shape[1] // 2)).astype(x.dtype)], axis=1)
    return x, y


def train(
    model: LiftModel, optimiser: Optimiser, batches: list[int], fast: bool = True,
    loss: Any = losses.mpjpe, schedule: Schedule | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Steps on batches of these sizes; copies of whatever they change."""
    step = TrainStep(model, loss, optimiser, mpjpe_metric())
    measure = step.sums
    for p in model.parameters():
        p.grad.fill(7)  # every gradient has to be assigned
    for i, n in enumerate(batches):
        x, y = numbers(n, model, seed=i + 1)
        if fast:
            step(x, y)
        else:
            with blas().one_thread():  # BLAS's own threads would spin beside the team's in the next step
                model.backward(measure.add(model.forward(x, train=True), y))
            optimiser.step()
        if schedule is not None:
            schedule.step()
    found: dict[str, Any] = {f"data of {name}": p.data.copy() for name, p in model.named_parameters()}
    found |= {f"grad of {name}": p.grad.copy() for name, p in model.named_parameters()}
    found |= {k: v for k, v in model.snapshot().items() if "running" in k or "tracked" in k or "calls" in k}
    moments = {f"{k} {i}": a.copy() for k, v in optimiser.moments.items() for i, a in enumerate(v)}
    return {
        **found,
        **moments,
        "steps": optimiser.steps,
        "sums": tuple(measure.read().values()),
        "batches": measure.batches,
    }


def dead(name: str) -> bool:
    """Whether it is of a bias in front of a normalisation: of gradient 0, but for the layers' rounding."""
    return name.endswith((".0.bias", ".4.bias"))


def assert_same(found: dict[str, Any], expected: dict[str, Any], tolerance: float, noise: float = 0) -> None:
    """Equal to a share of the array's largest value (or of 1e-3, if that is more).

    `noise`: what Adam makes of the rounding in the gradients of the dead biases, which the running mean sees.
    """
    assert list(found) == list(expected)
    for name, value in expected.items():
        if name.endswith(("calls", "tracked", "steps", "batches")):
            np.testing.assert_array_equal(found[name], value, err_msg=name)
            continue
        atol = tolerance * max(float(np.abs(value).max(initial=0)), 1e-3)
        if name.startswith("grad") and dead(name):
            assert np.abs(value).max() < 0.1 * tolerance, name  # worst seen 9.7e-16 and 5.4e-9
            assert not found[name].any(), name
        elif dead(name) or name.endswith("running_mean"):
            np.testing.assert_allclose(found[name], value, rtol=0, atol=max(atol, noise), err_msg=name)
        else:
            np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)


def both(
    make_model: Callable[[], LiftModel],
    name: str,
    batches: list[int],
    tolerance: float = 1e-11,
    **options: Any,
) -> None:
    """The two ways, on models of their own, compared."""
    fast, plain = make_model(), make_model()
    found = train(fast, OPTIMISERS[name](fast), batches, **options)
    expected = train(plain, OPTIMISERS[name](plain), batches, fast=False, **options)
    # Worst seen 5.8e-13, the noise 5.5e-11
    assert_same(found, expected, tolerance, noise=1e-8 if "Adam" in name else 0)


# ---- the same numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
@pytest.mark.parametrize("batch", [5, 40, 61, 200])  # 61 is the first to compose the stem with what follows
def test_three_steps_equal_those_of_the_layers(batch: int, blocks: int, dropout: float) -> None:
    for hidden, standardised in ((64, True), (37, False)):
        name = list(OPTIMISERS)[(batch + blocks + hidden) % 3]
        both(lambda h=hidden, s=standardised: make(blocks, h, dropout, s), name, [batch] * 3)  # type: ignore[misc]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_batches_of_changing_size(name: str) -> None:
    """Composed or not: each step is one for its own batch."""
    both(lambda: make(2), name, [200, 5, 256, 61, 40, 289, 2, 60])


@pytest.mark.parametrize("batch", [5, 61])
@pytest.mark.parametrize("norm", [0.1, 1e9])
def test_clipped_gradients(batch: int, norm: float) -> None:
    make_one = lambda: make(2, 24, 0.2)  # noqa: E731
    fast, plain = make_one(), make_one()
    found = train(fast, SGD(fast.parameters(), 0.1, max_norm=norm), [batch] * 3)
    expected = train(plain, SGD(plain.parameters(), 0.1, max_norm=norm), [batch] * 3, fast=False)
    assert_same(found, expected, 1e-11)


@pytest.mark.parametrize("batch", [5, 61])
def test_joints_on_rays(batch: int) -> None:
    both(lambda: make(2, 24, 0.2, head="ray"), "Adam", [batch] * 3)


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("batch", [5, 91, 123])  # 91 and 123 are the first to compose 45 and 61 inputs
def test_joints_that_are_placed(batch: int, levels: bool) -> None:
    both(lambda: make(2, 24, 0.2, head="place", levels=levels), "SGD, momentum", [batch] * 3)


def test_the_other_loss_is_counted_beside_the_metric() -> None:
    both(make, "SGD, momentum", [40, 70], loss=losses.mse)


@pytest.mark.parametrize("hidden", [1, 2, 16, 19])
def test_narrow_networks(hidden: int) -> None:
    both(lambda: make(2, hidden, 0.1, input_nodes=4, output_nodes=6), "SGD, momentum", [7, 9, 40])


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_however_the_work_is_cut(dtype: str, unpacked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [40, 96, 300]
    fast, plain = (make(2, 80, dtype=dtype) for _ in range(2))
    expected = train(plain, OPTIMISERS["SGD, momentum"](plain), batches, fast=False)
    cut_finely(monkeypatch, unpacked)
    found = train(fast, OPTIMISERS["SGD, momentum"](fast), batches)
    assert_same(found, expected, {"float64": 1e-11, "float32": 3e-5}[dtype])  # worst seen 5.7e-15 and 3.2e-6


def cut_finely(monkeypatch: pytest.MonkeyPatch, unpacked: bool = True) -> None:
    monkeypatch.setattr(blas(), "unpacked", unpacked)
    monkeypatch.setattr(numpy_core, "WORTH_SPLITTING", 1)
    monkeypatch.setattr(numpy_core, "CHUNK", 1000)
    monkeypatch.setattr(numpy_core.NumpyCore, "cores", 5)


@pytest.mark.parametrize("unpacked", [False, True])
def test_small_batches_of_the_usual_width_in_float32(unpacked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here products go piece by piece where the kernel makes that worth while, or where we say so."""
    fast, plain = (make(1, 1024, 0.1, dtype="float32") for _ in range(2))
    for batch in (8, 40, 64, 96):
        monkeypatch.setattr(blas(), "unpacked", False)
        expected = train(plain, SGD(plain.parameters(), lr=0.1), [batch], fast=False)
        monkeypatch.setattr(blas(), "unpacked", unpacked)
        found = train(fast, SGD(fast.parameters(), lr=0.1), [batch])
        assert_same(found, expected, 3e-5)  # worst seen 3.8e-6


def test_an_epoch_equals_a_loop_over_the_layers() -> None:
    data, made = make_poses(330), []
    for _ in range(2):
        model = LiftModel(2, 32, 0.2, seed=4, dtype="float64")
        model.standardise(data.joint_2d, data.joint_3d)
        made.append((model, SGD(model.parameters(), lr=0.05, momentum=0.9)))
    (fast, sgd), (plain, other) = made
    means = run_epoch(7, data, fast, sgd, batch_size=64, progress=False)
    order = np.random.default_rng((plain.seed, 7)).permutation(330)
    measure = Sums(plain.ops, losses.mpjpe, mpjpe_metric())
    for batch in order[:320].reshape(5, 64):
        pred = plain.forward(data.joint_2d[batch].reshape(64, 30), train=True)
        plain.backward(measure.add(pred, plain.ops.asarray(data.joint_3d[batch].reshape(64, 45))))
        other.step()
    np.testing.assert_allclose(fast.flat.data, plain.flat.data, rtol=0, atol=1e-12)  # worst seen 1.5e-16
    for name, value in plain.snapshot().items():
        np.testing.assert_allclose(fast.snapshot()[name], value, rtol=0, atol=1e-12, err_msg=name)
    assert means._asdict() == pytest.approx(measure.averages(), rel=1e-12)
    assert sgd.steps == other.steps == 5
    # and not because it goes the same way: where the layers have rounding noise, the step has zeros
    (_, mine), (_, theirs) = (
        next((name, p.grad) for name, p in m.named_parameters() if dead(name)) for m in (fast, plain)
    )
    assert not mine.any()
    assert theirs.any()


# ---- optimisers ------------------------------------------------------------------------------------


def test_betas_that_change_between_steps() -> None:
    """As OneCycleLR changes them; also against the textbook's lines, for Adam keeps its moments scaled."""
    model, plain = make(), make()
    adams = [Adam(m.parameters()) for m in (model, plain)]
    schedules = [OneCycleLR(adam, max_lr=0.01, total_steps=12) for adam in adams]
    expected = train(plain, adams[1], [64] * 12, fast=False, schedule=schedules[1])
    w, m, v, seen = model.flat.data.copy(), 0.0, 0.0, set()
    step = TrainStep(model, losses.mpjpe, adams[0])
    for t in range(1, 13):
        lr, (b1, b2) = adams[0].lr, adams[0].betas
        step(*numbers(64, model, seed=t))
        schedules[0].step()
        seen.add(b1)
        g = model.flat.grad
        m, v = m + (1 - b1) * (g - m), v + (1 - b2) * (g * g - v)
        w = w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
        np.testing.assert_allclose(model.flat.data, w, rtol=0, atol=1e-13)  # worst seen 4.4e-16
    assert len(seen) > 8
    for name, p in model.named_parameters():
        atol = 1e-8 if dead(name) else 1e-12  # worst seen 2.8e-11 and 6.1e-16
        np.testing.assert_allclose(p.data, expected[f"data of {name}"], rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("older", [False, True], ids=["as saved now", "as saved before moments were scaled"])
def test_a_restored_adam_goes_on_while_its_betas_change(older: bool) -> None:
    first, second = make(), make()
    adam = Adam(first.parameters())
    schedule = OneCycleLR(adam, max_lr=0.01, total_steps=8)
    train(first, adam, [40] * 4, schedule=schedule)
    second.restore(first.snapshot())
    second.flat.data[:] = first.flat.data
    state = adam.state_dict()
    if older:
        unit_m, unit_v = state.pop("units")
        state["m.0"], state["v.0"] = state["m.0"] * unit_m, state["v.0"] * unit_v
    other = Adam(second.parameters())
    resumed = OneCycleLR(other, max_lr=0.01, total_steps=8)
    other.load_state_dict(state)
    resumed.seek(4)
    found, expected = (
        train(second, other, [40] * 3, schedule=resumed),
        train(first, adam, [40] * 3, schedule=schedule),
    )
    for name, value in expected.items():
        if not name.startswith(("m ", "v ")) or not older:
            np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-12 if older else 0, err_msg=name)


CHOICES: dict[str, Callable[[LiftModel], list[Any]]] = {
    "the last layer": lambda model: model.children["output"].parameters(),
    "one half": lambda model: model.parameters()[6:10],
    "all but the first": lambda model: model.parameters()[1:],
    "all, from the last": lambda model: model.parameters()[::-1],
}


@pytest.mark.parametrize("choice", CHOICES)
def test_an_optimiser_of_some_of_the_parameters(choice: str) -> None:
    fast, plain = make(), make()
    found = train(fast, SGD(CHOICES[choice](fast), lr=0.1, momentum=0.9), [40, 64, 300])
    expected = train(plain, SGD(CHOICES[choice](plain), lr=0.1, momentum=0.9), [40, 64, 300], fast=False)
    assert_same(found, expected, 1e-11)
    chosen = {id(p) for p in CHOICES[choice](fast)}
    start = make().flat.data
    for p in fast.parameters():
        before = start[p.start : p.start + p.size]
        if id(p) not in chosen:
            np.testing.assert_array_equal(p.data.reshape(-1), before)


def test_a_step_of_the_optimisers_own_is_called() -> None:
    class Signs(SGD):
        """w -= lr sign(g), in a step that wants all gradients to be there."""

        def step(self) -> None:
            self.steps += 1
            for data, grad in self.runs:
                data -= self.lr * np.sign(np.round(grad, 9))  # rounding decides no sign

    fast, plain = make(), make()
    found = train(fast, Signs(fast.parameters(), lr=0.01), [40, 70, 300])
    expected = train(plain, Signs(plain.parameters(), lr=0.01), [40, 70, 300], fast=False)
    assert found["steps"] == 3
    assert_same(found, expected, 1e-9)

    model, gradients = make(), []
    adam = Adam(model.parameters())
    adam.step = lambda: gradients.append(model.flat.grad.copy())  # type: ignore[method-assign]
    before = model.flat.data.copy()
    train(model, adam, [40, 300])
    np.testing.assert_array_equal(model.flat.data, before)
    assert len(gradients) == 2
    np.testing.assert_array_equal(gradients[1], model.flat.grad)


@pytest.mark.parametrize("cores", [1, 2, 7])
@pytest.mark.parametrize("blocks", [0, 1, 3])
@pytest.mark.parametrize("batch", [40, 300])
def test_every_element_is_updated_once(
    batch: int, blocks: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numpy_core.NumpyCore, "cores", cores)

    class Parts(Optimiser):
        def begin(self) -> None:
            super().begin()
            self.parts: list[slice] = []

        def update(self, number: int, part: slice) -> None:
            assert number == 0
            self.parts.append(part)

    model = make(blocks, 37)
    optimiser = Parts(model.parameters(), 0.1, 0.0)
    train(model, optimiser, [batch] * 2)
    assert optimiser.steps == 2
    at = 0
    for part in sorted(optimiser.parts, key=lambda part: (part.start, part.stop)):
        assert part.start == at <= part.stop
        at = part.stop
    assert at == model.flat.data.size


# ---- bits and memory -------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [128, 1024])
def test_the_seed_decides_the_bits_and_not_the_threads(hidden: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if hidden < 1024:
        cut_finely(monkeypatch)

    def run() -> dict[str, Any]:
        model = LiftModel(1, hidden, 0.1, seed=5)
        step = TrainStep(model, losses.mpjpe, adam := Adam(model.parameters()))
        x, y = numbers(12 * 64, model)
        for i in range(12):
            step(x[64 * i : 64 * i + 64], y[64 * i : 64 * i + 64])
        state = {f"adam.{key}": value for key, value in adam.state_dict().items()}
        return {**model.snapshot(), **state, "flat": model.flat.data}

    found = [run(), run()]
    with TEAM._free:  # at work for somebody else
        found.append(run())
    if hidden < 1024:  # two models at once: sometimes one has the team, sometimes the other
        both = [threading.Thread(target=lambda: found.append(run())) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(found) == 5
    for other in found[1:]:
        for name, value in found[0].items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


@pytest.mark.parametrize(("batch", "inputs"), [(64, 600), (256, 120)])  # 256 rows of 120 are composed
def test_a_step_makes_no_array(batch: int, inputs: int) -> None:
    model = make(1, 256, dtype="float32", input_nodes=inputs, output_nodes=inputs)
    x, y = numbers(batch, model)
    step = TrainStep(model, losses.mpjpe, Adam(model.parameters()))
    for _ in range(30):  # until every thread has had every kind of work, and has its scratch memory
        step(x, y)
    taken = []
    tracemalloc.start()
    try:
        for _ in range(5):  # a thread may still meet a kind of work for the first time, but not every time
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            step(x, y)
            taken.append(tracemalloc.get_traced_memory()[1] - before)
        spare = x * 2  # the check checks
        assert tracemalloc.get_traced_memory()[1] - before > spare.nbytes
    finally:
        tracemalloc.stop()
    assert min(taken) < 100_000 < min(x.nbytes, model.parameters()[0].data.nbytes)  # seen 68 kB of NumPy's
