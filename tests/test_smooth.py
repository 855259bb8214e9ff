"""Gaps filled, and movements smoothed: one person after the other, over pauses never."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from minilift.errors import ArgumentError
from minilift.poses.joint_state import FILLED, MISSING
from minilift.poses.lens.camera import Camera
from minilift.poses.lifted import LiftedPeople
from minilift.poses.motion import jitter
from minilift.poses.tracks.gaps import absent, fill, fill_gaps
from minilift.poses.tracks.one_euro import OneEuro
from minilift.poses.tracks.over_time import over_time
from minilift.poses.tracks.savgol import savgol
from minilift.poses.tracks.smooth import WAYS, Smoother, smooth

FPS = 30.0


def moving(frame: np.ndarray, who: int = 0, fps: float = FPS) -> tuple[np.ndarray, np.ndarray]:
    """Joints (n, 15, 3) and root (n, 3) of someone who walks and waves, in metres."""
    t, rng = frame / fps, np.random.default_rng(who)
    rest, ahead = 0.4 * rng.normal(size=(15, 3)), rng.normal(size=(15, 3))
    rest[7] = 0, 0.5, 0
    swing = 0.06 * ahead * np.sin(2 * np.pi * 0.8 * t[:, None, None] + rng.normal(size=(15, 1)))
    root = np.stack([0.8 * t, 0.03 * np.sin(9 * t), -4 + 0.1 * np.sin(t)], axis=1)
    return root[:, None] + rest + swing, root


def lifted(
    frame: np.ndarray, person: np.ndarray | None = None, noise: float = 0, **options: object
) -> LiftedPeople:
    n, rng = len(frame), np.random.default_rng(5)
    person = np.zeros(n, np.int64) if person is None else person
    joints, root = np.empty((n, 15, 3)), np.empty((n, 3))
    for who in np.unique(person):
        rows = person == who
        joints[rows], root[rows] = moving(frame[rows], int(who))
    joints += noise * rng.normal(size=joints.shape)
    given: dict[str, object] = {
        "unit": "m", "fps": FPS, "unlike": np.zeros(n, bool), **options,
        "expected_error": np.ones((n, 15), np.float32),
    }  # fmt: skip
    return LiftedPeople(
        joint_3d=joints.astype(np.float32), root=root.astype(np.float32),
        joint_2d=np.ones((n, 15, 2), np.float32),
        root_2d=np.ones((n, 2), np.float32), frame=frame, person=person,
        confidence=np.ones((n, 15), np.float32), state=np.zeros((n, 15), np.uint8), **given,
    )  # fmt: skip


def error(people: LiftedPeople) -> float:
    true = np.stack(
        [moving(np.array([f]), int(p))[0][0] for f, p in zip(people.frame, people.person, strict=True)]
    )
    return float(np.linalg.norm(people.joint_3d - true, axis=2).mean())


# ---- gaps --------------------------------------------------------------------------------------------------


def test_the_frames_that_lack_are_found() -> None:
    frame = np.array([10, 10, 11, 14, 15, 15, 30])
    person = np.array([0, 1, 0, 0, 0, 1, 0])
    new, who = absent(frame, person, 4)
    assert list(zip(new, who, strict=True)) == [(12, 0), (13, 0), (11, 1), (12, 1), (13, 1), (14, 1)]
    assert list(absent(frame, person, 3)[0]) == [12, 13]
    assert list(absent(105 + 10 * np.array([0, 1, 2, 5]), np.zeros(4, int), 2)[0]) == [135, 145]
    assert (
        len(absent(np.array([3]), np.array([0]), 9)[0])
        == len(absent(np.array([], int), np.array([], int), 9)[0])
        == 0
    )


def test_short_gaps_of_a_clip_are_filled_and_marked() -> None:
    frame = np.arange(100, 200)
    whole = lifted(np.delete(frame, [20, 40, 41, 42, 43, 44, 60, 61, 62, 63, 64, 65]))
    filled = fill_gaps(whole, 5)
    new = np.isin(filled.frame, [120, 140, 141, 142, 143, 144])
    assert list(filled.frame) == list(np.delete(frame, range(60, 66)))
    assert (filled.state[new] == FILLED).all()
    assert (filled.state[~new] == 0).all()
    assert filled.mask[new].all()
    assert np.isnan(filled.joint_2d[new]).all()
    assert np.isnan(filled.confidence[new]).all()
    assert filled.expected_error is not None
    assert np.isnan(filled.expected_error[new]).all()
    assert np.array_equal(filled.joint_3d[~new], whole.joint_3d)
    true, root = moving(filled.frame)
    assert (
        np.linalg.norm(filled.joint_3d - true, axis=2).max() < 0.03
    )  # 0.012, in gaps of a fifth of a second
    assert np.abs(filled.root - root).max() < 0.01
    assert len(whole) == 88  # the one given is as it was
    assert not np.isnan(whole.joint_3d).any()


def test_a_curve_is_closer_than_a_line() -> None:
    frame = np.delete(np.arange(60), range(25, 33))
    people = lifted(frame)
    new = ~np.isin(np.arange(60), frame)
    true = moving(np.arange(60))[0][new]
    line = np.array(
        [np.interp(np.arange(60)[new], frame, c) for c in people.joint_3d.reshape(len(frame), -1).T]
    )
    of_line = np.linalg.norm(line.T.reshape(true.shape) - true, axis=2).mean()
    of_curve = np.linalg.norm(fill_gaps(people, 8).joint_3d[new] - true, axis=2).mean()
    assert of_curve < 0.6 * of_line  # 0.51


def test_rows_that_are_filled_have_the_time_of_their_frame() -> None:
    frame, person = np.array([0, 1, 1, 2, 4, 4]), np.array([0, 0, 1, 1, 0, 1])
    clock = {0: 0.0, 1: 0.04, 2: 0.11, 4: 0.19}
    people = lifted(frame, person, times=np.array([clock[f] for f in frame]))
    filled = fill_gaps(people, 3)
    assert filled.times is not None
    found = dict(zip(filled.frame.tolist(), filled.times.tolist(), strict=True))
    assert found == pytest.approx({**clock, 3: 0.15})  # nobody was seen in 3: midway
    assert len(filled) == 9


def test_each_person_has_their_own_gaps() -> None:
    frame, person = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    there = ~((person == 1) & (frame > 10) & (frame < 15)) & ~((person == 0) & (frame < 12))
    filled = fill_gaps(lifted(frame[there], person[there]), 6)
    assert list(zip(filled.frame, filled.person, strict=True)) == [
        (f, p) for f, p in zip(frame, person, strict=True) if p or f >= 12
    ]
    assert (
        filled.mask.any(axis=1) == ((filled.person == 1) & (filled.frame > 10) & (filled.frame < 15))
    ).all()
    assert error(filled) < 0.005


def test_rows_without_a_joint_are_gaps_too() -> None:
    people = lifted(np.arange(30))
    people.joint_3d[[10, 11, 29]], people.root[[10, 11, 29]] = np.nan, np.nan
    people.state[[10, 11, 29]] = MISSING
    filled = fill_gaps(people, 3)
    assert (filled.state[[10, 11]] == FILLED).all()
    assert (filled.state[29] == MISSING).all()
    assert np.isnan(filled.joint_3d[29]).all()
    assert np.linalg.norm(filled.joint_3d[10:12] - moving(np.arange(10, 12))[0], axis=2).max() < 0.02


def test_single_joints_are_filled_before_lifting() -> None:
    frame = np.arange(50)
    points = moving(frame)[0][..., :2] * 300
    missing = np.zeros((50, 15), bool)
    missing[20:23, 4] = missing[30:36, 5] = missing[:3, 6] = missing[48:, 7] = True
    missing[:, 8] = True
    given = np.where(missing[..., None], np.nan, points)
    shuffle = np.random.default_rng(0).permutation(50)
    found, filled = fill(given[shuffle], missing[shuffle], frame[shuffle], np.zeros(50, int), 5)
    back = np.argsort(shuffle)
    assert sorted(zip(*np.nonzero(filled[back]), strict=True)) == [(20, 4), (21, 4), (22, 4)]
    assert np.abs(found[back][20:23, 4] - points[20:23, 4]).max() < 3
    assert np.isnan(found[back][30:36, 5]).all()


def test_nothing_is_filled_from_one_person_to_the_next() -> None:
    frame, person = np.arange(20), np.repeat([0, 1], 10)
    missing = np.zeros((20, 1), bool)
    missing[[8, 9, 10]] = True
    assert not fill(np.zeros((20, 1, 2)), missing, frame, person, 5)[1].any()
    assert fill(np.zeros((20, 1, 2)), missing, frame, np.zeros(20, int), 5)[1].sum() == 3


def test_unrelated_pictures_have_no_gaps() -> None:
    stills = lifted(np.array([0, 2, 4, 8]), stills=True)
    assert fill_gaps(stills, 5) is stills
    assert smooth(stills, "savgol") is stills


# ---- smoothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [5, 9, 40])
@pytest.mark.parametrize(("window", "order"), [(5, 2), (9, 2), (9, 3), (7, 0), (5, 4)])
def test_savgol_is_scipys(n: int, window: int, order: int) -> None:
    signal = pytest.importorskip("scipy.signal")
    values = np.random.default_rng(0).normal(size=(n, 3, 2))
    found = savgol(values, np.arange(n) / 7, window, order)
    if n >= window:
        assert np.abs(found - signal.savgol_filter(values, window, order, axis=0)).max() < 1e-10
    else:
        shorter = n - 1 + n % 2
        expected = signal.savgol_filter(values, shorter, order, axis=0) if shorter > order else values
        assert np.abs(found - expected).max() < 1e-10


def test_savgol_keeps_polynomials_of_frames_at_any_times() -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(0.5, 2, 40))
    values = np.stack([time**2 - 3 * time, 4 - time], axis=1)
    assert np.abs(savgol(values, time, 7, 2) - values).max() < 1e-9
    assert np.array_equal(savgol(values[:2], time[:2], 7, 2), values[:2])
    for window, order in ((4, 2), (3, 3)):
        with pytest.raises(ValueError, match="odd window above the order"):
            savgol(values, time, window, order)


@pytest.mark.parametrize(("how", "share", "gain"), [("one-euro", 0.5, 0.9), ("savgol", 0.25, 0.6)])
def test_jitter_falls_and_the_error_does_not_grow(how: str, share: float, gain: float) -> None:
    noisy = lifted(np.arange(200), noise=0.015)
    calm = smooth(noisy, how)
    assert jitter(calm.joint_3d) < share * jitter(noisy.joint_3d)  # 0.42, 0.16
    assert error(calm) < gain * error(noisy)  # 0.87, 0.51
    assert calm.joint_3d.dtype == np.float32
    assert np.array_equal(calm.state, noisy.state)


@pytest.mark.parametrize("how", WAYS)
def test_people_and_pauses_are_kept_apart(how: str) -> None:
    frame, person = np.repeat(np.arange(60), 2), np.tile([0, 1], 60)
    both = lifted(frame, person, noise=0.01)
    alone = smooth(both.take(person == 1), how)
    assert np.array_equal(smooth(both, how).joint_3d[1::2], alone.joint_3d)
    frame = np.concatenate([np.arange(30), np.arange(500, 530)])
    pause = lifted(frame, noise=0.01)
    after = smooth(pause.take(slice(30, None)), how)
    assert np.array_equal(smooth(pause, how).joint_3d[30:], after.joint_3d)


@pytest.mark.parametrize("how", WAYS)
def test_frames_need_not_be_even_nor_all_there(how: str) -> None:
    frame = np.flatnonzero(np.random.default_rng(0).random(200) < 0.7)
    noisy = lifted(frame, noise=0.015)
    noisy.joint_3d[7] = noisy.root[7] = np.nan
    calm = smooth(noisy, how)
    assert np.isnan(calm.joint_3d[7]).all()
    rows = np.arange(len(frame)) != 7
    assert error(calm.take(rows)) < 0.97 * error(noisy.take(rows))  # 0.93, 0.53
    every_tenth = lifted(10 * np.arange(20), noise=0.0)
    assert error(smooth(every_tenth, how)) < 0.06  # 0.02, 0.04: there is little to go by


def test_one_euro_goes_on_from_part_to_part() -> None:
    noisy = lifted(np.repeat(np.arange(40), 2), np.tile([0, 1], 40), noise=0.02)
    whole, smoother = smooth(noisy, "one-euro"), Smoother(FPS)
    parts = [smoother(noisy.take(slice(start, start + 7))).joint_3d for start in range(0, 80, 7)]
    assert np.array_equal(np.concatenate(parts), whole.joint_3d)


def test_one_euro_is_the_formula() -> None:
    points = np.random.default_rng(0).normal(size=(6, 1, 1))
    time = np.array([0, 0.1, 0.2, 0.25, 0.5, 0.6])
    found = OneEuro(0.7, 0.3, 1.3)(points, time, np.zeros(6, int), np.ones(6))[:, 0, 0]

    def share(cutoff: float, step: float) -> float:
        return 1 / (1 + 1 / (2 * np.pi * cutoff * step))

    place, speed, expected = float(points[0, 0, 0]), 0.0, [float(points[0, 0, 0])]
    for x, step in zip(points[1:, 0, 0], np.diff(time), strict=True):
        a = share(1.3, step)
        speed = a * (x - place) / step + (1 - a) * speed
        a = share(0.7 + 0.3 * abs(speed), step)
        place = a * x + (1 - a) * place
        expected.append(float(place))
    assert found == pytest.approx(expected, abs=1e-12)


def test_one_euro_remembers_no_more_than_it_needs() -> None:
    filter = OneEuro()
    for start in range(0, 5000, 100):
        ids = np.arange(start, start + 100)
        filter(np.zeros((100, 1, 3)), ids * 0.1, ids, np.ones(100))
    assert len(filter._known) < 1100


def test_both_are_done_told_and_checked_again() -> None:
    people = lifted(np.delete(np.arange(60), [20, 21]), noise=0.02, fps=None)
    camera, turn = (
        Camera.from_focal(1000, (1280, 720)),
        np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]]),
    )
    seen = replace(people, joint_2d=camera.pixels(people.joint_3d).astype(np.float32))
    # the same people where Z is up, as --axes z-up gives them: X, -Z, Y
    z_up = replace(seen, joint_3d=seen.joint_3d @ turn[:, :3], root=seen.root @ turn[:, :3], to_camera=turn)
    for given in (seen, z_up):
        done = over_time(given, camera, 3, "savgol")
        assert done.notes == (
            "2 frames of people filled, in gaps of up to 3",
            "smoothed by savgol, at 30 (assumed) frames a second",
        )
        assert done.check is not None
        assert np.isnan(done.check[20:22]).all()
        assert 1 < np.nanmean(done.check) < 12  # 5.5 px
        assert len(done) == 60
    assert over_time(seen, camera) is seen
    assert over_time(seen, camera, 2).check is None  # nothing that was given has moved


def test_another_way_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^smooth=kalman: unknown; use one of one-euro, savgol$"):
        smooth(lifted(np.arange(3)), "kalman")
    assert len(smooth(lifted(np.arange(0)), "savgol")) == 0
