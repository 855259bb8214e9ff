"""One body a person in `predict`: found from a clip, given as a file, or none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minilift import Lifter, LiftModel
from minilift.cli.main import main
from minilift.errors import ArgumentError, InputError
from minilift.lift.body.steady import steady
from minilift.lift.clip.bodies import Bodies, fused
from minilift.lift.clip.lift import camera_of, lift_keypoints, lift_rows
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.place import scale_of
from minilift.lift.clip.prepare import prepare
from minilift.poses.body.body import Body
from minilift.poses.body.file import read_body, write_body
from minilift.poses.body.prior import prior
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.layouts.own import layout_named
from minilift.poses.lens.away import read_distances
from minilift.poses.people.synth import synthesize
from minilift.poses.write.people.npz import read_people, write_npz_people

F, J = 50, len(COURSE15)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    poses = synthesize(400, seed=8)
    model = LiftModel(1, 32, 0.0, head="place", levels=True, seed=1)
    model.standardise(poses.joint_2d, poses.joint_3d)
    model.forward(poses.joint_2d.reshape(400, 30), train=True)
    return Lifter(model)


@pytest.fixture
def clip() -> Keypoints:
    """A person who sways in front of a camera with noise of 3 pixels, in COURSE15's joints."""
    pose = np.asarray(synthesize(1, seed=9).joint_3d[0], np.float64)
    sway = 0.05 * np.sin(np.arange(F) / 8)[:, None]
    image = pose[None, :, :2] / -pose[None, :, 2:]
    image = image + np.stack([sway * pose[None, :, 1], 0 * sway + 0 * pose[None, :, 1]], axis=2)
    xy = image * [1000, -1000] + [640, 360] + np.random.default_rng(0).normal(0, 3, image.shape)
    return Keypoints(
        xy=xy, score=None, missing=np.zeros((F, J), bool), frame=np.arange(F), person=np.zeros(F, np.int64),
        track=None, track_names=(), layout=layout_named("course15"), format="made", frames=np.arange(F),
        size=(1280, 720), fps=30.0, stills=False,
    )  # fmt: skip


def bones(joint_3d: np.ndarray, root: np.ndarray) -> np.ndarray:
    whole = np.concatenate([joint_3d, root[:, None]], axis=1)
    return np.linalg.norm(whole[:, :-1] - whole[:, list(COURSE15.parents)], axis=2)


def uneven(lengths: np.ndarray) -> float:
    """How much bones change over the frames, relative to all of them."""
    return float((lengths / lengths.mean(axis=1, keepdims=True)).std(axis=0).mean())


def test_bones_keep_their_lengths_and_the_answer_moves_smoothly(lifter: Lifter, clip: Keypoints) -> None:
    alone = lift_keypoints(clip, lifter, LiftOptions(body="none"))
    together = lift_keypoints(clip, lifter)
    assert alone.body == {}
    assert list(together.body) == [0]
    assert any(note.startswith("body: found from 50 frames") for note in together.notes)
    lengths = [bones(people.joint_3d, people.root) for people in (alone, together)]
    assert uneven(lengths[1]) < 0.6 * uneven(lengths[0])  # seen 0.33
    pace = [np.abs(np.diff(people.joint_3d, 2, axis=0)).mean() for people in (alone, together)]
    assert pace[1] < 0.7 * pace[0]  # seen 0.54


def test_a_body_that_is_given_sets_lengths_and_scale(lifter: Lifter, clip: Keypoints, tmp_path: Path) -> None:
    body = replace(Body.of(prior(1.8)), spread=np.full(J, 0.005), stiffness=np.full(J, 0.005))
    write_body(tmp_path / "anna.json", body)
    read = read_body(tmp_path / "anna.json")
    people = lift_keypoints(clip, lifter, LiftOptions(body=read))
    assert people.unit == "m"
    found = bones(people.joint_3d, people.root).mean(axis=0)
    shares = (found / found.sum()) / (body.lengths / body.lengths.sum())
    limbs = [COURSE15.joints.index(name) for name in ("left_knee", "left_ankle", "right_elbow")]
    np.testing.assert_allclose(shares[limbs], 1, atol=0.05)
    path = tmp_path / "out.npz"
    write_npz_people(path, people)
    again = Body.from_dict(read_people(path).body[0])
    np.testing.assert_allclose(again.lengths, body.lengths, rtol=1e-5)


def test_bodies_that_are_none(lifter: Lifter) -> None:
    with pytest.raises(ArgumentError, match="body=car: unknown; use auto, none, or a body"):
        LiftOptions(body="car")


def test_steadying_takes_jitter_out_and_leaves_exact_points_alone() -> None:
    at = np.arange(200)
    truth = np.stack([0.1 * np.sin(at / 10), 0.1 * np.cos(at / 14)], axis=1)[:, None]
    noise = np.random.default_rng(1).normal(0, 0.004, truth.shape)
    done = steady(truth + noise, np.full((200, 1), 0.004), at, 30.0)
    errors = [np.sqrt(((values - truth) ** 2).mean()) for values in (truth + noise, done.values)]
    assert errors[1] < 0.7 * errors[0]  # seen 0.55
    assert (done.sigma < 0.004).all()
    exact = steady(truth, np.zeros((200, 1)), at, 30.0)
    np.testing.assert_array_equal(exact.values, truth)
    gone = truth.copy()
    gone[50:60] = np.nan
    assert np.isnan(steady(gone, np.full((200, 1), 0.004), at, 30.0).values[50:60]).all()


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        main(["body", "--height", "1.72", "--measure", "thigh=0.41", "left_shin=0.40", "-o", "a.json"]) == 0
    )
    told = capsys.readouterr().out
    assert "left_knee" in told
    assert "as tall as 1.7" in told
    body = json.loads((tmp_path / "a.json").read_text())
    assert body["bones"]["left_knee"]["spread"] < 0.04
    assert main(["body", "--height", "1.72", "-o", "a.json"]) == 2
    assert "a.json: exists" in capsys.readouterr().err


def test_a_clip_says_proportions_and_a_distance_or_a_height_metres(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lengths in metres that no one told would be as unsure as people differ, and poses would not be held."""
    monkeypatch.chdir(tmp_path)
    image = synthesize(40, seed=1).joint_2d[:1] * np.linspace(1, 1.1, 40)[:, None, None]
    np.save("walk.npy", image * [1000, -1000] + [960, 540])
    asked = ["body", "walk.npy", "--layout", "course15", "--size", "1920x1080", "--focal", "1000"]
    found = {}
    for flags in ([], ["--distance", "3"], ["--height", "1.7"]):
        name = f"{len(found)}.json"
        assert main([*asked, *flags, "-o", name]) == 0, capsys.readouterr().err
        found[name] = read_body(name)
    told = capsys.readouterr().out
    assert "from 40 frames\n" in told
    assert "from 40 frames, a height of 1.7 m\n" in told
    assert [body.unit for body in found.values()] == ["relative", "m", "m"]
    assert max(float(body.spread.max()) for body in found.values()) < 0.1


def test_noisy_poses_are_held_to_the_lifters_points_and_exact_ones_to_their_rays(
    lifter: Lifter, clip: Keypoints
) -> None:
    """A lifter that is told of noise knows where joints are better than noisy points do."""
    options, person = LiftOptions(focal=1000.0), np.zeros(F, np.int64)
    ready = prepare(clip, person, camera_of(clip, options), options)
    assert (ready.sigma > 0).all()
    noisy = lift_rows(ready, clip.frame, person, lifter, options)
    np.testing.assert_allclose(noisy.image, noisy.own[..., :2] / -noisy.own[..., 2:], rtol=1e-6)
    assert np.abs(noisy.image - noisy.rays).max() > 1e-4
    exact = replace(ready, sigma=np.zeros_like(ready.sigma))
    exact.rays[3, 5] = np.nan
    np.testing.assert_array_equal(lift_rows(exact, clip.frame, person, lifter, options).image, exact.rays)
    assert np.isnan(
        lift_rows(replace(exact, sigma=ready.sigma), clip.frame, person, lifter, options).image[3, 5]
    ).all()
    moved = replace(noisy, image=(1.05 * noisy.image).astype(np.float32))
    bodies = Bodies({0: Body.of(prior(unit="relative"))}, scale_of(noisy, False, options))
    wider = (
        np.abs(fused(moved, bodies, 30.0).own[..., 0]).mean()
        / np.abs(fused(noisy, bodies, 30.0).own[..., 0]).mean()
    )
    assert 1.01 < wider < 1.06  # seen 1.04


def test_a_distance_that_is_known_by_frame_sets_how_far_away_people_are(
    lifter: Lifter, clip: Keypoints, tmp_path: Path
) -> None:
    away = 3.0 + 0.5 * np.sin(np.arange(F) / 9)
    path = tmp_path / "away.csv"
    path.write_text("frame,metres\n" + "".join(f"{i},{d:.6f}\n" for i, d in enumerate(away)))
    known = read_distances(path)
    np.testing.assert_allclose(list(known.values()), away, atol=1e-6)
    for asked, course in (({"distance": known}, away), ({"distance": 3.0, "same": True}, np.full(F, 3.0))):
        people = lift_keypoints(clip, lifter, LiftOptions(focal=1000.0, **asked))
        assert people.unit == "m"
        found = np.linalg.norm(people.root, axis=1)
        np.testing.assert_allclose(found / found.mean(), course / course.mean(), rtol=1e-5)
        assert found.mean() == pytest.approx(3.0, rel=0.1)
    free = np.linalg.norm(lift_keypoints(clip, lifter, LiftOptions(focal=1000.0, distance=3.0)).root, axis=1)
    assert np.ptp(free) > 1e-3


@pytest.mark.parametrize("text", ["frame,metres\n", "1,2\n3\n", "1,nan\n", "1,-2\n", "1.5,2\n", "1,2,3\n"])
def test_files_of_distances_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "away.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"away\.csv.*write a frame's number and metres in each line"):
        read_distances(path)


def test_distances_that_cannot_be() -> None:
    for wrong in ({}, {0: -1.0}, {0: float("nan")}, {0: 5000.0}):
        with pytest.raises(ArgumentError, match=r"must be from 0.05 to 1000 in every frame"):
            LiftOptions(distance=wrong)
    with pytest.raises(
        ArgumentError, match="same=yes: says how distances change, and so does distance=1 frame"
    ):
        LiftOptions(distance={0: 3.0}, same=True)


def test_distances_of_other_frames_are_refused(lifter: Lifter, clip: Keypoints) -> None:
    known = {F + 10: 3.0, F + 11: 3.1}
    with pytest.raises(
        ArgumentError, match=rf"are frames {F + 10} to {F + 11}, and the clip has 0 to {F - 1}"
    ):
        lift_keypoints(clip, lifter, LiftOptions(focal=1000.0, distance=known))
