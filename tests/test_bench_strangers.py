"""The benchmark on people that no training saw: its noise, its sets and its measures."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from bench.strangers import clip_tables, frames_tables, ingredients, trust_tables
from bench.strangers.clips import ask
from bench.strangers.floor import movements
from bench.strangers.noise import FADES, hidden, noise
from bench.strangers.protocol import errors_mm, one_frame, velocity_mm, without
from bench.strangers.retarget import CHILD, bones, by_joint, directions_of, retargeted
from bench.strangers.sets import MOCAP, USUAL, Sets, kept
from bench.strangers.table import Run
from bench.strangers.takes import FPS, Take
from bench.strangers.views import Cameras, Seen, by_clip, by_frame, by_still_camera
from minilift import Lifter, LiftModel
from minilift.errors import InputError
from minilift.lift.trust import Trust
from minilift.poses.body.body import Body
from minilift.poses.camera import project
from minilift.poses.layouts import COURSE15
from minilift.poses.metrics import joint_errors
from minilift.poses.people.synth import synthesize


@functools.cache
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


def test_retargeting_keeps_directions_and_gives_the_new_lengths() -> None:
    take, lengths = walker(), by_joint(CHILD)
    other = retargeted(take, lengths, "child")
    assert other.subject == "child"
    assert abs(COURSE15.bone_lengths(other.joints - (0, 0, 1)) - lengths).max() < 1e-12
    assert abs(directions_of(other.joints) - directions_of(take.joints)).max() < 1e-9
    assert abs(COURSE15.from_root(other.joints) - other.joints).max() < 1e-9  # the mid-hip stays
    lengths[COURSE15.index("left_hip")] *= 1.1
    with pytest.raises(ValueError, match="hips the same"):
        retargeted(take, lengths, "uneven")


def test_bones_of_a_row_of_measurements() -> None:
    row = {
        "sex": "F", "age": "30", "stature": "1700", "cervicaleheight": "1450", "trochanterionheight": "900",
        "lateralfemoralepicondyleheight": "500", "lateralmalleolusheight": "70",
        "acromionradialelength": "320", "radialestylionlength": "250", "biacromialbreadth": "230",
        "bicristalbreadth": "270",
    }  # fmt: skip
    found = bones(row)
    wanted = {
        "hip": 0.081, "knee": 0.4, "ankle": 0.43, "spine": 0.22, "neck": 0.33, "head": 0.15, "shoulder": 0.1,
        "elbow": 0.285, "wrist": 0.25,
    }  # fmt: skip
    assert found == pytest.approx(wanted)


def test_floor_movements_move_smoothly_and_stay_whole() -> None:
    takes = movements()
    assert len({take.name for take in takes}) == len(takes) > 10
    for take in takes:
        spread = COURSE15.bone_lengths(take.joints - (0, 0, 1)).std(axis=0)
        assert spread[:9].max() < 1e-9, take.name  # but for the shoulders, which rise with the arms
        assert np.linalg.norm(np.diff(take.joints, axis=0), axis=2).max() * FPS < 15, take.name
        assert 0.1 < take.speed < 4, take.name


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A lifter without training, a ray head, and sets of invented walkers."""
    here = tmp_path_factory.mktemp("weights")
    lifter = Lifter(LiftModel(hidden_layer=8, head="ray", seed=1))
    lifter.save(here / "liftModel")
    return Run(Lifter.load(here / "liftModel"), Invented(here, here), lambda _: None)


class Invented(Sets):
    def frames(self, name: str, cameras: Cameras = USUAL) -> Seen:
        return by_frame([walker(name)], cameras, 3)

    def clips(self, name: str) -> Seen:
        return by_clip([walker(name)], USUAL, 2)


def test_tables_say_what_weights_cannot_do(run: Run) -> None:
    assert "takes no missing joints" in frames_tables.missing_table(run).text()
    assert "has no trust file" in trust_tables.intervals_table(run).text()
    assert "has no trust file" in trust_tables.unlike_table(run).text()
    assert "take no missing joints" in frames_tables.mistakes_table(run).text()
    assert "--train FILE" in frames_tables.baselines_table(run).text()
    with pytest.raises(InputError, match="takes no missing joints"):
        one_frame(run.lifter, without(run.sets.frames("x").image, 3))


def test_tables_print_the_errors_that_there_are(run: Run) -> None:
    text = frames_tables.one_frame_table(run).text()
    seen = run.sets.frames(MOCAP)
    mean = 1000 * (joint_errors(run.lifter.predict(seen.image), seen.truth) * seen.scale[:, None]).mean()
    line = next(line for line in text.splitlines() if line.startswith("| mocap test"))
    assert f"| {mean:.1f} " in line
    assert "31 NO" in line
    distances = frames_tables.distance_table(run)
    assert len(distances.rows) == 4
    people = frames_tables.subjects_table(run).text()
    assert "someone, walking" in people
    assert "made someone" in people


def test_mistakes_are_of_the_joints_that_they_say() -> None:
    image = np.random.default_rng(0).normal(0, 0.1, (50, 15, 2)).astype(np.float32)
    found = {name: (points, sigma) for name, points, sigma in frames_tables.mistakes(image, seed=1)}
    untold, told, swapped, ankles, legs = found.values()
    off = np.linalg.norm(untold[0] - image, axis=2)
    assert np.sort(off, axis=1)[:, -1] == pytest.approx(0.1, abs=1e-6)
    assert (np.sort(off, axis=1)[:, :-1] == 0).all()
    assert ((told[1] > 0) == (off > 0)).all()
    assert not untold[1].any()
    names = COURSE15.joints
    left, right = names.index("left_knee"), names.index("right_knee")
    assert np.array_equal(swapped[0][:, left], image[:, right])
    assert (swapped[0] != image).any(axis=(0, 2)).sum() == 4
    assert [int(np.isnan(points).any(axis=2).sum(axis=1).max()) for points, _ in (ankles, legs)] == [2, 4]


def test_the_tenths_are_by_percentile(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """With a trust whose percentile is the true error, the lowest tenth has the least of it."""

    def judged(run: Run, seen: Seen, sigma: float, image: np.ndarray | None) -> tuple[np.ndarray, Trust]:
        turned = image is not None and (image[..., 1] == -seen.image[..., 1]).all()
        errors = np.random.default_rng(0).permutation(len(seen))[:, None] * np.ones((1, 15))
        unlike, ends = np.full(len(seen), turned), (0 * errors, np.full(errors.shape, 1e9))
        return errors, Trust(unlike, errors[:, 0], errors[:, 0], errors, *ends, unlike.astype(int))

    monkeypatch.setattr(trust_tables, "judged", judged)
    monkeypatch.setattr(Lifter, "has_trust", True)
    rows = trust_tables.unlike_table(run).rows
    count = len(run.sets.frames("x"))
    low, high = (
        np.arange(count)[part].mean() for part in (slice(-(-count // 10)), slice(-(count // 10), None))
    )
    for row in rows:
        assert row[4:7] == ["100.0%", f"{low:.1f}", f"{high:.1f}"]
        assert row[7] == ("100.0%" if row[1] == "y downwards" else "0.0%")
    assert {row[1] for row in rows} == {"exact", "4 px", "8 px", "y downwards"}  # a ray head takes no NaN


def test_a_clip_asked_as_predict_asks_is_the_lifter_s_own_answer(run: Run) -> None:
    seen = run.sets.clips("x")
    rows = seen.clip == 0
    found = ask(run.lifter, seen.image[rows], seen.take(rows), clip_tables.plain(seen))
    assert found.metres is None
    assert abs(found.own - run.lifter.predict(seen.image[rows])).max() < 1e-5


def test_velocity_error_is_that_of_neighbouring_frames() -> None:
    seen = by_clip([walker()], USUAL, 2)
    moved = seen.truth.copy()
    moved[:, :, 0] += np.where(np.arange(len(seen)) % 2, 0.01, 0)[:, None]  # one unit to and fro: 0.01
    wanted = 0.01 * 1000 * seen.scale * FPS
    inner = np.delete(np.arange(1, len(seen)), 39)  # but for the step from one view to the next
    assert velocity_mm(moved, seen, FPS) == pytest.approx(wanted[inner].mean(), rel=1e-4)


def test_sets_are_kept_and_are_the_same_again(tmp_path: Path) -> None:
    made = []

    def make() -> Seen:
        made.append(1)
        return by_clip([walker()], USUAL, 2)

    first, second = kept(tmp_path, "some", make), kept(tmp_path, "some", make)
    assert len(made) == 1
    for name in Seen.__dataclass_fields__:
        assert np.array_equal(getattr(first, name), getattr(make(), name), equal_nan=False), name
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_without_the_data_there_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    Lifter(LiftModel(hidden_layer=8)).save(tmp_path / "liftModel")
    words = ["--val", "--shared", str(tmp_path), "--cache", str(tmp_path / "cache"), "--weights", "liftModel"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.strangers", *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is missing; name the folder with the shared data by --shared" in done.stderr
    assert "Traceback" not in done.stderr


def test_recipes_are_told_apart_by_name() -> None:
    assert ingredients.recipes(["a=x", "b=y", "a=z=1"]) == {"a": ["x", "z=1"], "b": ["y"]}
    with pytest.raises(InputError, match="NAME=FILE"):
        ingredients.recipes(["liftModel"])
    assert ingredients.spread([40.0, 44.0]) == "42.0 (40.0-44.0)"
    assert ingredients.spread([40.04]) == "40.0"
    assert ingredients.spread([40.0, np.nan]) == "-"


def test_a_recipe_is_measured_with_mirroring_as_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = run.sets.frames("left out")
    monkeypatch.setattr(ingredients, "validation", lambda shared, cache: (seen, seen, seen))
    weights = str(run.sets.cache / "liftModel")
    made = ingredients.table({"plain": [weights, weights]}, run.sets, run.step, mirrored=True)
    both = run.lifter.predict(seen.image), run.lifter.predict(seen.image, flip=True)
    means = [f"{errors_mm(found, seen).mean():.1f}" for found in both]
    assert means[0] != means[1]
    assert [row[:3] for row in made.rows] == [
        ["plain", "2", f"{means[0]} ({means[0]}-{means[0]})"],
        ["plain, mirrored", "2", f"{means[1]} ({means[1]}-{means[1]})"],
    ]
    assert made.rows[0][-2] == "-"  # a ray head takes no missing joints


def test_a_camera_that_stands_still_sees_the_person_pass() -> None:
    way = np.stack([np.linspace(-1, 1, 40), np.zeros(40), np.linspace(0, 0.5, 40)], axis=1)
    take = replace(walker(), root=way)
    seen = by_still_camera([take], Cameras(distance=(4, 4.001), elevation=(10, 10.001)), 3)
    for clip in range(3):
        some = seen.take(seen.clip == clip)
        ray = np.concatenate([some.root, np.full((40, 1), -1)], axis=1)
        place = ray / np.linalg.norm(ray, axis=1, keepdims=True) * some.scale[:, None]
        steps = np.linalg.norm(np.diff(place, axis=0), axis=1)
        assert abs(steps - np.linalg.norm(np.diff(way, axis=0), axis=1)).max() < 1e-5
        assert abs(np.linalg.norm(place.mean(axis=0)) - 4) < 0.01
        joints = (some.truth - (0, 0, -1)) * some.scale[:, None, None]
        assert abs(project(place[:, None] + joints) - some.image).max() < 1e-5
        assert abs(np.linalg.norm(joints, axis=2) - np.linalg.norm(take.joints, axis=2)).max() < 1e-5


def test_clips_in_metres_and_units_are_measured_alike(run: Run) -> None:
    seen = run.sets.clips("x")
    found = clip_tables.lifted(
        run, seen, 0.0, lambda some: replace(clip_tables.by_distance(some), body="none"), "x"
    )
    own = errors_mm(found.own, seen).mean()
    assert own == pytest.approx(errors_mm(run.lifter.predict(seen.image), seen).mean(), rel=1e-4)
    truth = (seen.truth - (0, 0, -1)) * seen.scale[:, None, None]
    true = clip_tables.Found(found.own, truth * 1.02)
    assert clip_tables.in_metres_mm(true, seen) == pytest.approx(20 * np.linalg.norm(truth, axis=2).mean())
    lengths = clip_tables.true_lengths(seen.take(seen.clip == 0))
    assert lengths == pytest.approx(walker("x").lengths, rel=1e-4)


def test_bones_are_measured_to_one_per_cent_and_given_to_predict() -> None:
    seen = by_clip([walker(str(number)) for number in range(40)], USUAL, 1)
    bodies = [clip_tables.by_lengths(seen.take(seen.clip == clip)).body for clip in range(40)]
    assert all(isinstance(body, Body) and (body.spread == 0.01).all() and body.unit == "m" for body in bodies)
    off = np.log([body.lengths / walker("0").lengths for body in bodies if isinstance(body, Body)])
    assert 0.008 < off.std() < 0.012
    lengths = by_joint(CHILD)  # those of a walker change on the way from pose to pose
    some = by_clip([retargeted(walker("0"), lengths, "child")], USUAL, 1)
    true = replace(
        clip_tables.exact(clip_tables.by_lengths(some)),
        body=Body(lengths, np.full(15, 1e-4), np.full(15, 1e-4)),
    )
    guess = Guess(some.truth)
    plain = ask(guess, some.image, some, clip_tables.without_body(some))
    found = ask(guess, some.image, some, true, stills=True)
    assert found.metres is not None
    assert errors_mm(found.own, some).mean() < 0.9 * errors_mm(plain.own, some).mean()  # 0.83 measured


class Guess(Lifter):
    """One that knows the truth of a clip but for its depths."""

    def __init__(self, truth: np.ndarray) -> None:
        super().__init__(LiftModel(hidden_layer=8, head="ray"))
        off = 0.02 * np.random.default_rng(0).standard_normal(truth.shape[:2])
        self.answer = (truth * (1 + off[..., None])).astype(np.float32)

    def predict(self, *_: object, **__: object) -> np.ndarray:
        return self.answer.copy()
