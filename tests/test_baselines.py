"""The baselines against naive loops and torch's least squares, and what they need."""

from __future__ import annotations

import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import cal_mpjpe, load_poses
from minilift.evaluation.baselines import FlatPose, LinearRegression, MeanPose, NearestNeighbour
from minilift.files import mapped
from minilift.poses import nearest
from minilift.poses.poses import Poses, save_poses

TRAIN, TEST = make_poses(300), make_poses(70, seed=1)
ALL = (FlatPose, MeanPose, LinearRegression, NearestNeighbour)
FITTED = ALL[1:]


def fit(kind: Any, poses: Poses = TRAIN) -> Any:
    assert poses.joint_3d is not None
    return kind().fit(poses.joint_2d, poses.joint_3d)


@pytest.mark.parametrize("kind", ALL)
def test_what_comes_out(kind: Any) -> None:
    before = [array.copy() for array in (TRAIN.joint_2d, TRAIN.joint_3d, TEST.joint_2d)]
    found = fit(kind).predict(TEST.joint_2d)
    assert (found.shape, found.dtype) == ((70, 15, 3), np.float32)
    assert fit(kind).predict(TEST.joint_2d[:0]).shape == (0, 15, 3)
    np.testing.assert_allclose(fit(kind).predict(TEST.joint_2d[:1]), found[:1], atol=1e-6)
    found[:] = 0  # what is given away is not the training poses, nor the test poses
    for array, kept in zip((TRAIN.joint_2d, TRAIN.joint_3d, TEST.joint_2d), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_the_flat_pose() -> None:
    found = FlatPose().predict(TEST.joint_2d)
    for i in range(70):
        for j in range(15):
            assert found[i, j].tolist() == [TEST.joint_2d[i, j, 0], TEST.joint_2d[i, j, 1], -1]


def test_the_mean_pose_over_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped.chunks, "__defaults__", (64,))
    found = fit(MeanPose).predict(TEST.joint_2d)
    exact = [[np.mean([float(pose[j, k]) for pose in TRAIN.joint_3d]) for k in range(3)] for j in range(15)]
    np.testing.assert_allclose(found, np.broadcast_to(exact, found.shape), rtol=1e-6)


@pytest.mark.parametrize("n", [300, 20])
def test_linear_regression_is_torchs_least_squares(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """31 unknowns for each output: 20 poses leave some open, and then the fit goes through all of them."""
    torch = pytest.importorskip("torch", reason="the reference is torch.linalg.lstsq")
    monkeypatch.setattr(mapped.chunks, "__defaults__", (64,))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n, 15, 2)) + 5, rng.standard_normal((n, 15, 3))
    found = LinearRegression().fit(x, y)
    rows, outputs = (torch.from_numpy(a.reshape(n, -1)) for a in (x, y))
    rows = torch.cat([rows, torch.ones(n, 1, dtype=torch.float64)], dim=1)
    if n == 20:
        np.testing.assert_allclose(found.predict(x), y, atol=1e-5)
        return
    weights = torch.linalg.lstsq(rows, outputs).solution
    expected = (rows @ weights).numpy().reshape(n, 15, 3)
    np.testing.assert_allclose(found.predict(x), expected, atol=1e-6)


def test_linear_regression_finds_a_linear_law() -> None:
    rng = np.random.default_rng(1)
    law, shift = rng.standard_normal((30, 45)), rng.standard_normal(45)
    x, new = (0.1 * rng.standard_normal((n, 30)) for n in (500, 9))
    found = LinearRegression().fit(x.reshape(-1, 15, 2), (x @ law + shift).reshape(-1, 15, 3))
    np.testing.assert_allclose(
        found.predict(new.reshape(-1, 15, 2)).reshape(9, 45), new @ law + shift, atol=1e-6
    )


@pytest.mark.parametrize("noise", [0, 1e-9])
def test_points_that_hang_together_leave_small_weights(noise: float) -> None:
    """Joint 1 is joint 0 (nearly), joint 2 never moves: a plain solve would fail, or have weights of 1e8."""
    rng = np.random.default_rng(2)
    x, y = 0.1 * rng.standard_normal((400, 15, 2)), rng.standard_normal((400, 15, 3))
    x[:, 1] = x[:, 0] + noise * rng.standard_normal((400, 2))
    x[:, 2] = 0.25
    found = LinearRegression().fit(x, y)
    kept = np.delete(x, (1, 2), axis=1)
    expected = LinearRegression().fit(kept, y)
    np.testing.assert_allclose(found.predict(x), expected.predict(kept), atol=1e-5)
    assert found.weights is not None
    assert np.abs(found.weights).max() < 10


@pytest.mark.parametrize("cut", [(2048, 4096), (16, 64), (7, 300)])
def test_the_nearest_neighbour_is_that_of_a_loop(
    cut: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "ROWS", cut[0])
    monkeypatch.setattr(nearest, "COLUMNS", cut[1])
    model = fit(NearestNeighbour)
    slow = []
    for pose in TEST.joint_2d.astype(np.float64):
        distances = [np.sqrt(((pose - other) ** 2).sum()) for other in TRAIN.joint_2d.astype(np.float64)]
        slow.append(int(np.argmin(distances)))
    np.testing.assert_array_equal(model.nearest(TEST.joint_2d), slow)
    np.testing.assert_array_equal(model.predict(TEST.joint_2d), TRAIN.joint_3d[slow])
    np.testing.assert_array_equal(model.nearest(TRAIN.joint_2d), np.arange(300))


@pytest.mark.parametrize("columns", [4096, 64])
def test_of_equal_neighbours_the_first_is_taken(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "COLUMNS", columns)
    twice = np.concatenate([TRAIN.joint_2d[:100]] * 3)
    model = NearestNeighbour().fit(twice, TRAIN.joint_3d)
    np.testing.assert_array_equal(model.nearest(TRAIN.joint_2d[:100]), np.arange(100))


def test_no_order_of_summation_chooses_the_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of BLAS sum in orders of their own, and not all rows of a block in the same one."""

    def in_many_orders(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
        for column in range(b.shape[1]):
            order = np.random.default_rng(column).permutation(len(b))
            partial = np.cumsum(a[:, order] * b[order, column], axis=1, dtype=np.float32)
            out[:, column] = partial[:, -1]
        return out

    near = TRAIN.joint_2d[:100] + np.float32(1e-7)  # as near as float32 can tell, and farther than 0
    known = np.concatenate([near, TRAIN.joint_2d[:100], TRAIN.joint_2d[:100]])
    search = nearest.NearestRows(known)
    expected = 100 + np.arange(100)
    expected[(near == TRAIN.joint_2d[:100]).all(axis=(1, 2))] -= 100
    np.testing.assert_array_equal(search.nearest(TRAIN.joint_2d[:100]), expected)
    monkeypatch.setattr(np, "matmul", in_many_orders)
    np.testing.assert_array_equal(search.nearest(TRAIN.joint_2d[:100]), expected)
    monkeypatch.setattr(nearest, "PAIRS", 3)  # candidates of one pose in several parts
    np.testing.assert_array_equal(search.nearest(TRAIN.joint_2d[:100]), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_what_has_no_distance_costs_the_others_nothing(bad: float) -> None:
    search = nearest.NearestRows(TRAIN.joint_2d)
    queries = TRAIN.joint_2d[:5].copy()
    queries[2, 4, 1] = bad
    with np.errstate(over="ignore", invalid="ignore"):
        assert search.nearest(queries).tolist() == [0, 1, 0, 3, 4]
    assert search.nearest(queries[:0]).shape == (0,)
    with pytest.raises(ValueError, match="no rows to search among"):
        nearest.NearestRows(TRAIN.joint_2d[:0])


def test_far_from_the_origin_neighbours_are_still_told_apart() -> None:
    """In float32, sums of squares of points around 10,000 are good to 256 only: the mean must go first."""
    shift = np.float32(10_000)
    model = NearestNeighbour().fit((TRAIN.joint_2d * 100 + shift).astype(np.float32), TRAIN.joint_3d)
    plain = fit(NearestNeighbour).nearest(TEST.joint_2d)
    assert (model.nearest(TEST.joint_2d * 100 + shift) == plain).mean() > 0.98


@pytest.mark.parametrize("kind", FITTED)
def test_before_fit_and_without_poses(kind: Any) -> None:
    with pytest.raises(ValueError, match="call fit first"):
        kind().predict(TEST.joint_2d)
    with pytest.raises(ValueError, match="cannot fit on 0 poses"):
        fit(kind, TRAIN.take(slice(0, 0)))
    with pytest.raises(ValueError, match="300 poses in 2D and 70 in 3D"):
        kind().fit(TRAIN.joint_2d, TEST.joint_3d)


@pytest.mark.parametrize("kind", FITTED)
def test_poses_that_stay_in_their_file(kind: Any, tmp_path: Path) -> None:
    save_poses(tmp_path / "a.npy", TRAIN)
    found = fit(kind, load_poses(tmp_path / "a.npy", mapped=True)).predict(TEST.joint_2d)
    np.testing.assert_array_equal(found, fit(kind).predict(TEST.joint_2d))


def test_a_search_of_a_billion_distances_is_short_and_small() -> None:
    """62,437 training and 15,610 test poses, as the course has: 3.9 GB of distances if all were kept."""
    rng = np.random.default_rng(0)
    train, test = (rng.standard_normal((n, 15, 2)).astype(np.float32) for n in (62_437, 15_610))
    model = NearestNeighbour().fit(train, np.zeros((62_437, 15, 3), np.float32))
    began = time.perf_counter()
    tracemalloc.start()
    model.nearest(test)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - began < 30  # seen 0.7 s on two idle cores
    assert peak < 60e6  # seen 44 MB


def test_a_long_search_shows_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tqdm = pytest.importorskip("tqdm").tqdm
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("tqdm.tqdm", lambda *args, **options: tqdm(*args, **(options | {"delay": 0})))
    fit(NearestNeighbour).nearest(TEST.joint_2d)
    assert "nearest neighbours" in capsys.readouterr().err


def test_the_known_figures_of_motion_capture(mocap: Path) -> None:
    train = load_poses(mocap / "data_train_lift.pkl", need_3d=True)
    test = load_poses(mocap / "data_test_lift.pkl", need_3d=True, scale=mocap / "data_test_scale.npy")
    assert test.scale is not None
    found = {}
    for kind in ALL:
        errors = cal_mpjpe(fit(kind, train).predict(test.joint_2d), test.joint_3d, avg=False)
        found[kind.__name__] = round(float((1000 * test.scale * errors).mean()), 1)
    assert found == {"FlatPose": 108.6, "MeanPose": 188.2, "LinearRegression": 51.9, "NearestNeighbour": 63.4}
