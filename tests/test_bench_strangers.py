"""The benchmark on people that no training saw: its noise, its sets and its measures."""

from __future__ import annotations

import numpy as np

from bench.strangers.noise import FADES, hidden, noise
from bench.strangers.takes import Take
from bench.strangers.views import Cameras, by_clip, by_frame
from minilift.poses.camera import project
from minilift.poses.people.synth import synthesize


def walker(name: str = "walk", frames: int = 40, seed: int = 3) -> Take:
    """Somebody who moves from one invented pose to another one."""
    people = synthesize(2, seed=seed)
    ends = people.joint_3d[:] - np.array([0, 0, -1.0])
    share = np.linspace(0, 1, frames)[:, None, None]
    return Take(
        name, "someone", "walking", (1 - share) * ends[0] * 4 + share * ends[1] * 4, np.zeros((frames, 3))
    )


def test_noise_has_the_stated_deviation_and_spectrum() -> None:
    clip = np.repeat(np.arange(40), 500)
    made = noise(clip, 15, 4.0, seed=1)
    assert made.shape == (20_000, 15, 2)
    assert abs(made.std() / 0.004 - 1) < 0.01
    # autocovariance of a half that fades and a white half: 1/2 0.9^lag
    frames = made.reshape(40, 500, 30)
    for lag in (1, 2, 5, 10):
        product = (frames[:, lag:] * frames[:, :-lag]).mean() / 0.004**2
        assert abs(product - 0.5 * FADES**lag) < 0.02, lag
    # stationary from the first frame on, and nothing crosses from one clip to the next
    assert abs(frames[:, 0].std() / 0.004 - 1) < 0.05
    assert abs((frames[1:, 0] * frames[:-1, -1]).mean()) < 0.1 * 0.004**2
    assert np.array_equal(made, noise(clip, 15, 4.0, seed=1))
    assert not np.array_equal(made, noise(clip, 15, 4.0, seed=2))


def test_noise_of_no_poses() -> None:
    assert noise(np.zeros(0, int), 15, 4.0, seed=1).shape == (0, 15, 2)


def test_hidden_joints_are_as_many_as_said_and_any_of_them() -> None:
    gone = hidden(4000, 15, 3, seed=0)
    assert (gone.sum(axis=1) == 3).all()
    assert abs(gone.mean(axis=0) - 0.2).max() < 0.03
    assert np.array_equal(gone, hidden(4000, 15, 3, seed=0))


def test_views_are_what_cameras_say_and_stay_when_a_take_goes() -> None:
    cameras = Cameras(elevation=(-20, 40), distance=(2, 8))
    first, second = walker("one"), walker("two", seed=4)
    both, alone = by_clip([first, second], cameras, 2), by_clip([second], cameras, 2)
    assert np.array_equal(both.image[80:], alone.image)
    assert (np.unique(both.clip, return_counts=True)[1] == 40).all()
    for clip in range(4):  # one camera for each view
        rows = both.clip == clip
        assert np.ptp(both.scale[rows]) == np.ptp(both.elevation[rows]) == 0
    frames = by_frame([first], cameras, 50)
    assert np.unique(frames.scale).size == len(frames)
    assert frames.scale.min() >= 2
    assert frames.scale.max() <= 8
    assert frames.elevation.min() >= -20
    assert frames.elevation.max() <= 40
    assert np.array_equal(frames.image, project(frames.truth))
    metres = (frames.truth[:, 7] - (0, 0, -1)) * frames.scale[:, None]
    neck = np.linalg.norm(first.joints[frames.frame, 7], axis=1)
    assert abs(np.linalg.norm(metres, axis=1) - neck).max() < 1e-5
