"""Folded weights predict what the layers compute, for any number of poses and from any number of threads."""

from __future__ import annotations

import threading
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, Lifter, LiftModel, cal_mpjpe, evaluate, run_epoch
from minilift.lift.fast.folded import FoldedLift
from minilift.nn import losses
from minilift.ops import Ops, numpy_core
from minilift.ops.threads import Team, blas

TEAM = Team(2)  # on any machine
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # of the largest output; worst seen 1.1e-15 and 9.1e-7


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "team", lambda: TEAM)


def make(blocks: int = 2, hidden: int = 37, dtype: str = "float64", standardised: bool = True) -> LiftModel:
    """A model none of whose parameters or statistics are as they start."""
    model, rng = LiftModel(blocks, hidden, 0.3, seed=3, dtype=dtype), np.random.default_rng(hidden)
    state = {}
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value = rng.standard_normal(value.shape)
        elif name.endswith("running_var"):
            value = rng.uniform(0.2, 3, value.shape)
        elif ".1." in name or ".5." in name:
            value = rng.uniform(-1.5, 1.5, value.shape)
        state[name] = value
    model.load_state_dict(state)
    if standardised:
        model.standardise(*(rng.standard_normal((50, k)) * 2 + 1 for k in (30, 45)))
    return model


def poses(n: int, dtype: str = "float64", seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((n, 30)).astype(dtype) + 1


# One; as columns; as rows: one chunk for each thread, several, and a last one that is shorter
FEW, ROWS = Ops.narrow, Ops.rows_at_once
COUNTS = [1, 2, 5, FEW - 1, FEW, FEW + 1, 200, 2 * ROWS, 1500]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("hidden", [1, 8, 37, 64, 131])
@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
def test_the_prediction_is_the_models(blocks: int, hidden: int, dtype: str) -> None:
    x = poses(max(COUNTS), dtype)
    for standardised in (False, True):
        model = make(blocks, hidden, dtype, standardised)
        lifter = Lifter(model)
        expected = model.forward(x).reshape(-1, 15, 3).copy()
        close = {"rtol": 0, "atol": TOLERANCE[dtype] * np.abs(expected).max()}
        for n in COUNTS:
            found = lifter.predict(x[:n])
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected[:n], **close, err_msg=str(n))
        np.testing.assert_allclose(lifter.predict(x[7].reshape(15, 2)), expected[7], **close)
        assert lifter.predict(x[:0]).shape == (0, 15, 3)


@pytest.mark.parametrize("n", [7, 80, 700])
def test_the_usual_width_cut_for_the_caches(n: int) -> None:
    """Wide enough for products by pieces and for parts of the features."""
    model, x = make(1, 512, "float32"), poses(n, "float32")
    expected = model.forward(x).reshape(-1, 15, 3)
    np.testing.assert_allclose(Lifter(model).predict(x), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_any_number_of_cores(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    team = Team(size)
    monkeypatch.setattr(numpy_core, "team", lambda: team)
    monkeypatch.setattr(numpy_core, "CHUNK", 100)
    for hidden in (3, 131):
        model = make(2, hidden)
        expected = model.forward(poses(700)).reshape(-1, 15, 3).copy()
        for n in (1, 20, 100, 700):
            found = Lifter(model).predict(poses(700)[:n])
            np.testing.assert_allclose(found, expected[:n], rtol=0, atol=1e-12 * np.abs(expected).max())


# ---- threads and memory ----------------------------------------------------------------------------


def test_threads_that_predict_at_once_get_what_one_alone_gets() -> None:
    lifter = Lifter(make(2, 64, "float32"))
    inputs = [poses(n, "float32", seed) for seed, n in enumerate((1, 3, 40, 64, 65, 300, 520, 1100))]
    alone = [lifter.predict(x) for x in inputs]
    wrong: list[str] = []
    start = threading.Barrier(len(inputs))

    def predict(i: int) -> None:
        start.wait(10)
        for again in range(10):
            j = (i + again) % len(inputs)  # a thread meets all sizes: its scratch memory grows and is reused
            if not same(lifter.predict(inputs[j]), alone[j]):
                wrong.append(f"thread {i}, {len(inputs[j])} poses")

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """To the bit; one pose only nearly with NumPy 1, whose OpenBLAS adds in another order on two threads."""
    if np.lib.NumpyVersion(np.__version__) < "2.0.0" and len(found) in (1, 15):
        return np.allclose(found, expected, rtol=0, atol=1e-5)
    return np.array_equal(found, expected)


def test_one_pose_gives_the_same_bits_while_others_hold_blas() -> None:
    lifter, x = Lifter(make(1, 512, "float32")), poses(5, "float32")
    for pose in x.reshape(5, 15, 2):
        alone = lifter.predict(pose)
        with blas().one_thread():
            assert same(lifter.predict(pose), alone)


def test_prediction_while_the_model_trains() -> None:
    """The Lifter's arrays are its own, and the team serves whoever comes first."""
    data, model = make_poses(300), make(1, 32, "float32")
    lifter, x = Lifter(model), poses(600, "float32")
    expected, finished, wrong = lifter.predict(x), threading.Event(), []

    def predict() -> None:
        while not finished.is_set():
            if not np.array_equal(lifter.predict(x), expected):
                wrong.append(1)

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        for epoch in range(3):
            run_epoch(epoch, data, model, Adam(model.parameters()), batch_size=50, progress=False)
    finally:
        finished.set()
        thread.join()
    assert wrong == []
    assert not np.array_equal(Lifter(model).predict(x), expected)


@pytest.mark.parametrize("n", [10, 300])
def test_a_nan_stays_in_its_row(n: int) -> None:
    lifter, x = Lifter(make(2, 64, "float32")), poses(n, "float32")
    expected = lifter.predict(x)
    x[3, 7], x[n - 1, 0] = np.nan, np.inf
    found = lifter.predict(x)  # and no warning of NumPy's
    assert np.isnan(found[3]).all()
    assert not np.isfinite(found[n - 1]).any()
    sound = np.delete(np.arange(n), [3, n - 1])
    np.testing.assert_array_equal(found[sound], expected[sound])


def test_weights_without_measure_do_not_warn() -> None:
    model = make(1, 16, "float32")
    model.flat.data *= 1e18
    with np.errstate(all="ignore"):
        lifter = Lifter(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in (5, 500):
            assert not np.isfinite(lifter.predict(poses(n, "float32"))).all()


def test_memory_does_not_grow_with_the_number_of_poses() -> None:
    x = poses(20_000, "float32")
    lifter = Lifter(make(1, 256, "float32"))
    beside = []
    for n in (5_000, 20_000):
        tracemalloc.start()
        try:
            found = lifter.predict(x[:n])
            beside.append(tracemalloc.get_traced_memory()[1] - found.nbytes)
        finally:
            tracemalloc.stop()
    assert (
        max(beside) < 8e6 < 20_000 * 256 * 4
    )  # of one layer's output; seen 3.2 MB, and 0.04 the second time


# ---- which weights ---------------------------------------------------------------------------------


def test_a_lifter_predicts_with_the_weights_that_it_was_made_of() -> None:
    data, model = make_poses(200), make(1, 16, "float32")
    x = poses(70, "float32")
    old = Lifter(model)
    before = old.predict(x)
    run_epoch(0, data, model, Adam(model.parameters(), lr=0.01), batch_size=50, progress=False)
    np.testing.assert_array_equal(old.predict(x), before)
    new = Lifter(model).predict(x)
    assert np.abs(new - before).max() > 1e-3
    np.testing.assert_allclose(new.reshape(-1, 45), model.forward(x), rtol=0, atol=1e-5 * np.abs(new).max())


def test_folding_leaves_the_state_as_it_is() -> None:
    model = make(2, 8)
    state = model.state_dict()
    kept = {name: value.copy() for name, value in state.items()}
    FoldedLift(state, model.ops)
    for name, value in kept.items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)


@pytest.mark.parametrize("loss", [losses.mpjpe, losses.mse], ids=["mpjpe", "mse"])
def test_evaluation_agrees_with_the_predictions(loss: Any) -> None:
    data, model = make_poses(1500), make(1, 32, "float32", standardised=False)
    model.standardise(data.joint_2d, data.joint_3d)
    predicted = Lifter(model).predict(data.joint_2d)
    mpjpe = cal_mpjpe(predicted, data.joint_3d)
    expected = mpjpe if loss is losses.mpjpe else np.square(predicted - data.joint_3d).mean()
    for found in (run_epoch(0, data, model, split="test", loss=loss), evaluate(model, data, loss=loss)):
        assert found.mpjpe == pytest.approx(mpjpe, rel=1e-6)
        assert found.loss == pytest.approx(expected, rel=1e-6)
