"""People lifted as the frames come: from the past alone, in one unit, in bounded memory."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from live_frames import LIFTER, TALL, camera, frames, people
from walkers import FPS, SIZE

from minilift import LiftOptions, lift_keypoints
from minilift.errors import ArgumentError
from minilift.lift.live import Live
from minilift.lift.live.crowd import MOST_KNOWN, REMEMBERED
from minilift.poses.body.body import Body
from minilift.poses.body.prior import prior
from minilift.poses.keypoints import frame_of
from minilift.poses.lens.stature import USUAL, stature
from minilift.poses.lifted import LiftedPeople

TRUTH = people(120)
CAMERA = camera(TRUTH)


def live(**options: Any) -> Live:
    given: dict[str, Any] = {"height": TALL, "camera": CAMERA, "smooth": "one-euro", **options}
    return Live(LIFTER, LiftOptions(**given))


def joined(answers: list[LiftedPeople], name: str = "joint_3d") -> np.ndarray:
    return np.concatenate([getattr(one, name) for one in answers])


def jerk(joint_3d: np.ndarray) -> float:
    """Millimetres: the mean third difference, of one person of the two."""
    return float(1000 * np.linalg.norm(np.diff(joint_3d[TRUTH.person == 0], 3, axis=0), axis=2).mean())


def test_people_are_where_they_are_and_smoothing_is_calmer() -> None:
    rough, calm = (list(live(smooth=how).run(frames(TRUTH, noise=2.0))) for how in (None, "one-euro"))
    for answers, most in ((rough, 55), (calm, 50)):  # 49.8 and 44.9 mm with 3 pixels
        joint_3d, root = joined(answers), joined(answers, "root")
        off = np.linalg.norm((joint_3d - root[:, None]) - (TRUTH.joint_3d - TRUTH.root[:, None]), axis=2)
        assert 1000 * off.mean() < most
        assert np.linalg.norm(root - TRUTH.root, axis=1).mean() < 0.2  # of 6.8 m
    assert jerk(joined(calm)) < 0.5 * jerk(joined(rough))
    first = rough[0]
    assert (first.unit, first.axes, first.expected_error is None, first.unlike is None) == (
        "m",
        "camera",
        False,
        False,
    )
    assert first.times is not None
    assert first.times.tolist() == [100 / FPS] * 2


def test_without_smoothing_poses_are_those_of_the_clip() -> None:
    """The same network, the same rays; the clip's noise is known from all of it, so it is given here."""
    given = frames(TRUTH, ids=True)
    answers = list(live(smooth=None, noise=1.0).run(given))
    clip = replace(
        given[0],
        **{
            name: np.concatenate([getattr(one, name) for one in given])
            for name in ("xy", "missing", "frame", "person", "track", "score", "frames", "times")
        },
        fps=FPS,
    )
    whole = lift_keypoints(clip, LIFTER, LiftOptions(height=TALL, camera=CAMERA, noise=1.0, body="none"))
    ours, theirs = (
        joint / np.linalg.norm(root, axis=1)[:, None, None]
        for joint, root in ((joined(answers), joined(answers, "root")), (whole.joint_3d, whole.root))
    )
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert {name for one in answers for name in one.people.values()} == {"p0", "p1"}


def test_an_answer_does_not_depend_on_later_frames() -> None:
    given = frames(TRUTH, noise=2.0)
    whole = list(live(axes="y-up").run(given))
    other = [replace(one, xy=one.xy + 300) for one in given[30:]]
    cut = list(live(axes="y-up").run([*given[:30], *other]))
    for one, two in zip(whole[:30], cut[:30], strict=True):
        np.testing.assert_array_equal(one.joint_3d, two.joint_3d)
        np.testing.assert_array_equal(one.person, two.person)
    assert not np.array_equal(whole[31].joint_3d, cut[31].joint_3d)


def test_people_are_followed_and_who_left_is_forgotten() -> None:
    given = frames(TRUTH)
    mixed = [one.take(np.array([1, 0])) if len(one) == 2 and i % 2 else one for i, one in enumerate(given)]
    track = live()
    for one, truth in zip(mixed, given, strict=True):
        answer = track.push(one)
        assert len(answer) == len(truth)
        nearest = [int(np.argmin(np.abs(truth.xy[:, 0, 0] - x))) for x in answer.joint_2d[:, 0, 0]]
        who = TRUTH.person[TRUTH.frame == int(truth.frames[0])]
        assert answer.person.tolist() == [int(who[k]) for k in nearest]
    assert len(track) == 2
    later = int(given[-1].frames[0]) + REMEMBERED + 20
    alone = frame_of(given[-1].xy[:1], layout="course15", frame=int(later), time=later / FPS, size=SIZE)
    assert track.push(alone).person.tolist() == [2]
    assert len(track) == 1


def test_a_crowd_that_comes_and_goes_is_bounded_memory() -> None:
    track = live()
    one = frames(TRUTH)[0]
    tracemalloc.start()
    sizes = []
    for i in range(520):
        track.push(
            frame_of(one.xy, layout="course15", frame=i, time=1e-4 * i, size=SIZE, ids=[2 * i, 2 * i + 1])
        )
        if i in (330, 519):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert len(track) <= 2 * REMEMBERED + 2 < MOST_KNOWN
    assert sizes[1] < 1.1 * sizes[0]


def test_a_frame_before_begins_a_new_clip_and_one_that_is_late_is_refused() -> None:
    given = frames(TRUTH)
    track = live()
    for one in given[:50]:
        track.push(one)
    with pytest.raises(ArgumentError, match=r"time=5.96: is not after that of the frame before, 5.96 s"):
        track.push(given[49])
    assert track.push(given[50]).person.tolist() == [0, 1]
    assert track.push(given[0]).person.tolist() == [2, 3]
    assert len(track) == 2
    with pytest.raises(ArgumentError, match="time=nan: is no time"):
        track.push(replace(given[1], times=np.array([np.nan])))
    with pytest.raises(ArgumentError, match="frame=2 frames: give one at a time"):
        track.push(replace(given[1], frames=np.array([1, 2])))


def test_frames_without_anybody_and_people_without_enough_joints() -> None:
    given = frames(TRUTH)
    track = live(axes="y-up")
    nobody = track.push(given[0].take(np.zeros(0, np.int64)))
    assert (len(nobody), nobody.joint_3d.shape, nobody.unit) == (0, (0, 15, 3), "m")
    lost = np.ones((2, 15), bool)
    lost[0, -1] = False  # a wrist says nothing of the hips
    few = replace(given[1], missing=lost)
    answer = track.push(few)
    assert len(answer) == 1  # who has no joint at all is nobody
    assert np.isnan(answer.joint_3d).all()
    assert track.push(given[2]).axes == "y-up"
    assert np.isfinite(track.push(given[3]).joint_3d).all()


def test_the_unit_is_set_by_height_distance_body_or_the_first_person() -> None:
    given = frames(TRUTH)
    for options, unit, away in (
        ({"height": None}, "root-depth", 1.0),
        ({"height": None, "distance": 5.0}, "m", 5.0),
    ):
        first = live(smooth=None, **options).push(given[0])
        assert first.unit == unit
        assert np.linalg.norm(first.root[0]) == pytest.approx(away, rel=1e-3)
    bones = prior(1.6, unit="m").lengths
    body = Body(bones, np.full(15, 0.02), np.full(15, 0.02), "m", "a tape")
    small = list(live(height=None, body=body).run(given[:20]))[-1]
    tall = list(live(height=3.0, body=body).run(given[:20]))[-1]
    ratio = np.linalg.norm(tall.root, axis=1) / np.linalg.norm(small.root, axis=1)
    np.testing.assert_allclose(ratio, 3.0 / stature(body.lengths), rtol=1e-3)


def test_bones_are_learned_and_the_stature_stays() -> None:
    track = live()
    list(track.run(frames(TRUTH)))
    for someone in track._crowd._known.values():
        assert stature(someone.lengths) == pytest.approx(TALL, rel=1e-6)
        assert 0.01 < np.abs(someone.lengths / (TALL * USUAL) - 1).max() < 1


def test_axes_have_their_floor_below_the_first_person() -> None:
    given = frames(TRUTH)
    answers = list(live(axes="z-up", smooth=None).run(given))
    assert abs(answers[0].root[0, :2]).max() < 1e-3
    assert 0.7 < answers[0].root[0, 2] < 1.2
    turn, shift = answers[9].to_camera[:, :3], answers[9].to_camera[:, 3]
    ahead = answers[9].joint_3d @ turn.T + shift
    seen = np.isfinite(answers[9].joint_2d)
    np.testing.assert_allclose(CAMERA.pixels(ahead)[seen], answers[9].joint_2d[seen], atol=12)


def test_one_person_alone_is_lifted() -> None:
    given = frames(TRUTH, ids=True)
    assert [one.people for one in live(person="p1").run(given[:3])] == [{1: "p1"}] * 3
    assert [len(one) for one in live(person="7").run(given[:3])] == [0] * 3


@pytest.mark.parametrize(
    "options",
    [
        {"person": "largest"}, {"smooth": "savgol"}, {"fill": 3}, {"same": True},
        {"level": True, "axes": "y-up"}, {"height": None, "distance": {0: 4.0, 1: 4.1}},
    ],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_what_needs_the_whole_clip_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=r"still to come|whole clip"):
        live(**options)


@pytest.mark.parametrize(
    ("arrays", "name"),
    [
        ({"xy": np.zeros((2, 16, 2))}, "xy"), ({"score": np.zeros((2, 16))}, "score"), ({"ids": [1]}, "ids"),
        ({"weight": np.zeros(3)}, "weight"), ({"missing": np.zeros((1, 17), bool)}, "missing"),
    ],
)  # fmt: skip
def test_frames_of_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], name: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}="):
        frame_of(**{"xy": np.zeros((2, 17, 2)), **arrays})


def test_too_many_people_are_refused() -> None:
    xy = np.random.default_rng(0).uniform(0, 700, (501, 17, 2))
    with pytest.raises(ArgumentError, match="people=501 people: and 500 can be followed"):
        live().push(frame_of(xy, size=SIZE))
