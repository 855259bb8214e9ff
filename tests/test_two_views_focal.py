"""Focal lengths of two views: wrong ones are found though images have noise, right ones are not doubted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses
from test_two_views import Content, load

from minilift.errors import InputError
from minilift.poses.views import second_view
from minilift.poses.views.make import draw_apart
from minilift.poses.views.triangulate import image_miss


@pytest.fixture(scope="module")
def noisy() -> Content:
    """More people, in pixels, with noise of 0.003: rays miss by 3% of a person."""
    n, rng = 400, np.random.default_rng(1)
    joint_3d = np.asarray(make_poses(n, 3).joint_3d)
    first, other = np.radians(rng.uniform(-10, 25, (2, n)))
    view = second_view(joint_3d, draw_apart(rng, n), first, other, rng.uniform(0.8, 1.3, n))
    images = joint_3d[..., :2] / -joint_3d[..., 2:], view.joint_2d
    points = [1000 * (x + 0.003 * rng.standard_normal(x.shape)) for x in images]
    return {
        "joint_2d_1": points[0], "joint_2d_2": points[1], "rot": view.rotation, "transl": view.translation,
        "focal_len_1": np.full(n, 1000.0), "focal_len_2": np.full(n, 1000.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((1.1, 1.1), "focal_len_1 and focal_len_2 too large by about 1.1"),
        ((1.5, 1.5), "focal_len_1 and focal_len_2 too large by about 1.5"),
        ((0.5, 0.5), "focal_len_1 and focal_len_2 too small by about 2"),
        ((1.1, 1.0), "focal_len_1 too large by about 1.1"),
        ((1.0, 0.77), "focal_len_2 too small by about 1.3"),
    ],
)
def test_noise_does_not_hide_wrong_focal_lengths(
    factors: tuple[float, float], said: str, noisy: Content, tmp_path: Path
) -> None:
    wrong = {
        f"focal_len_{k}": factor * noisy[f"focal_len_{k}"] for k, factor in zip((1, 2), factors, strict=True)
    }
    with pytest.raises(InputError, match=f"focal lengths are wrong: {said}; give them"):
        load(noisy | wrong, tmp_path)


@pytest.mark.parametrize("what", ["noise", "outliers", "a lens", "joints that are off"])
def test_right_focal_lengths_are_taken(what: str, noisy: Content, tmp_path: Path) -> None:
    rng, seen = np.random.default_rng(5), {k: np.array(noisy[k]) for k in ("joint_2d_1", "joint_2d_2")}
    off = 6 * rng.standard_normal((15, 2))
    for image in seen.values():
        if what == "outliers":
            image[rng.random(image.shape[:2]) < 0.03] += 100
        elif what == "a lens":
            image *= 1 - 0.3 * ((image / 1000) ** 2).sum(axis=2, keepdims=True)
        elif what == "joints that are off":
            image += off
    assert "divided by focal_len here" in load(noisy | seen, tmp_path).convention


def test_image_miss_is_how_far_points_have_to_move() -> None:
    """A point that is moved off its ray's image by e, in either view, misses by no more than that; moved
    along the steepest way, by just that."""
    rng = np.random.default_rng(0)
    joint_3d = np.asarray(make_poses(20).joint_3d, float)
    level = np.zeros(20)
    view = second_view(joint_3d, draw_apart(rng, 20), level, level, rng.uniform(0.8, 1.3, 20))
    images = joint_3d[..., :2] / -joint_3d[..., 2:], view.joint_2d.astype(float)
    cameras = view.rotation, view.translation
    assert image_miss(*images, *cameras).max() < 1e-6
    moved = [images[0] + 0.001 * (np.arange(2) == axis) for axis in range(2)]
    there = [image_miss(image, images[1], *cameras) for image in moved]
    other = [image_miss(images[0], images[1] + 0.001 * (np.arange(2) == axis), *cameras) for axis in range(2)]
    slopes = np.stack(there + other)
    np.testing.assert_allclose(np.sqrt((slopes**2).sum(axis=0)), 0.001, rtol=0.01)
    np.testing.assert_array_equal(image_miss(*images, view.rotation, 0 * view.translation), 0)
