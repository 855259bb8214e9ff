"""Who is who: people followed by position, ids of the file, detections that are one too many."""

from __future__ import annotations

import time

import numpy as np
import pytest
from conftest import ROOT

from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.tracks.assign import assign
from minilift.poses.tracks.duplicates import tell_apart
from minilift.poses.tracks.follow import MOST, follow
from minilift.poses.tracks.identify import Identified, choose, identify

J = 15


def people(
    frames: int, start: np.ndarray, velocity: np.ndarray, noise: float = 0, seed: int = 0
) -> np.ndarray:
    """(F, N, J, 2) pixels: bodies with swinging limbs, from `start` (N, 2), by `velocity` (N, 2) a frame."""
    rng = np.random.default_rng(seed)
    n, t = len(start), np.arange(frames)[:, None, None, None]
    body = rng.normal(size=(n, J, 2)) * [20, 55]
    swing = rng.normal(size=(n, J, 2)) * [12, 4] * np.sin(0.25 * t + rng.normal(size=(n, J, 1)))
    place = np.asarray(start)[:, None] + np.asarray(velocity)[:, None] * t
    return place + body + swing + noise * rng.normal(size=(frames, n, J, 2))


def shuffled(clip: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detections (F N, J, 2) in another order in every frame, their frames, and who they are."""
    frames, n = clip.shape[:2]
    who = np.random.default_rng(seed).permuted(np.tile(np.arange(n), (frames, 1)), axis=1)
    rows = np.take_along_axis(clip, who[:, :, None, None], 1).reshape(-1, J, 2)
    return rows, np.repeat(np.arange(frames), n), who.reshape(-1)


def followed(xy: np.ndarray, frame: np.ndarray) -> np.ndarray:
    return follow(xy, np.isnan(xy[..., 0]), frame)


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


# ---- the assignment ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_the_assignment_is_the_best_there_is(seed: int) -> None:
    scipy = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    for trial in range(150):
        shape = rng.integers(1, 60 if trial % 30 == 0 else 9, 2)
        cost = 2 * rng.random(shape)
        if trial % 3 == 0:
            cost = np.round(4 * cost) / 4  # with ties
        cost[rng.random(shape) < 0.5 * (trial % 4 == 0)] = (np.inf, np.nan)[trial % 2]
        rows, columns = assign(cost, 1.0)
        assert (np.diff(rows) > 0).all()
        assert len(set(columns)) == len(columns)
        assert (cost[rows, columns] < 1).all()
        bounded = np.where(cost < 1, cost, 1.0)
        best = bounded[scipy.linear_sum_assignment(bounded)].sum()
        assert bounded[rows, columns].sum() + min(shape) - len(rows) == pytest.approx(best, abs=1e-9)


def test_an_assignment_of_equals_is_no_endless_search() -> None:
    began = time.process_time()
    rows, columns = assign(np.full((400, 400), 0.5), 1.0)
    assert sorted(columns) == list(rows) == list(range(400))
    assert time.process_time() - began < 2  # 0.03 s


# ---- following ---------------------------------------------------------------------------------------------


def test_people_whose_order_changes_in_every_frame_are_followed() -> None:
    clip = people(
        60, np.array([[200, 300], [500, 320], [800, 310]]), np.array([[3, 0], [0, 0], [-1, 1]]), 2.0
    )
    xy, frame, who = shuffled(clip)
    assert same_partition(followed(xy, frame), who)
    assert list(followed(xy, frame)[:3]) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_people_who_cross_keep_who_they_are(seed: int) -> None:
    clip = people(80, np.array([[200, 300], [680, 304]]), np.array([[6, 0], [-6, 0]]), 2.0, seed)
    xy, frame, who = shuffled(clip, seed)
    assert np.abs(clip[:, 0].mean(1) - clip[:, 1].mean(1)).sum(1).min() < 60  # they do cross
    assert same_partition(followed(xy, frame), who)


def test_where_people_look_alike_their_movement_tells_them_apart() -> None:
    body = np.random.default_rng(0).normal(size=(J, 2)) * [20, 55]
    place = np.stack([200 + 9 * np.arange(60), np.full(60, 300)], axis=1)
    clip = np.stack([place[:, None] + body, place[::-1, None] + body + np.array([0, 3])], axis=1)
    xy, frame, who = shuffled(clip)
    assert same_partition(followed(xy, frame), who)


def test_someone_absent_for_some_frames_is_the_same_person() -> None:
    clip = people(60, np.array([[200, 300], [600, 320]]), np.array([[3, 0], [1, 0]]), 1.0)
    xy, frame, who = shuffled(clip)
    there = (who == 0) | (frame < 20) | (frame > 27)
    assert same_partition(followed(xy[there], frame[there]), who[there])


def test_someone_new_is_someone_else_and_so_is_who_comes_after_a_long_time() -> None:
    clip = people(150, np.array([[200, 300], [600, 320]]), np.array([[1, 0], [0, 0]]))
    xy, frame, who = shuffled(clip)
    there = (who == 0) | (frame < 20) | (frame >= 100)
    ids = followed(xy[there], frame[there])
    assert ids.max() == 2
    assert len(set(ids[who[there] == 0])) == 1
    assert set(ids[(who == 1)[there] & (frame[there] >= 100)]) == {2}


def test_frames_are_counted_in_the_step_of_the_clip() -> None:
    clip = people(40, np.array([[200, 300], [600, 320]]), np.array([[3, 0], [-3, 0]]), 1.0)
    xy, frame, who = shuffled(clip)
    assert same_partition(followed(xy, 105 + 50 * frame), who)


def test_missing_joints_and_partly_seen_people_are_followed() -> None:
    clip = people(60, np.array([[200, 300], [500, 320]]), np.array([[3, 0], [0, 0]]), 2.0)
    xy, frame, who = shuffled(clip)
    rng = np.random.default_rng(3)
    xy[rng.random(xy.shape[:2]) < 0.5] = np.nan
    xy[40:60, 7:] = np.nan
    seen = ~np.isnan(xy[..., 0]).all(axis=1)
    xy, frame, who = xy[seen], frame[seen], who[seen]
    assert same_partition(followed(xy, frame), who)


def test_one_person_a_frame_is_one_person_unless_there_is_a_cut() -> None:
    xy = people(100, np.array([[200, 300]]), np.array([[9, 0]]), 3.0)[:, 0]
    frame = np.arange(100)
    assert set(followed(xy, frame)) == {0}
    frame[50:] += 1000  # a pause is no cut
    assert set(followed(xy, frame)) == {0}
    xy[30] = np.nan  # no joint at all: the person before
    xy[70:] += [900, 0]
    assert list(np.flatnonzero(np.diff(followed(xy, frame)))) == [69]


def test_who_comes_back_after_a_moment_is_the_same_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that finds something else for a frame; a picture that is cut to and fro; someone third."""
    xy = people(60, np.array([[200, 300]]), np.array([[2, 0]]))[:, 0]
    xy[20] += [600, 0]
    xy[30:40] += [0, 900]
    xy[45:50] += [0, 900]
    xy[50:55] += [0, 5000]
    expected = [0] * 20 + [1] + [0] * 9 + [2] * 10 + [0] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert list(followed(xy, np.arange(60))) == expected
    monkeypatch.setattr("minilift.poses.tracks.follow._FRAMES", 4)
    assert list(followed(xy, np.arange(60))) == expected


def test_a_long_clip_of_one_person_is_followed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    xy = people(100, np.array([[200, 300]]), np.array([[5, 0]]))[:, 0]
    xy[30:] += [2000, 0]
    xy[64:70] = np.nan
    whole = followed(xy, np.arange(100))
    monkeypatch.setattr("minilift.poses.tracks.follow._FRAMES", 3)
    assert list(followed(xy, np.arange(100))) == list(whole) == [0] * 30 + [1] * 70


def test_rubbish_is_followed_without_a_word() -> None:
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(60, J, 2)) * 1e3
    xy[0], xy[1], xy[2, :, 0], xy[7], xy[9] = np.nan, np.inf, -np.inf, 1e300, 0
    ids = follow(xy, rng.random((60, J)) < 0.3, np.repeat(np.arange(20), 3))
    assert ids.shape == (60,)
    assert all(len(set(ids[i : i + 3])) == 3 for i in range(0, 60, 3))
    assert len(followed(np.empty((0, J, 2)), np.empty(0, np.int64))) == 0


def test_numbers_beyond_reason_are_quick_or_refused() -> None:
    n = 200_000
    began = time.process_time()
    assert len(set(followed(np.zeros((n, 1, 2)), np.zeros(n, np.int64)))) == n
    assert set(followed(np.zeros((n, 1, 2)), np.arange(n))) == {0}
    assert time.process_time() - began < 3  # 0.15 s
    frame = np.append(np.zeros(MOST + 1, np.int64), 7)
    with pytest.raises(InputError, match=r"^501 detections in frame 0, and 500 can be followed"):
        followed(np.zeros((MOST + 2, 1, 2)), frame)


# ---- ids, and detections that are one too many -------------------------------------------------------------


def keypoints(
    xy: np.ndarray, frame: np.ndarray, ids: list[int] | None = None, **options: object
) -> Keypoints:
    count = np.zeros(len(frame), np.int64)
    for i in range(1, len(frame)):
        count[i] = count[i - 1] + 1 if frame[i] == frame[i - 1] else 0
    track = None if ids is None else np.array(ids)
    names = () if ids is None else tuple(f"id{i}" for i in range(max(ids, default=0) + 1))
    given: dict[str, object] = {"score": None, **options}
    return Keypoints(
        xy, missing=np.isnan(xy[..., 0]), frame=frame, person=count, track=track, track_names=names,
        layout=COURSE15, format="made", frames=np.unique(frame), **given,
    )  # fmt: skip


@pytest.fixture
def three() -> tuple[np.ndarray, np.ndarray]:
    """Two people in each of three frames."""
    clip = people(3, np.array([[200, 300], [600, 320]]), np.array([[3, 0], [1, 0]]))
    return clip.reshape(-1, J, 2), np.repeat(np.arange(3), 2)


def test_ids_of_the_file_are_taken_by_first_appearance(three: tuple[np.ndarray, np.ndarray]) -> None:
    found = identify(keypoints(*three, ids=[4, 2, 2, 4, 4, 2]))
    assert list(found.person) == [0, 1, 1, 0, 0, 1]
    assert found.names == {0: "id4", 1: "id2"}
    assert list(found.rows) == [0, 1, 2, 3, 4, 5]
    assert found.notes == ()


def test_detections_without_an_id_are_followed_among_themselves(three: tuple[np.ndarray, np.ndarray]) -> None:
    found = identify(keypoints(*three, ids=[0, -1, 0, -1, 0, -1]))
    assert list(found.person) == [0, 1, 0, 1, 0, 1]
    assert found.names == {0: "id0"}


def test_an_id_twice_in_a_frame_keeps_the_best(three: tuple[np.ndarray, np.ndarray]) -> None:
    xy, frame = three[0], np.array([0, 0, 1, 1, 1, 2])
    xy[4] -= 1000
    ids, weight = [0, 1, 0, 1, 0, 1], np.array([2.9, 2.4, 0.4, 2.4, 2.9, 2])
    found = identify(keypoints(xy, frame, ids, weight=weight))
    assert list(found.rows) == [0, 1, 3, 4, 5]
    assert list(found.person) == [0, 1, 1, 0, 1]
    assert found.notes == ("left out 1 detection of an id that is in the frame already",)
    score = np.repeat(weight[:, None], J, axis=1)  # without a score of the person: that of the joints
    assert list(identify(keypoints(xy, frame, ids, score=score)).rows) == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("ids", [[0] * 6, [-1] * 6])
def test_an_id_that_all_have_is_no_id(three: tuple[np.ndarray, np.ndarray], ids: list[int]) -> None:
    found = identify(keypoints(*three, ids=ids))
    assert list(found.person) == [0, 1, 0, 1, 0, 1]
    assert found.names == {}
    assert found.notes == (
        "the ids in the file do not tell people apart, so people are followed by position",
    )
    assert tell_apart(three[1], np.array([0, 1, 0, 1, 0, 0]))
    assert tell_apart(np.arange(3), np.zeros(3, np.int64))  # one person, and it is the same one


@pytest.mark.parametrize("noise", [0, 2])
def test_the_same_person_twice_is_one(three: tuple[np.ndarray, np.ndarray], noise: float) -> None:
    """A second run of YOLO into the same folder; AlphaPose's two boxes around a dancer."""
    xy, frame = np.repeat(three[0], 2, axis=0), np.repeat(three[1], 2)
    xy += noise * np.random.default_rng(0).normal(size=xy.shape)
    xy[1, :5] += 20 * noise  # the legs of one are elsewhere
    found = identify(keypoints(xy, frame))
    assert list(found.rows) == [0, 2, 4, 6, 8, 10]
    assert list(found.person) == [0, 1, 0, 1, 0, 1]
    assert found.notes == ("left out 6 detections of a person who is in the frame already",)
    weight = np.where(np.arange(12) == 1, 0.9, 0.5)
    assert list(identify(keypoints(xy, frame, weight=weight)).rows)[:2] == [1, 2]


def test_detections_without_a_joint_are_left_out_where_there_are_several_people(
    three: tuple[np.ndarray, np.ndarray],
) -> None:
    xy, frame = three
    xy[3] = np.nan
    found = identify(keypoints(xy, frame))
    assert list(found.rows) == [0, 1, 2, 4, 5]
    assert list(found.person) == [0, 1, 0, 0, 1]
    assert found.notes == ("left out 1 detection of no joint at all",)
    assert list(identify(keypoints(xy[[1, 3, 5]], np.arange(3))).person) == [0, 0, 0]  # an empty frame


def test_two_people_close_to_each_other_are_two(three: tuple[np.ndarray, np.ndarray]) -> None:
    xy, frame = three
    xy[1::2] = xy[::2] + np.array([15, 0])
    assert len(identify(keypoints(xy, frame)).rows) == 6


def test_unrelated_pictures_are_left_alone(three: tuple[np.ndarray, np.ndarray]) -> None:
    xy = three[0][[0, 0, 1, 1, 2, 2]]
    found = identify(keypoints(xy, three[1], ids=[0] * 6, stills=True))
    assert list(found.person) == [0, 1, 0, 1, 0, 1]
    assert len(found.rows) == 6


FOLDER = ROOT.parent / "shared" / "data" / "keypoints"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/keypoints is not there")
@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("alphapose/coco17_no_idx_real/alphapose-results.json", [174]),  # a dancer, in two frames found twice
        ("alphapose/halpe26_tracked_made/alphapose-results.json", [12, 11]),  # id 1 twice in frame 4
        ("videopose3d/data_2d_detections_real.npz", [590, 1]),  # in one frame the detector found another one
        ("openpose/body25_start35_two_people_made", [8, 9]),
        ("yolo/labels_tracked_conf_made", [5, 5]),
        ("yolo/labels_clip_made", [10, 11]),
        ("yolo/labels_two_people_real", [1]),  # every line twice
    ],
)
def test_people_in_files_of_detectors(name: str, people: list[int]) -> None:
    found = load_keypoints(FOLDER / name, Asked(size=(1280, 720)))
    known = identify(found)
    assert list(np.bincount(known.person)) == people
    path = found.take(known.rows).xy.mean(axis=1)
    for who in range(len(people)):  # no one jumps; two people are 345 px apart
        assert np.abs(np.diff(path[known.person == who], axis=0)).max(initial=0) < 300
    if "halpe26" in name:
        assert (found.take(known.rows).xy[..., 0].min(axis=1) > 0).all()  # the better of the two


# ---- the choice of one -------------------------------------------------------------------------------------


def test_one_person_is_chosen(three: tuple[np.ndarray, np.ndarray]) -> None:
    xy = three[0]
    xy[1::2] = xy[1::2] * 2
    person, missing = np.array([0, 1, 0, 1, 0, 1]), np.zeros(xy.shape[:2], bool)
    person[5] = 2
    names = {0: "5", 1: "0"}

    def chosen(wanted: str) -> list[int]:
        return list(np.flatnonzero(choose(wanted, person, names, xy, missing)))

    assert chosen("longest") == chosen("5") == [0, 2, 4]
    assert chosen("0") == [1, 3]  # the file's word, not our number
    assert chosen("2") == [5]
    assert chosen("largest") in ([1, 3], [5])
    with pytest.raises(
        ArgumentError, match=r"^person=7: is not there, but person 5 \(3 frames\), person 0 \(2 frames"
    ):
        chosen("7")


def test_a_large_mistake_of_one_frame_is_not_the_largest() -> None:
    xy = people(30, np.array([[200, 300], [600, 320]]), np.array([[3, 0], [1, 0]])).reshape(-1, J, 2)
    person = np.tile([0, 1], 30)
    person[7], xy[7] = 2, 50 * xy[7]
    xy[1::2] *= 1.5
    assert set(person[choose("largest", person, {}, xy, np.zeros(xy.shape[:2], bool))]) == {1}
    assert isinstance(identify(keypoints(xy, np.repeat(np.arange(30), 2))), Identified)
