"""How far off keypoints are, found from a clip; single joints that are filled before they are lifted."""

from __future__ import annotations

from dataclasses import replace

import clip_files
import numpy as np
import pytest

from bench.strangers.noise import noise
from minilift.errors import ArgumentError
from minilift.lift.clip.lift import camera_of
from minilift.lift.clip.noise import GUESSED, UNSURE, jitter, noise_levels
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.prepare import prepare
from minilift.poses.joint_state import FILLED, MISSING, SEEN
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import LAYOUTS

N = 200
FRAME, PERSON = np.arange(N), np.zeros(N, np.int64)


def moving(n: int = N, fps: float = 30.0) -> np.ndarray:
    """Points (n, 15, 2) that swing once to twice a second by a tenth, as limbs 4 m away do."""
    rng = np.random.default_rng(0)
    pace, phase = rng.uniform(1, 2, (15, 2)), rng.uniform(0, 6, (15, 2))
    at = np.arange(n)[:, None, None] / fps
    return np.asarray(rng.uniform(-0.2, 0.2, (15, 2)) + 0.1 * np.sin(2 * np.pi * pace * at + phase))


@pytest.mark.parametrize("sigma_px", [2.0, 4.0, 8.0])
def test_jitter_finds_the_noise_that_was_added(sigma_px: float) -> None:
    """Noise of which half lasts, which no difference of neighbouring frames shows."""
    found = jitter(moving() + noise(PERSON, 15, sigma_px, 0), FRAME, PERSON)
    assert found.shape == (N, 15)
    assert (found == found[0]).all()
    assert np.median(found) == pytest.approx(sigma_px / 1000, rel=0.06)


def test_smooth_movement_is_no_noise() -> None:
    assert jitter(moving(), FRAME, PERSON).max() < 2e-4


def test_people_and_pauses_are_kept_apart() -> None:
    """Two people in turn, one of them noisy; and frame numbers that jump where nobody was."""
    points = np.concatenate([moving(), moving() + noise(PERSON, 15, 8.0, 0)])
    frame = np.concatenate([FRAME + 500 * (FRAME > 100), FRAME])
    points[:N][frame[:N] > 100] += 0.3
    person = np.repeat([4, 9], N)
    mixed = np.random.default_rng(1).permutation(2 * N)
    found = jitter(points[mixed], frame[mixed], person[mixed])
    assert found[person[mixed] == 4].max() < 2e-4
    assert np.median(found[person[mixed] == 9]) == pytest.approx(0.008, rel=0.06)
    tenth = jitter(points[:N], 10 * FRAME, PERSON)  # every tenth frame was kept
    assert np.isfinite(tenth).all()


def test_few_frames_and_gaps_say_nothing_or_little() -> None:
    assert np.isnan(jitter(moving(4), FRAME[:4], PERSON[:4])).all()
    assert jitter(np.zeros((0, 15, 2)), FRAME[:0], PERSON[:0]).shape == (0, 15)
    points = moving() + noise(PERSON, 15, 4.0, 0)
    points[np.random.default_rng(2).random((N, 15)) < 0.1] = np.nan
    points[:-12, 3] = np.nan  # a joint that is hardly seen has everyone's
    found = jitter(points, FRAME, PERSON)
    assert np.median(found) == pytest.approx(0.004, rel=0.1)
    assert found[0, 3] == pytest.approx(0.004, rel=0.1)


def test_scores_say_what_jitter_does_not() -> None:
    points = moving()
    confidence = np.ones((N, 15), np.float32)
    confidence[:, 2] = 0.5
    confidence[:, 3] = np.nan  # a file without scores
    confidence[:, 4] = 3.0  # above 1, as some detectors give
    for stills in (False, True):
        found = noise_levels(points, confidence, FRAME, PERSON, 30.0, stills)
        extent = np.hypot(*np.ptp(points, axis=1).T)
        np.testing.assert_allclose(found[:, 2], 0.5 * UNSURE * extent, atol=2e-4)
        assert found[:, [0, 1, 3, 4]].max() < 2e-4
    assert (noise_levels(np.full((2, 15, 2), np.nan), confidence[:2], FRAME[:2], PERSON[:2]) == 0).all()


def keypoints(n: int = 40) -> Keypoints:
    xy = clip_files.in_layout("coco17", clip_files.people(n))
    shape = xy.shape[:2]
    return Keypoints(
        xy, np.ones(shape, np.float32), np.zeros(shape, bool), np.arange(n), np.zeros(n, np.int64), None,
        (), LAYOUTS["coco17"], "made", np.arange(n), size=clip_files.SIZE,
    )  # fmt: skip


def test_noise_that_is_stated_counts() -> None:
    found, options = keypoints(), LiftOptions(noise=3.0, focal=1500.0)
    ready = prepare(found, found.person, camera_of(found, options), options)
    np.testing.assert_allclose(ready.sigma, 0.002, rtol=1e-6)
    with pytest.raises(ArgumentError, match="noise=-1"):
        LiftOptions(noise=-1.0)


def test_single_joints_are_filled_before_they_are_lifted() -> None:
    found = keypoints()
    wrist, short, long = LAYOUTS["coco17"].index("left_wrist"), slice(10, 13), slice(20, 30)
    xy, missing = found.xy.copy(), found.missing.copy()
    rng = np.random.default_rng(0)
    start, way = xy[0].copy(), rng.uniform(-3, 3, xy.shape[1:])
    xy[:] = start + way * np.arange(len(xy))[:, None, None]  # straight ways: filled exactly
    whole = replace(found, xy=xy.copy())
    for gap in (short, long):
        xy[gap, wrist], missing[gap, wrist] = np.nan, True
    holes = replace(found, xy=xy, missing=missing)
    options = LiftOptions(fill=4)
    camera = camera_of(found, options)
    ready = prepare(holes, found.person, camera, options)
    expected = prepare(whole, found.person, camera, options)
    joint = 11  # left wrist of the course
    assert (ready.state[short, joint] == FILLED).all()
    assert (ready.state[long, joint] == MISSING).all()
    assert (ready.state[:10, joint] == SEEN).all()
    np.testing.assert_allclose(ready.rays[short], expected.rays[short], atol=1e-5)
    assert np.isnan(ready.rays[long, joint]).all()
    assert np.isnan(ready.joint_2d[short, joint]).all()  # nothing was given there
    assert (ready.sigma[short, joint] >= GUESSED).all()
    still = prepare(replace(holes, stills=True), found.person, camera, options)
    assert (still.state[short, joint] == MISSING).all()
