"""Augmented batches of the CuPy backend against NumPy's: on a stand-in for a GPU, and with -m gpu on one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.ops import get_ops
from minilift.poses.people.synth import synthesize

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}
ALL = {
    "mix": 0.5, "flip": 0.5, "body": 0.5, "yaw": 180, "tilt": 10, "distance": 0.2, "noise": 0.003,
    "joint_dropout": 0.2, "part_dropout": 0.4, "roll": 20, "tumble": 0.3, "noise_to": 0.01, "outliers": 0.1,
    "swap": 0.3, "edge": 0.4, "joint_dropout_to": 0.4,
}  # fmt: skip
PARTS = {name: {name: value} for name, value in ALL.items()} | {
    "all": ALL,
    "nothing": {},
    "flip and noise": {"flip": 0.5, "noise": 0.01},
    "every pose": {**ALL, "mix": 1.0, "flip": 1.0, "body": 1.0},
}


def augmented(
    device: str, dtype: str, n: int, settings: dict[str, float], y: Any = None, levels: bool = False
) -> list[np.ndarray]:
    data = synthesize(max(n, 1), 3)
    ops = get_ops(device, dtype)
    augmenter = Augmenter(Augmentation(**settings), ops, n, seed=5, levels=levels)
    x = ops.asarray(data.joint_2d.reshape(n, 30) + np.float32(0.01))
    y = ops.asarray((data.joint_3d if y is None else y).reshape(n, 45))
    return [ops.to_host(array) for array in augmenter(11, x, y)]


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_agrees_with_the_cpu(gpu: Any, dtype: str, name: str) -> None:
    levels = name not in ("flip", "noise")
    found, expected = (augmented(device, dtype, 150, PARTS[name], levels=levels) for device in ("gpu", "cpu"))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=TOLERANCE[dtype])  # worst seen 3e-16 and 2e-7


@pytest.mark.parametrize("others", [{}, {"flip": 0.5}, ALL], ids=["alone", "flip", "all"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_hides_the_very_joints_that_the_cpu_hides(gpu: Any, dtype: str, others: dict[str, float]) -> None:
    settings = {**others, "joint_dropout": 0.3, "part_dropout": 0.0, "edge": 0.0, "joint_dropout_to": 0.0}
    found, expected = (augmented(device, dtype, 150, settings) for device in ("gpu", "cpu"))
    np.testing.assert_array_equal(found[0] == 0, expected[0] == 0)
    assert (found[0] == 0).mean() == pytest.approx(0.3, abs=0.03)
    if others != ALL:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64])
def test_any_number_of_poses(gpu: Any, n: int) -> None:
    found, expected = (augmented(device, "float64", n, ALL) for device in ("gpu", "cpu"))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


def test_degenerate_poses_and_near_ones(gpu: Any) -> None:
    y = np.repeat(synthesize(1, 3).joint_3d.astype("f8"), 90, 0)
    root = np.array([0, 0, -1])
    y[:30] = root
    y[30:60] = (y[30:60] - root) * 30 + root  # reaches behind the camera
    found, expected = (augmented(device, "float64", 90, PARTS["every pose"], y) for device in ("gpu", "cpu"))
    for a, b in zip(found, expected, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)
    assert found[1].reshape(90, 15, 3)[..., 2].max() == -0.2


def test_nan_is_not_swallowed(gpu: Any) -> None:
    y = synthesize(8, 3).joint_3d.copy()
    y[3, 2, 2] = np.nan
    _, new = augmented("gpu", "float32", 8, {"yaw": 30, "body": 1.0}, y)
    assert np.isnan(new.reshape(8, 15, 3)[3, 2, 2])
    assert np.isfinite(np.delete(new, 3, axis=0)).all()


def test_the_order_of_threads_changes_no_bit(gpu: Any) -> None:
    if not hasattr(gpu.backend, "reversed_threads"):
        pytest.skip("a real GPU chooses the order itself")
    forwards = augmented("gpu", "float32", 70, ALL)
    with gpu.backend.reversed_threads():
        backwards = augmented("gpu", "float32", 70, ALL)
    for a, b in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_key_may_lie_on_the_device(gpu: Any) -> None:
    """As it must in a captured step, whose numbers come from a table."""
    ops: Any = get_ops("gpu")
    augmenter, data = Augmenter(Augmentation(**ALL), ops, 40, 5), synthesize(40, 3)
    sources = ops.asarray(data.joint_2d.reshape(40, 30)), ops.asarray(data.joint_3d.reshape(40, 45))
    words = ops.gpu.zeros((5, 2), "uint32")
    ops.gpu.upload(np.arange(10, dtype=np.uint32).reshape(5, 2), words)
    out = []
    for key in ((6, 7), words[3]):
        x, y = ops.empty((40, 30)), ops.empty((40, 45))
        augmenter.apply(key, *sources, x, y)
        out.append((ops.to_host(x), ops.to_host(y)))
    for a, b in zip(*out, strict=True):
        np.testing.assert_array_equal(a, b)
