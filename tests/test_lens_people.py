"""A person who walks about before a tilted camera: distance, height and ground, found again from what a
lifter with errors would say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from conftest import ROOT

from minilift.errors import ArgumentError
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.axes import Axes
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.check import distances
from minilift.poses.lens.ground import find_ground
from minilift.poses.lens.path import steadied
from minilift.poses.lens.scale import Scale
from minilift.poses.lens.stature import stature, typical
from minilift.poses.lens.turn import back, turn
from minilift.poses.people.body import ANGLES, joint_positions, sample_bodies
from minilift.poses.people.gait import gait_angles

N = 240
CAMERA = Camera(1400, 1400, 960, 540, size=(1920, 1080))
DOWN, ROLL = np.radians(15.0), np.radians(3.0)


class Walk(NamedTuple):
    """N frames of a person on a circle of 1.5 m, 5 m from a camera that looks down by 15 degrees."""

    joints: np.ndarray
    """(N, 15, 3) metres in the camera's axes."""
    distance: np.ndarray
    up: np.ndarray
    tall: float


def walk(seed: int = 0) -> Walk:
    rng = np.random.default_rng(seed)
    bodies = sample_bodies(rng, 1).take(np.zeros(N, int))
    person = joint_positions(bodies, gait_angles("walking", rng, N)).transpose(2, 0, 1)
    t = np.linspace(0, 2 * np.pi, N)
    x, z = person[..., 0], person[..., 2]
    sin, cos = np.sin(t)[:, None], np.cos(t)[:, None]
    world = np.stack([cos * x + sin * z, person[..., 1], cos * z - sin * x], axis=2)
    ankles = [COURSE15.index("left_ankle"), COURSE15.index("right_ankle")]
    world[..., 1] += (0.039 * bodies.stature - world[:, ankles, 1].min(axis=1))[:, None]
    world += np.stack([1.5 * np.sin(t), np.zeros(N), 1.5 * np.cos(t)], axis=1)[:, None]
    world -= [0, 1.0 + 5 * np.tan(DOWN), 5]
    pitch = np.array([[1, 0, 0], [0, np.cos(DOWN), -np.sin(DOWN)], [0, np.sin(DOWN), np.cos(DOWN)]])
    roll = np.array([[np.cos(ROLL), -np.sin(ROLL), 0], [np.sin(ROLL), np.cos(ROLL), 0], [0, 0, 1]])
    held = roll @ pitch
    joints = world @ held.T
    hips = joints[:, [0, 3]].mean(axis=1)
    return Walk(joints, np.linalg.norm(hips, axis=1), held[:, 1], float(bodies.stature[0]))


def lifted(clip: Walk, noise: float, camera: Camera = CAMERA) -> tuple[np.ndarray, np.ndarray]:
    """What a lifter would say of each frame, in its own unit, and the turns: joints on the rays of the
    picture.

    Joints are `noise` units off along their rays.
    """
    rays = camera.rays(CAMERA.pixels(clip.joints))
    hips = clip.joints[:, [0, 3]].mean(axis=1)
    turned, matrices = turn(rays, camera.rays(CAMERA.pixels(hips)))
    depth = -np.einsum("nj,nij->ni", matrices[:, 2], clip.joints) / clip.distance[:, None]
    depth = depth + np.random.default_rng(5).normal(0, noise, depth.shape)
    return np.concatenate([turned, -np.ones((N, 15, 1))], axis=2) * depth[..., None], matrices


SEEN, ONE = np.ones((N, 15), bool), np.zeros(N, int)


def off(depth: np.ndarray, clip: Walk) -> float:
    """Root mean square error of distances, as a share, but for one factor."""
    logs = np.log(depth / clip.distance)
    return float(np.sqrt(((logs - np.median(logs)) ** 2).mean()))


def test_distance_and_height_of_a_walk() -> None:
    clip = walk()
    exact, _ = lifted(clip, 0.0)
    assert off(Scale.fit(exact, SEEN, ONE).depths(exact, SEEN, ONE), clip) < 1e-9
    own, _ = lifted(clip, 0.01)  # 5 cm at 5 m, each joint by itself
    scale = Scale.fit(own, SEEN, ONE, height=clip.tall)
    depth = scale.depths(own, SEEN, ONE)
    assert off(depth, clip) < 0.02  # 0.0142 measured; distances go from 3.8 to 6.7 m
    assert abs(np.median(depth / clip.distance) - 1) < 0.03  # 0.009 measured
    assert scale.unit == "m"
    assert f"{clip.tall:g} m tall; bone lengths agree to" in scale.notes[0]
    calm = steadied(depth, np.arange(N), ONE, 30.0)
    assert off(calm, clip) < 0.7 * off(depth, clip)  # 0.0078 measured


def test_bones_across_the_view_count_more() -> None:
    """Than in the mean and in the median of all true lengths by lifted ones."""
    errors = []
    for seed in range(4):
        clip = walk(seed)
        own, _ = lifted(clip, 0.01)
        person = clip.joints - clip.joints[:, [0, 3]].mean(axis=1, keepdims=True) + [0, 0, -1.0]
        ratios = COURSE15.bone_lengths(person).mean(axis=0) / COURSE15.bone_lengths(own)
        ours = Scale.fit(own, SEEN, ONE).depths(own, SEEN, ONE)
        errors.append([off(depth, clip) for depth in (ours, ratios.mean(axis=1), np.median(ratios, axis=1))])
    ours, mean, median = np.mean(errors, axis=0)  # 0.0145, 0.053 and 0.022 measured
    assert ours < 0.4 * mean
    assert ours < 0.8 * median


def test_a_part_of_the_clip_is_enough_and_blocks_give_the_same() -> None:
    clip = walk()
    own, _ = lifted(clip, 0.01)
    scale = Scale.fit(own[::3], SEEN[::3], ONE[::3])
    whole = scale.depths(own, SEEN, ONE)
    parts = [scale.depths(own[i : i + 7], SEEN[i : i + 7], ONE[i : i + 7]) for i in range(0, N, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert off(whole, clip) < 0.02


def test_unseen_bones_do_not_count_unless_there_are_no_others() -> None:
    clip = walk()
    own, _ = lifted(clip, 0.0)
    wrong = own.copy()
    wrong[:, 9:] = (wrong[:, 9:] - [0, 0, -1]) * 1.7 + [0, 0, -1]  # arms that the lifter placed
    seen = SEEN.copy()
    seen[:, 9:] = False
    assert off(Scale.fit(wrong, seen, ONE).depths(wrong, seen, ONE), clip) < 1e-9
    seen[5] = False  # nothing: the whole person as placed
    seen[6] = False
    seen[6, 8] = True  # the head alone
    gone = wrong.copy()
    gone[7] = np.nan
    depth = Scale.fit(gone, seen, ONE).depths(gone, seen, ONE)
    assert np.isnan(depth[7])
    assert np.isfinite(np.delete(depth, 7)).all()
    assert abs(depth[5] / depth[4] - clip.distance[5] / clip.distance[4]) < 0.2
    empty = Scale.fit(gone[7:8], seen[7:8], ONE[:1])
    assert (empty.depths(own[:0], SEEN[:0], ONE[:0])).shape == (0,)


@pytest.mark.parametrize("frames", [1, 3, 12])
def test_many_people_in_few_frames_each(frames: int) -> None:
    clip = walk()
    own, _ = lifted(clip, 0.0)
    person = np.arange(N) // frames
    scale = Scale.fit(own, SEEN, person, height=clip.tall)
    depth = scale.depths(own, SEEN, person)
    np.testing.assert_allclose(depth, clip.distance, rtol=0.02)  # bones add up to the stature to 1 percent
    assert "every person" in scale.notes[0]


def test_statures_of_synthetic_people() -> None:
    bodies = sample_bodies(np.random.default_rng(0), 1000)
    standing = joint_positions(bodies, np.zeros((len(ANGLES), 1000))).transpose(2, 0, 1)
    bones = COURSE15.bone_lengths(standing + np.array([0, 0, -1.0]))
    found = stature(bones) / bodies.stature - 1
    assert abs(found.mean()) < 0.003  # 0.0012 measured
    assert found.std() < 0.01  # 0.0065 measured
    bones[:, 8] *= 2  # wherever a detector puts the head
    np.testing.assert_array_equal(stature(bones) / bodies.stature - 1, found)
    bones[:, [1, 2]] = np.nan  # the right leg is never seen
    np.testing.assert_allclose(stature(bones) / bodies.stature - 1, found, atol=1e-12)
    np.testing.assert_allclose(typical(bones[0])[[1, 2]], bones[0, [4, 5]])
    assert np.isnan(stature(np.full(15, np.nan)))


def test_steady_distances_keep_gaps_people_and_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    true = 4 + np.sin(np.arange(N) / 40)
    noisy = true * np.exp(rng.normal(0, 0.02, N))
    noisy[50] *= 1.5  # one frame is lifted badly
    noisy[60] = np.nan
    found = steadied(noisy, np.arange(N), ONE, 30.0)
    assert np.isnan(found[60])
    assert np.nanmax(np.abs(found / true - 1)) < 0.05  # 0.032 measured, at the end
    shuffled = rng.permutation(N)
    np.testing.assert_allclose(steadied(noisy[shuffled], shuffled, ONE, 30.0), found[shuffled], rtol=1e-12)
    # two people a metre apart, and one after a gap: none draws the other
    depth = np.repeat([2.0, 3.0, 5.0], 80)
    frame = np.concatenate([np.arange(80), np.arange(80), 1000 + np.arange(80)])
    person = np.repeat([0, 1, 1], 80)
    np.testing.assert_allclose(steadied(depth, frame, person), depth, rtol=1e-12)
    assert steadied(depth[:0], frame[:0], person[:0]).shape == (0,)
    far = np.array([0, 10**15, 10**15 + 1, 10**15 + 2])  # frames are numbered oddly
    np.testing.assert_allclose(steadied(depth[:4], far, person[:4]), 2)


def placed(clip: Walk, noise: float) -> tuple[np.ndarray, np.ndarray]:
    own, matrices = lifted(clip, noise)
    depth = steadied(Scale.fit(own, SEEN, ONE, height=clip.tall).depths(own, SEEN, ONE), np.arange(N), ONE)
    joints = back(own, matrices) * depth[:, None, None]
    return joints, np.asarray(back(np.tile([[0.0, 0.0, -1.0]], (N, 1, 1)), matrices)[:, 0] * depth[:, None])


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


def test_the_ground_is_level_again() -> None:
    for noise, most in ((0.0, 0.5), (0.01, 1.5)):  # 0.07 and 0.6 degrees measured
        clip = walk()
        joints, root = placed(clip, noise)
        ground = find_ground(joints, SEEN)
        assert ground.up is not None
        assert degrees(ground.up, clip.up) < most
        assert degrees(np.array([0.0, 1, 0]), clip.up) > 15
        assert "looks down by 1" in ground.told
        assert "rolled" in ground.told
        axes = Axes.fit("z-up", joints, root, SEEN, level=True)
        np.testing.assert_allclose(axes.rotation @ ground.up, [0, 0, 1], atol=1e-12)
        ahead = axes.rotation @ [0, 0, -1.0]  # the camera looks along Y, and down
        assert abs(ahead[0]) < 1e-12
        assert ahead[1] > 0.9
        heights = axes.turn(clip.joints)[:, [2, 5], 2].min(axis=1)
        assert abs(np.median(heights) - 0.039 * clip.tall) < 0.05  # metres; 0.02 measured
        again = axes.turn(joints) @ axes.to_camera[:, :3].T + axes.to_camera[:, 3]
        np.testing.assert_allclose(again, joints, atol=1e-12)


def test_who_stands_in_one_place_is_told_by_the_body() -> None:
    clip = walk()
    still = clip.joints - clip.joints[:, [0, 3]].mean(axis=1, keepdims=True) + [0, 0, -5.0]
    ground = find_ground(still, SEEN)
    assert ground.up is not None
    assert degrees(ground.up, clip.up) < 1  # 0.2 measured; this one leans to all sides alike
    assert "by where heads are from feet" in ground.told


def test_feet_say_more_than_bodies_that_lean() -> None:
    clip = walk()
    height = (clip.joints - clip.joints[:, [2, 5]].mean(axis=1, keepdims=True)) @ clip.up
    leaning = clip.joints + height[..., None] * np.array([np.tan(np.radians(8)), 0, 0])
    ground = find_ground(leaning, SEEN)
    assert ground.up is not None
    assert degrees(ground.up, clip.up) < 4  # 3.4 measured; by bodies alone 8, with the wrong sign 13
    assert "by where the feet stand" in ground.told


@pytest.mark.parametrize("case", ["few", "lying"])
def test_the_ground_is_not_guessed_without_evidence(case: str) -> None:
    clip = walk()
    joints, seen = clip.joints, SEEN.copy()
    if case == "few":
        seen[19:, 2] = False
    else:
        joints = joints @ np.array([[0, 1.0, 0], [-1, 0, 0], [0, 0, 1]])
    ground = find_ground(joints, seen)
    assert ground.up is None
    assert ground.told.startswith("not levelled: ")
    axes = Axes.fit("y-up", joints, joints[:, 0], seen, level=True)
    np.testing.assert_array_equal(axes.rotation, np.eye(3))
    assert axes.notes == (ground.told,)


def test_unknown_axes_name_the_known_ones() -> None:
    with pytest.raises(ArgumentError, match="axes=up: unknown; use one of camera, y-up, z-up"):
        Axes.fit("up", np.zeros((0, 15, 3)), np.zeros((0, 3)), np.zeros((0, 15), bool))


def test_the_answer_projects_onto_the_keypoints() -> None:
    """Through a lens with distortion, whatever the lifter's errors in depth and the smoothing of
    distances."""
    clip = walk()
    lens = Camera(1400, 1410, 960, 540, (-0.2, 0.05, 1e-3, -1e-3, 0.0), (1920, 1080))
    pixels = lens.pixels(clip.joints)
    rays = lens.rays(pixels)
    turned, matrices = turn(rays, lens.rays(lens.pixels(clip.joints[:, [0, 3]].mean(axis=1))))
    depth = np.random.default_rng(0).uniform(0.8, 1.2, (N, 15, 1))
    own = np.concatenate([turned, -np.ones((N, 15, 1))], axis=2) * depth
    far = steadied(Scale.fit(own, SEEN, ONE).depths(own, SEEN, ONE), np.arange(N), ONE)
    joints = back(own, matrices) * far[:, None, None]
    off_by = distances(lens, joints, pixels, SEEN)
    assert off_by.shape == (N, 15)
    assert off_by.max() < 1e-9  # 6e-10 measured
    moved = distances(lens, joints, pixels + np.array([3.0, 4.0]), SEEN)
    np.testing.assert_allclose(moved, 5, atol=1e-9)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_what_a_wrong_focal_length_costs(factor: float) -> None:
    """Distances in metres are off by that factor, and the person hardly changes: docs/cameras.md has
    figures."""
    clip = walk()
    wrong = Camera(1400 * factor, 1400 * factor, 960, 540, size=(1920, 1080))
    rays = wrong.rays(CAMERA.pixels(clip.joints))
    turned, _ = turn(rays, wrong.rays(CAMERA.pixels(clip.joints[:, [0, 3]].mean(axis=1))))
    flat = np.concatenate([turned, -np.ones((N, 15, 1))], axis=2)
    true_rays = CAMERA.rays(CAMERA.pixels(clip.joints))
    true_turned, _ = turn(true_rays, CAMERA.rays(CAMERA.pixels(clip.joints[:, [0, 3]].mean(axis=1))))
    true_flat = np.concatenate([true_turned, -np.ones((N, 15, 1))], axis=2)
    depth, true = (Scale.fit(own, SEEN, ONE, height=1.7).depths(own, SEEN, ONE) for own in (flat, true_flat))
    np.testing.assert_allclose(np.median(depth / true), factor, rtol=0.03)


def test_the_picture_of_the_axes_is_the_one_that_is_drawn(tmp_path: Path) -> None:
    drawn = tmp_path / "axes.svg"
    program = [sys.executable, str(ROOT / "docs" / "images" / "axes.py"), str(drawn)]
    subprocess.run(program, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert drawn.read_text() == (ROOT / "docs" / "images" / "axes.svg").read_text()
