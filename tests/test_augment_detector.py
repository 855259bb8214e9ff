"""What detectors make of poses: noise that is told, outliers, exchanged sides, the edge; and cameras."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minilift.lift.augment import tables as table
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.augment.numpy_augment import any_rotation
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize

N = 4000
PEOPLE = synthesize(N, seed=3)
X, Y = PEOPLE.joint_2d.astype(np.float64), PEOPLE.joint_3d.astype(np.float64)
MIRROR = list(COURSE15.mirror)


def augmented(**settings: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, 15, 2), what is told of them (N, 15), and joints (N, 15, 3)."""
    ops = get_ops("cpu", "float64")
    augment = Augmenter(Augmentation(**settings), ops, N, 1, math.nan, levels=True)
    x, y = augment(0, ops.asarray(X.reshape(N, 30)), ops.asarray(Y.reshape(N, 45)))
    return x[:, :30].reshape(N, 15, 2), x[:, 30:].copy(), y.reshape(N, 15, 3)


def test_noise_is_as_large_as_drawn_and_told_with_an_error() -> None:
    x, told, y = augmented(noise_to=0.012)
    np.testing.assert_array_equal(y, Y)
    off = x - X
    exact = (told == 0).all(axis=1)
    assert exact.mean() == pytest.approx(table.EXACT, abs=0.02)
    assert not off[exact].any()
    assert (told[~exact] > 0).all()
    ratio = off[~exact] / told[~exact][..., None]  # of a normal number, and the error of what is told
    assert ratio.mean() == pytest.approx(0, abs=0.02)
    usual = np.abs(ratio) / 0.6745  # of a normal number half lie within
    assert np.median(usual) == pytest.approx(1, abs=0.05)
    level = np.median(told[~exact], axis=1) / 0.012  # (u - EXACT)^2 / (1 - EXACT)^2, u uniform
    for q in (0.3, 0.5, 0.9):
        assert np.quantile(level, q) == pytest.approx(q**2, rel=0.15)
    common = np.log(told[~exact]).std(axis=1)
    assert np.quantile(common, 0.05) == pytest.approx(table.HEARD, rel=0.4)  # one level told for all
    assert common.max() > 0.5


def test_half_of_the_noisy_are_seen_with_their_mid_hip_ahead() -> None:
    """As a program does it that knows no root; what is exact, and the other half, stay."""
    x, told, y = augmented(noise_to=0.012, yaw=1e-9)
    hips = np.linalg.norm((x[:, 0] + x[:, 3]) / 2, axis=1)
    exact = (told == 0).all(axis=1)
    np.testing.assert_allclose(y[exact], Y[exact], atol=1e-8)
    turned = np.abs(y - Y).max(axis=(1, 2)) > 1e-6
    assert turned[~exact].mean() == pytest.approx(0.5, abs=0.03)
    assert hips[turned].mean() < 0.1 * hips[~exact & ~turned].mean()  # hips are not at one depth


def test_outliers_are_far_and_half_of_them_told() -> None:
    x, told, _ = augmented(outliers=0.1)
    off = np.linalg.norm(x - X, axis=2)
    out = off > 0
    assert out.mean() == pytest.approx(0.1, abs=0.004)
    assert (told[out] > 0).mean() == pytest.approx(0.5, abs=0.03)
    assert not told[~out].any()
    low, high = table.FAR
    assert low <= told[told > 0].min() < 1.05 * low
    assert 0.95 * high < told.max() <= high
    assert np.median(off[out]) == pytest.approx(1.18 * math.sqrt(low * high), rel=0.1)
    both, heard, _ = augmented(outliers=0.1, noise_to=0.001)  # what is exact has none
    exact = (heard == 0).all(axis=1)
    assert exact.mean() == pytest.approx(table.EXACT, abs=0.03)
    np.testing.assert_array_equal(both[exact], X[exact])


def test_sides_are_exchanged_in_the_image_alone() -> None:
    x, _, y = augmented(swap=0.3)
    np.testing.assert_array_equal(y, Y)
    moved = (x != X).any(axis=2)
    assert moved.any(axis=1).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(x[moved], X[:, MIRROR][moved])
    found = {tuple(np.flatnonzero(row).tolist()) for row in moved if row.any()}
    assert found == {tuple(sorted(part)) for part in table.SWAPS}


def test_the_pictures_edge_hides_what_lies_beyond() -> None:
    x, told, _ = augmented(edge=0.5, noise_to=0.001)
    gone = np.isnan(x[..., 0])
    assert 0.4 < gone.any(axis=1).mean() <= 0.52
    assert not told[gone].any()
    fits = np.zeros(N, bool)
    below = np.zeros(N, bool)
    for way in sorted(set(table.EDGES)):
        along = X @ np.array(way)
        inside = np.where(gone, -np.inf, along).max(axis=1)
        beyond = np.where(gone, along, np.inf).min(axis=1)
        extent = along.max(axis=1) - along.min(axis=1)
        this = (beyond >= inside) & (along.max(axis=1) - beyond <= table.CUT * extent)
        fits |= this
        below |= this & (way == (0.0, -1.0))
    cut = gone.any(axis=1)
    assert fits[cut].all()
    assert below[cut].mean() > 0.45


def test_how_many_joints_are_lost_is_drawn_for_each_pose() -> None:
    x, _, _ = augmented(joint_dropout_to=0.6)
    lost = np.isnan(x[..., 0]).sum(axis=1)
    assert lost.mean() / 15 == pytest.approx(0.6 / 3, abs=0.01)
    assert lost.var() > 2 * 15 * 0.2 * 0.8  # more than of one share for all
    assert (lost >= 8).mean() > 0.05


def test_a_tumble_keeps_the_body_and_forgets_the_way_up() -> None:
    x, _, y = augmented(tumble=0.4)
    turned = np.abs(y - Y).max(axis=(1, 2)) > 1e-9
    assert turned.mean() == pytest.approx(0.4, abs=0.03)
    np.testing.assert_allclose(COURSE15.bone_lengths(y), COURSE15.bone_lengths(Y), atol=1e-9)
    up = y[turned, 7] - [0, 0, -1]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    np.testing.assert_allclose(up.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose((up**2).mean(axis=0), 1 / 3, atol=0.04)
    np.testing.assert_allclose(x, y[..., :2] / -y[..., 2:], atol=1e-12)
    turns = np.moveaxis(any_rotation(np.random.default_rng(0).random((3, 500))), 2, 0)
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (500, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1)


def test_a_roll_turns_the_picture() -> None:
    x, _, y = augmented(roll=15)
    np.testing.assert_allclose(y[..., 2], Y[..., 2], atol=1e-12)
    turned = (x[..., 0] + 1j * x[..., 1]) * (X[..., 0] - 1j * X[..., 1])
    angle = np.degrees(np.angle(turned.sum(axis=1)))
    np.testing.assert_allclose(
        np.abs(turned.imag / turned.real - np.tan(np.radians(angle))[:, None]), 0, atol=1e-5
    )
    assert (np.abs(angle) <= 15).all()
    assert angle.std() == pytest.approx(15 / math.sqrt(3), rel=0.05)
