"""The errors to expect of poses that fit a body: their calibration, commands and clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Lifter, LiftModel, Poses
from minilift.cli.trust import Clips, with_clips
from minilift.cli.trust import main as learn
from minilift.errors import ArgumentError, InputError
from minilift.files.npz import write_npz
from minilift.lift.clip.lift import lift_blocks, lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.trust import TrustModel
from minilift.lift.trust.clips import keypoints_of, measured, noise
from minilift.lift.trust.expected import EXACT, FEWEST, LEVELS, intervals
from minilift.lift.trust.tails import TAILS, tail_that_holds
from minilift.lift.trust.with_body import BodyErrors, Fitted, calibrated_with_body
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import save_poses

J = len(COURSE15)
Capture = pytest.CaptureFixture[str]
Found = tuple[np.ndarray, np.ndarray]


# ---- how wide ----------------------------------------------------------------------------------------
def quantiles(values: np.ndarray, groups: np.ndarray) -> tuple[Callable[..., Found], Callable[..., float]]:
    """The simplest thing that has intervals: those of the values themselves."""

    def fit(rows: np.ndarray, tail: float) -> Found:
        low, high = intervals(values[rows, None], [0.9], tail)
        return low, high

    def holds(found: Found, rows: np.ndarray) -> float:
        return float(((found[0] <= values[rows]) & (values[rows] <= found[1])).mean())

    return fit, holds


def test_intervals_are_as_wide_as_a_person_left_out_needs() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(8), 300)
    values = np.exp(0.7 * rng.standard_normal(8))[groups] * rng.exponential(size=2400)
    fit, holds = quantiles(values, groups)
    tail = tail_that_holds(fit, holds, groups)

    def held(tail: float) -> float:
        return float(np.mean([holds(fit(groups != i, tail), groups == i) for i in range(8)]))

    assert tail in TAILS[1:-1]
    assert held(tail) >= 0.9 > held(TAILS[TAILS.index(tail) - 1])


def test_intervals_of_people_who_are_alike_stay() -> None:
    values, groups = np.tile(np.arange(1000.0), 4), np.repeat(np.arange(4), 1000)
    assert tail_that_holds(*quantiles(values, groups), groups) == 1
    other = np.where(groups == 0, 1e6, values)  # one of four like no other: no tail is enough
    assert tail_that_holds(*quantiles(other, groups), groups) == TAILS[-1]
    assert tail_that_holds(*quantiles(other, groups), np.zeros(4000)) == 1  # no one to leave out


# ---- the tables --------------------------------------------------------------------------------------
def poses_of(n: int, seed: int = 0) -> tuple[Fitted, np.ndarray, np.ndarray]:
    """Poses of six people, at all levels of exactness, with errors about what is expected times 3 and 5."""
    rng = np.random.default_rng(seed)
    exact = rng.choice([1.0, 0.8, 0.3], n)
    fitted = Fitted(rng.uniform(0.02, 0.05, (n, J)), rng.uniform(0.3, 0.9, (n, J)), exact)
    true = (
        fitted.expected * fitted.share * np.where(exact > 0.9, 3, 5)[:, None] * rng.exponential(size=(n, J))
    )
    return fitted, true, rng.integers(6, size=n)


def test_the_expected_error_with_a_body_is_the_formula() -> None:
    rng = np.random.default_rng(1)
    levels = len(EXACT)
    low = rng.uniform(0.1, 0.5, (levels, len(LEVELS), J))
    ends = np.stack([low, low + 1], axis=2).reshape(levels, 2 * len(LEVELS), J)
    found = BodyErrors(rng.uniform(0.5, 2, (levels, J)), ends)
    assert found.sound
    fitted, _, _ = poses_of(30)
    fitted.share[3, 4] = np.nan
    error, below, above = found(fitted, 0.8)
    at = LEVELS.index(0.8)
    for i in range(30):
        number = [1.0, 0.8, 0.3].index(fitted.exact[i])
        wanted = found.factor[number] * fitted.share[i] * fitted.expected[i]
        np.testing.assert_allclose(error[i], wanted, rtol=1e-12)
        np.testing.assert_allclose(below[i], low[number, at] * wanted, rtol=1e-12)
        np.testing.assert_allclose(above[i], (low[number, at] + 1) * wanted, rtol=1e-12)
    assert np.isnan(error).sum() == 1
    upside_down = BodyErrors(found.factor, ends[:, ::-1])
    assert not upside_down.sound


def test_means_and_intervals_are_those_of_the_errors() -> None:
    fitted, true, people = poses_of(6000)
    found = calibrated_with_body(fitted, true, people)
    error, low, high = found(fitted)
    for exact in (1.0, 0.8, 0.3):
        rows = fitted.exact == exact
        np.testing.assert_allclose(error[rows].mean(axis=0), true[rows].mean(axis=0), rtol=1e-9)
        inside = ((low <= true) & (true <= high))[rows].mean(axis=0)
        assert ((inside > 0.88) & (inside < 0.95)).all()  # seen 0.90 to 0.91
    assert found.factor[0].mean() == pytest.approx(3, rel=0.1)
    assert found.factor[1:].mean() == pytest.approx(5, rel=0.1)

    # a person who is unlike the others makes all intervals wider
    odd = np.where((people == 0)[:, None], 4 * true, true)
    wider = calibrated_with_body(fitted, odd, people)
    alone = calibrated_with_body(fitted, odd, np.zeros(6000))
    assert wider.ends[:, 9].mean() > 1.1 * alone.ends[:, 9].mean()  # the upper ends of 90%


def test_levels_that_no_clip_has_are_like_the_next_exacter_one() -> None:
    fitted, true, people = poses_of(3000)
    rows = fitted.exact > 0.5
    found = calibrated_with_body(fitted.take(rows), true[rows], people[rows])
    np.testing.assert_array_equal(found.factor[2], found.factor[1])
    np.testing.assert_array_equal(found.ends[2], found.ends[1])
    assert (found.factor[0] != found.factor[1]).all()
    rows = fitted.exact < 0.5  # none at the exacter ones
    found = calibrated_with_body(fitted.take(rows), true[rows], people[rows])
    np.testing.assert_array_equal(found.factor[:2], found.factor[[2, 2]])
    some = slice(FEWEST - 1)
    with pytest.raises(ArgumentError, match=f"clips=99: poses with a body are too few; {FEWEST} are needed"):
        calibrated_with_body(Fitted(*(column[some] for column in fitted)), true[some], people[some])


# ---- clips -------------------------------------------------------------------------------------------
def clips(n: int, frames: int = 30) -> tuple[Poses, np.ndarray, np.ndarray]:
    """Clips of one pose each that turns about the vertical axis, two of each person."""
    poses = np.asarray(synthesize(n, seed=9).joint_3d, np.float64)
    angle = 0.3 * np.sin(np.arange(frames) / 6)
    turn = np.zeros((frames, 3, 3))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0], turn[:, 1, 1] = np.sin(angle), -np.sin(angle), 1
    root = np.array([0, 0, -1.0])
    joints = (np.einsum("fij,nkj->nfki", turn, poses - root) + root).reshape(n * frames, J, 3)
    image = joints[..., :2] / -joints[..., 2:]
    found = Poses(image.astype(np.float32), joints.astype(np.float32))
    numbers = np.repeat(np.arange(n), frames)
    return found, numbers, numbers // 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights with their trust, with a body, and what it was learned from."""
    path = tmp_path_factory.mktemp("body")
    poses = synthesize(240, seed=8)
    model = LiftModel(1, 32, 0.0, head="place", levels=True, seed=1)
    model.standardise(poses.joint_2d, poses.joint_3d)
    model.forward(poses.joint_2d.reshape(240, 30), train=True)
    Lifter(model).save(path / "liftModel")
    save_poses(path / "val.npz", Poses(poses.joint_2d, poses.joint_3d))
    np.save(path / "val_subjects.npy", np.repeat([8, 49, 55], 80))
    moving, numbers, people = clips(6)
    save_poses(path / "val_clips.npz", moving)
    np.save(path / "val_clips_clips.npy", numbers)
    np.save(path / "val_clips_subjects.npy", people)
    assert learn([*call(path), "--clips", str(path / "val_clips.npz")]) == 0
    return path


def call(path: Path, clips: str = "val_clips.npz") -> list[str]:
    words = [
        "--weights",
        path / "liftModel",
        "--data",
        path / "val.npz",
        "--groups",
        path / "val_subjects.npy",
    ]
    return [*map(str, words), "--clips", str(path / clips), "--device", "cpu"]


@pytest.fixture(scope="module")
def lifter(folder: Path) -> Lifter:
    return Lifter.load(folder / "liftModel")


def test_trust_learns_what_a_body_is_worth(folder: Path, lifter: Lifter, tmp_path: Path) -> None:
    body = lifter.trust_model.body
    assert body is not None
    assert body.sound
    assert (body.factor != 1).all()
    lifter.trust_model.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (folder / "liftModel.trust.npz").read_bytes()
    again = TrustModel.load(tmp_path / "again.npz").body
    assert again is not None
    np.testing.assert_array_equal(again.factor, body.factor)
    np.testing.assert_array_equal(again.ends, body.ends)


def keypoints() -> Keypoints:
    poses, _, _ = clips(1, 40)
    image = np.asarray(poses.joint_2d) + 0.003 * noise(40, np.random.default_rng(0))
    return keypoints_of(image, np.zeros((40, 2)), np.arange(40))


def test_what_is_expected_of_a_clip_knows_of_the_body(lifter: Lifter) -> None:
    found = keypoints()
    alone, together = (lift_keypoints(found, lifter, LiftOptions(body=body)) for body in ("none", "auto"))
    for people in (alone, together):
        assert people.expected_error is not None
        assert people.interval is not None
        assert np.isfinite(people.expected_error).all()
        low, high = people.interval[..., 0], people.interval[..., 1]
        assert ((low >= 0) & (low < high)).all()
    assert (together.expected_error != alone.expected_error).mean() > 0.99
    assert (together.interval != alone.interval).mean() > 0.99
    (block,) = lift_blocks(found, iter([found]), lifter, LiftOptions())
    np.testing.assert_allclose(block.expected_error, together.expected_error, rtol=1e-4)


def test_bones_that_are_known_better_let_expect_less(lifter: Lifter) -> None:
    truth = np.asarray(clips(1, 40)[0].joint_3d, np.float64)
    body = measured(truth, np.random.default_rng(1))
    loose = LiftOptions(
        body=type(body)(body.lengths, 20 * body.spread, body.stiffness, "relative", "guessed")
    )
    found = [lift_keypoints(keypoints(), lifter, options) for options in (LiftOptions(body=body), loose)]
    errors = [
        np.mean(people.expected_error / np.linalg.norm(people.root, axis=1)[:, None]) for people in found
    ]
    assert errors[0] < 0.9 * errors[1]


@pytest.mark.parametrize(
    ("n", "frames", "told"),
    [
        (6, 9, "54 frames, of which no clip has 10 and a body; give longer clips"),
        (2, 12, "96 poses with a body are too few; 100 are needed"),
    ],
)
def test_too_few_frames_are_one_line(n: int, frames: int, told: str, lifter: Lifter) -> None:
    with pytest.raises(InputError, match=f"^c.npz: {told}$"):
        with_clips(lifter.trust_model, lifter, Clips("c.npz", *clips(n, frames)), seed=0)


def _flat(path: Path) -> Any:
    with open(path / "bad.npz", "wb") as file:
        write_npz(file, {"joint_2d": np.zeros((60, J, 2), np.float32)})


def _numbers(path: Path) -> Any:
    poses, numbers, people = clips(2)
    save_poses(path / "bad.npz", poses)
    np.save(path / "bad_clips.npy", numbers[:-1])
    np.save(path / "bad_subjects.npy", people)


def _people(path: Path) -> Any:
    poses, numbers, _ = clips(2)
    save_poses(path / "bad.npz", poses)
    np.save(path / "bad_clips.npy", numbers)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_flat, "bad.npz: no key joint_3d"),
        (_numbers, "bad_clips.npy: holds int64 of shape (59,)"),
        (_people, "bad_subjects.npy: no such file"),
        (lambda path: None, "bad.npz: no such file"),
    ],
)
def test_bad_clips_are_one_line(
    make: Callable[[Path], Any], told: str, folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    make(tmp_path)
    before = (folder / "liftModel.trust.npz").read_bytes()
    assert learn([*call(folder), "--clips", str(tmp_path / "bad.npz")]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"minilift trust: error: {tmp_path}/{told}"), line
    assert line.count("\n") == 1
    assert (folder / "liftModel.trust.npz").read_bytes() == before
