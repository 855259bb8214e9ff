"""Cameras, aim, scale, axes: exact where geometry is, and right where it has to be found out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from minilift.errors import ArgumentError, InputError
from minilift.poses.layouts import ROOT
from minilift.poses.lens.axes import Axes
from minilift.poses.lens.camera import ASSUMED, Camera
from minilift.poses.lens.check import reprojection
from minilift.poses.lens.distortion import edge
from minilift.poses.lens.scale import Scale
from minilift.poses.lens.turn import back, turn
from minilift.poses.people.synth import synthesize

LENSES: dict[str, tuple[float, ...]] = {
    "none": (0.0, 0.0, 0.0, 0.0, 0.0),
    "barrel": (-0.25, 0.06, 1e-3, -5e-4, 0.01),
    "pincushion": (0.12, -0.03, -1e-3, 2e-3),
    "rational": (-0.3, 0.1, 1e-3, 1e-3, 0.02, 0.15, -0.05, 0.01),
}


def points(n: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform([-0.55, -0.3, -1], [0.55, 0.3, -1], (n, 15, 3)) * rng.uniform(2, 5, (n, 15, 1))


@pytest.mark.parametrize("name", LENSES)
def test_pixels_and_rays_are_each_others_inverse(name: str) -> None:
    camera = Camera(1000, 1010, 640, 360, LENSES[name], (1280, 720))
    there = points()
    pixels = camera.pixels(there)
    rays = camera.rays(pixels)
    np.testing.assert_allclose(rays, there[..., :2] / -there[..., 2:], rtol=0, atol=1e-12)  # 3e-13 measured
    ahead = np.concatenate([rays, -np.ones((*rays.shape[:-1], 1))], axis=-1)
    np.testing.assert_allclose(camera.pixels(ahead), pixels, rtol=0, atol=1e-9)  # 2e-10 measured
    x, y, z = 0.3, 0.2, -2.0  # up in space is up in the picture, at smaller y
    assert camera.pixels(np.array([x, y, z]))[1] < 360


def test_distortion_is_that_of_opencv() -> None:
    """By hand: x = 0.2, y = 0.1 (down), r2 = 0.05."""
    camera = Camera(100, 100, 0, 0, (0.1, 0.01, 0.02, 0.03, 0.001))
    radial = 1 + 0.1 * 0.05 + 0.01 * 0.05**2 + 0.001 * 0.05**3
    x = 0.2 * radial + 2 * 0.02 * 0.2 * 0.1 + 0.03 * (0.05 + 2 * 0.04)
    y = 0.1 * radial + 0.02 * (0.05 + 2 * 0.01) + 2 * 0.03 * 0.2 * 0.1
    np.testing.assert_allclose(camera.pixels(np.array([0.2, -0.1, -1.0])), [100 * x, 100 * y], rtol=1e-14)


OPENCV = {  # cv2.projectPoints of OpenCV 4.10 for the three points below, with y down there
    (-0.25, 0.06, 1e-3, -5e-4, 0.01): [
        [1033.4369824709934, 598.7328252663109],
        [292.2611486808424, 140.7336117266826],
        [688.7910644765625, 64.13929927203122],
    ],
    (-0.3, 0.1, 1e-3, 1e-3, 0.02, 0.15, -0.05, 0.01): [
        [1018.0187004445388, 589.1747213582794],
        [304.4864733602041, 148.2767324863148],
        [688.0775920165131, 69.3037673799306],
    ],
}


@pytest.mark.parametrize("lens", OPENCV)
def test_pixels_are_those_of_opencv(lens: tuple[float, ...]) -> None:
    there = np.array([[0.5, -0.3, -1.2], [-0.4, 0.25, -1.1], [0.1, 0.6, -2.0]])
    camera = Camera(1000, 1010, 640, 360, lens)
    np.testing.assert_allclose(camera.pixels(there), OPENCV[lens], rtol=1e-14)
    np.testing.assert_allclose(
        camera.rays(np.array(OPENCV[lens])), there[:, :2] / -there[:, 2:], rtol=0, atol=1e-12
    )


def test_what_a_lens_cannot_have_shown_is_nan() -> None:
    camera = Camera(1000, 1000, 640, 360, (-0.4, 0.0, 0.0, 0.0, 0.0))
    found = camera.rays(np.array([[640.0, 360.0], [5000.0, 360.0]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert np.isnan(camera.pixels(np.array([0.1, 0.1, 0.5]))).all()  # behind the camera
    # d(r - 0.4 r^3)/dr = 0 at r = 0.913, shown 609 pixels from the middle: beyond it all is NaN, both ways
    assert math.isclose(edge(camera.distortion), 1 / 1.2)
    assert np.isfinite(camera.pixels(np.array([0.91, 0, -1.0]))).all()
    assert np.isnan(camera.pixels(np.array([0.92, 0, -1.0]))).all()
    assert np.isfinite(camera.rays(np.array([640 + 608.0, 360]))).all()
    assert np.isnan(camera.rays(np.array([640 + 609.0, 360]))).all()
    # a model that comes back a second time: the first time counts
    again = Camera(1000, 1000, 640, 360, (-0.6, 0.1, 0.0, 0.0, 0.0))
    assert np.isnan(again.pixels(np.array([2.0, 0, -1.0]))).all()
    assert np.isnan(again.rays(again.pixels(np.array([0.8, 0, -1.0])) + np.array([300.0, 0]))).all()


@pytest.mark.parametrize("name", LENSES)
@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf, 1e300, -1e160, 1e9])
def test_wild_pixels_are_nan_all_the_way(name: str, wild: float) -> None:
    """And nothing warns, which would fail this test."""
    camera = Camera(1000, 1010, 640, 360, LENSES[name], (1280, 720))
    pixels = camera.pixels(points(3))
    pixels[0], pixels[1, 4] = wild, wild
    rays = camera.rays(pixels)
    assert np.isnan(rays[0]).all()
    assert np.isnan(rays[1]).all(axis=1).sum() == 1
    turned, matrices = turn(rays, rays[:, 3])
    assert np.isnan(turned[0]).all()
    assert np.isfinite(turned[2]).all()
    own = np.concatenate([turned, -np.ones((3, 15, 1))], axis=2)
    seen, person = np.isfinite(turned).all(axis=2), np.zeros(3, int)
    depth = Scale.fit(own, seen, person).depths(own, seen, person)
    assert np.isnan(depth[:2]).all()  # nothing was lifted there
    assert depth[2] == pytest.approx(1)
    there = back(own, matrices) * depth[:, None, None]
    assert np.isnan(reprojection(camera, there, pixels, seen)[0])


def test_a_camera_for_every_size() -> None:
    camera = Camera(1000, 1000, 640, 360, size=(1280, 720), source="a file")
    larger = camera.fitted((1920, 1080))
    assert (larger.fx, larger.cx, larger.size) == (1500, 960, (1920, 1080))
    with pytest.raises(InputError, match="pictures of 1280x720, and these have 640x480"):
        camera.fitted((640, 480))
    assert math.isclose(Camera.from_fov(90, (1000, 500)).fx, 500)
    assert Camera.assumed((720, 1280)).fx == ASSUMED * 1280
    assert Camera.assumed(None, np.array([[1900.0, 20.0], [3.0, 900.0]])).size == (1920, 1080)
    tall = Camera.assumed(None, np.array([[700.0, 1200.0], [np.nan, 5.0]]))
    assert tall.size == (720, 1280)
    assert "taken to have 720x1280" in tall.source


@pytest.mark.parametrize(
    "points", [None, np.full((3, 2), np.nan), np.full((9, 2), 0.5), np.full((9, 2), 1e9)]
)
def test_no_size_is_made_of_points_that_show_none(points: np.ndarray | None) -> None:
    with pytest.raises(ArgumentError, match="size=WxH: is needed: the keypoints do not show"):
        Camera.assumed(None, points)


def test_a_focal_length_in_millimetres_is_noticed() -> None:
    with pytest.raises(ArgumentError, match=r"focal=35\.0: pixels would be a view of 176 degrees"):
        Camera.from_focal(35.0, (1920, 1080))
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ArgumentError, match="more than 0"):
            Camera.from_focal(wrong, (1920, 1080))
    for wrong in (0.0, 180.0, math.nan):
        with pytest.raises(ArgumentError, match="from 1 to 170 degrees"):
            Camera.from_fov(wrong, (1920, 1080))


@pytest.mark.parametrize(
    "wrong",
    [{"fx": 0.0}, {"fx": math.nan}, {"cx": math.inf}, {"fy": 1e12}, {"fx": -1000.0}, {"size": (0, 5)}],
)
def test_numbers_that_no_camera_has(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        Camera(**{"fx": 1000.0, "fy": 1000.0, "cx": 640.0, "cy": 360.0, **wrong})


def test_turning_aims_at_the_root_and_back() -> None:
    there = points()
    rays = there[..., :2] / -there[..., 2:]
    turned, matrices = turn(rays, rays[:, 3])
    np.testing.assert_allclose(turned[:, 3], 0, atol=1e-15)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(3), (200, 1, 1)), atol=1e-14
    )
    assert (np.linalg.det(matrices) > 0).all()
    depth = np.linalg.norm(there, axis=2)  # any; the rays must be the same
    again = back(np.concatenate([turned, -np.ones((200, 15, 1))], axis=2) * depth[..., None], matrices)
    np.testing.assert_allclose(again[..., :2] / -again[..., 2:], rays, atol=1e-13)
    # no roll: what is straight above the root stays straight above it for a camera that turns sideways
    column = np.stack([np.full(5, 0.4), np.linspace(-0.3, 0.3, 5)], axis=1)[None]
    turned, _ = turn(column, np.array([[0.4, 0.0]]))
    np.testing.assert_allclose(turned[..., 0], 0, atol=1e-15)


def clip(n: int = 300, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """One person in n frames, in units of the distance of each, which goes from 2 to 6 m; and that
    distance."""
    person = np.asarray(synthesize(1, seed=4).joint_3d[0], np.float64) - ROOT
    distance = np.linspace(2, 6, n)
    own = person[None] * 3.5 / distance[:, None, None] + [0, 0, -1]
    return own + np.random.default_rng(1).normal(0, noise, own.shape), distance


def test_a_persons_distance_follows_from_the_bones() -> None:
    seen = np.ones((300, 15), bool)
    for noise, most in ((0.0, 1e-9), (0.002, 0.06)):  # 0.002 units are 8 mm at 4 m; measured: 0.045
        own, distance = clip(noise=noise)
        scale = Scale.fit(own, seen, np.zeros(300, int))
        assert scale.unit == "root-depth"
        depths = scale.depths(own, seen, np.zeros(300, int))
        np.testing.assert_allclose(depths, distance / np.median(distance), rtol=most)
    by_distance = Scale.fit(own, seen, np.zeros(300, int), distance=4.0)
    assert abs(np.median(by_distance.depths(own, seen, np.zeros(300, int))) - 4) < 0.05


def test_a_height_gives_metres_and_outliers_do_not() -> None:
    own, _ = clip()
    own[::5, 9:] *= 3  # arms of every fifth frame are lifted badly
    seen = np.ones((300, 15), bool)
    scale = Scale.fit(own, seen, np.zeros(300, int), height=1.8)
    assert scale.unit == "m"
    assert abs(scale.statures()[0] - 1.8) < 1e-9
    depths = scale.depths(own, seen, np.zeros(300, int))
    np.testing.assert_allclose(depths / depths[0], np.linspace(2, 6, 300) / 2, rtol=0.02)


def test_people_are_equally_tall_where_nothing_says_otherwise() -> None:
    own, _ = clip(20)
    both = np.concatenate([own, own * [1, 1, 1]])
    person = np.repeat([3, 8], 20)
    statures = Scale.fit(both, np.ones((40, 15), bool), person).statures()
    assert abs(statures[3] - statures[8]) < 1e-12


def test_pictures_that_have_nothing_to_do_with_each_other() -> None:
    own, _ = clip(4)
    seen, person = np.ones((4, 15), bool), np.zeros(4, int)
    assert (Scale.fit(own, seen, person, stills=True).depths(own, seen, person) == 1).all()
    tall = Scale.fit(own, seen, person, stills=True, height=1.7).depths(own, seen, person)
    np.testing.assert_allclose(tall / tall[0], np.linspace(2, 6, 4) / 2, rtol=1e-9)


def standing() -> tuple[np.ndarray, np.ndarray]:
    own, distance = clip(60)
    joints = own * distance[:, None, None]
    return joints, np.array([0.0, 0.0, -1.0]) * distance[:, None]


@pytest.mark.parametrize("name", ["y-up", "z-up"])
def test_axes_put_the_origin_on_the_floor_and_come_back(name: str) -> None:
    joints, root = standing()
    axes = Axes.fit(name, joints, root, np.ones((60, 15), bool))
    up = 1 if name == "y-up" else 2
    turned = axes.turn(joints)
    ground = np.delete(axes.turn(root)[0], up)
    np.testing.assert_allclose(ground, 0, atol=1e-12)  # below the mid-hip of the first frame
    assert 0 < np.median(turned[:, [2, 5], up]) < 0.4
    assert (turned[:, 8, up] > turned[:, 2, up]).all()  # the head is up
    again = turned @ axes.to_camera[:, :3].T + axes.to_camera[:, 3]
    np.testing.assert_allclose(again, joints, atol=1e-12)


def test_level_finds_the_tilt_of_the_camera() -> None:
    angle = math.radians(20)
    tilt = np.array(
        [[1, 0, 0], [0, math.cos(angle), -math.sin(angle)], [0, math.sin(angle), math.cos(angle)]]
    )
    people = synthesize(400, seed=2)
    joints = np.asarray(people.joint_3d, np.float64) - ROOT
    level = Axes.fit("y-up", joints, np.zeros((400, 3)), np.ones((400, 15), bool), level=True)
    tilted = Axes.fit("y-up", joints @ tilt.T, np.zeros((400, 3)), np.ones((400, 15), bool), level=True)
    np.testing.assert_allclose(tilted.rotation @ tilt, level.rotation, atol=0.02)
    assert "levelled" in tilted.notes[0]
    few = Axes.fit("y-up", joints[:5], np.zeros((5, 3)), np.ones((5, 15), bool), level=True)
    assert "not levelled" in few.notes[0]


def test_the_check_is_the_distance_in_pixels() -> None:
    camera = Camera(1000, 1000, 640, 360)
    there = points(4)
    given = camera.pixels(there) + np.array([3.0, 4.0])
    seen = np.ones((4, 15), bool)
    seen[1] = False
    found = reprojection(camera, there, given, seen)
    np.testing.assert_allclose(found[[0, 2, 3]], 5, rtol=1e-9)
    assert np.isnan(found[1])
