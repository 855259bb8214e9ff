"""Movement without jitter: an exact smoother, and how much of it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from minilift.lift.body.smoother import smoothed
from minilift.lift.body.steady import LASTS, steady
from minilift.ops.threads import Team
from minilift.poses.layouts import COURSE15

J = len(COURSE15)


def waving(n: int, fps: float = 30.0) -> np.ndarray:
    """Points (n, 15, 2) of someone 4 m away who moves every joint by 20 cm to and fro."""
    t, rng = np.arange(n) / fps, np.random.default_rng(8)
    ahead, start = rng.normal(size=(2, J, 2))
    return np.asarray(
        0.1 * start + 0.05 * ahead * np.sin(2 * np.pi * 0.7 * t[:, None, None] + rng.random((J, 1)))
    )


def detector(n: int, sigma: float, seed: int = 0) -> np.ndarray:
    """Noise (n, 15, 2), half of whose variance fades by 0.9 a frame."""
    lasting, white = np.random.default_rng(seed).standard_normal((2, n, J, 2))
    for i in range(1, n):
        lasting[i] = 0.9 * lasting[i - 1] + np.sqrt(1 - 0.9**2) * lasting[i]
    return np.asarray(sigma * (np.sqrt(LASTS) * lasting + np.sqrt(1 - LASTS) * white))


def dense(y: np.ndarray, w: np.ndarray, dt: np.ndarray, q: np.ndarray) -> np.ndarray:
    """One series by NumPy's solver, from the covariances as they are written down."""
    n = len(y)
    matrix, right = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)
    matrix[::2, ::2], right[::2] = np.diag(w), w * y
    for i, h in enumerate(dt):
        move = np.concatenate([-np.array([[1, h], [0, 1]]), np.eye(2)], axis=1)
        covariance = q[i] * np.array([[h**3 / 3, h**2 / 2], [h**2 / 2, h]])
        rows = slice(2 * i, 2 * i + 4)
        matrix[rows, rows] += move.T @ np.linalg.inv(covariance) @ move
    return np.linalg.solve(matrix, right)[::2]


@pytest.mark.parametrize("n", [3, 4, 17, 32, 37])
def test_cyclic_reduction_is_exact(n: int) -> None:
    rng = np.random.default_rng(n)
    y, w, q = rng.normal(size=(n, 3)), rng.uniform(0.5, 2, (n, 3)), rng.uniform(0.01, 1, (n - 1, 3))
    w[1, 0] = w[n // 2 :, 1][1:3] = 0  # not measured: whatever is there
    dt = rng.integers(1, 4, n - 1).astype(float)
    x = smoothed(y, w, dt, q)
    for column in range(3):
        expected = dense(y[:, column], w[:, column], dt, q[:, column])
        np.testing.assert_allclose(x[:, column], expected, rtol=1e-6, atol=1e-8)  # seen 1e-11


def test_a_straight_way_stays_straight() -> None:
    line = np.linspace(0, 1, 20)[:, None] * [1.0, -2.0]
    x = smoothed(line, np.ones((20, 2)), np.ones(19), np.full((19, 2), 1e-3))
    np.testing.assert_allclose(x, line, atol=1e-8)


@pytest.mark.parametrize("sigma", [0.002, 0.004, 0.008])
def test_jitter_goes_and_movement_stays(sigma: float) -> None:
    true = waving(300)
    noisy = true + detector(300, sigma)
    found = steady(noisy, np.full((300, J), sigma), np.arange(300), 30.0)

    def off(points: np.ndarray) -> float:
        return float(np.sqrt(((points - true) ** 2).mean()))

    assert off(found.values) < 0.8 * off(noisy)  # half of the variance stays: 0.71; seen 0.76
    speeds = [np.abs(np.diff(points - true, axis=0)).mean() for points in (found.values, noisy)]
    assert speeds[0] < 0.35 * speeds[1]
    told = np.sqrt((found.sigma**2).mean())
    assert 0.85 < off(found.values) / told < 1.15  # what is said of the rest is true


def test_exact_points_stay_to_the_bit() -> None:
    true = waving(40)
    found = steady(true, np.zeros((40, J)), np.arange(40), 30.0)
    np.testing.assert_array_equal(found.values, true)
    assert not found.sigma.any()


def test_what_was_not_seen_stays_so_and_does_not_matter() -> None:
    n, sigma = 120, 0.004
    noisy = waving(n) + detector(n, sigma)
    noisy[50:60, 2] = np.nan
    noisy[:, 7] = np.nan
    found = steady(noisy, np.full((n, J), sigma), np.arange(n), 30.0)
    np.testing.assert_array_equal(np.isnan(found.values), np.isnan(noisy))
    shuffled = np.random.default_rng(1).permutation(n)
    again = steady(noisy[shuffled], np.full((n, J), sigma), shuffled, 30.0)
    np.testing.assert_array_equal(again.values, found.values[shuffled])  # the order of rows says nothing


def test_an_outlier_pulls_little_and_pauses_separate() -> None:
    n, sigma = 90, 0.004
    true = waving(n)
    noisy = true + detector(n, sigma)
    frame = np.where(np.arange(n) < 45, np.arange(n), np.arange(n) + 100)
    plain = steady(noisy, np.full((n, J), sigma), frame, 30.0).values
    wild = noisy.copy()
    wild[20, 4] += 0.2
    found = steady(wild, np.full((n, J), sigma), frame, 30.0).values
    assert np.abs(found[20, 4] - true[20, 4]).max() < 0.1
    np.testing.assert_array_equal(found[45:], plain[45:])  # after the pause
    few = steady(noisy[:5], np.full((5, J), sigma), np.arange(5), 30.0)
    np.testing.assert_array_equal(few.values, noisy[:5])


def test_how_a_long_clip_is_cut_does_not_show() -> None:
    n, rng = 5000, np.random.default_rng(3)
    values, precision, push = rng.random((n, 20)), rng.random((n, 20)), rng.random((n - 1, 20))
    step = rng.integers(1, 4, n - 1).astype(float)
    found = smoothed(values, precision, step, push)
    one = np.stack(
        [smoothed(values[:, [i]], precision[:, [i]], step, push[:, [i]])[:, 0] for i in range(20)], axis=1
    )
    np.testing.assert_array_equal(found, one)


def test_a_frame_of_a_long_clip_takes_three_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    n, two = 20_000, Team(2)
    monkeypatch.setattr("minilift.lift.body.steady.team", lambda: two)
    points = waving(n)
    tracemalloc.start()
    try:
        steady(points, np.full((n, J), 0.002), np.arange(n))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most / n < 3000  # 2,140; in time with eight joints next to each other it was 10,960
