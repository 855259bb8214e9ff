"""What lies around MediaPipe's networks: pieces of pictures, boxes, doubles, and files that are none."""

from __future__ import annotations

import math
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.video.detect import open_detector
from minilift.video.detect.doubles import MAIN, different, is_double, off_bones
from minilift.video.detect.finder import anchors, groups
from minilift.video.detect.landmarks import LAYOUT, Landmarks, refined
from minilift.video.detect.mediapipe import networks
from minilift.video.detect.regions import Region, around, cut, smaller
from minilift.video.detect.search import believed, look, squares

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_square_is_the_turned_piece(turns: int) -> None:
    pytest.importorskip("PIL")
    piece = cut(NOISE, Region(40, 30, 20, turns * math.pi / 2), 20)
    apart = np.abs(piece.astype(int) - np.rot90(NOISE[20:40, 30:50], turns))
    assert apart.max() <= (turns > 0)  # a sine of 1e-16 rounds some values down


def test_beyond_the_picture_is_black_and_smaller_is_the_mean() -> None:
    pytest.importorskip("PIL")
    piece = cut(NOISE, Region(0, 0, 20), 20)
    assert np.array_equal(piece[10:, 10:], NOISE[:10, :10])
    assert not piece[:10].any()
    assert not piece[:, :10].any()
    assert not cut(NOISE, Region(500, 30, 20), 20).any()
    half = cut(NOISE, Region(40, 30, 40), 20)
    assert np.abs(half - NOISE[10:50, 20:60].reshape(20, 2, 20, 2, 3).mean(axis=(1, 3))).max() <= 0.5
    small, times = smaller(NOISE, 40)
    assert (small.shape, times) == ((30, 40, 3), 2)
    assert smaller(NOISE, 80)[1] == 1


def test_points_of_a_square_are_those_of_the_picture() -> None:
    region = around(np.array([40.0, 30.0]), np.array([50.0, 30.0]))  # the head is at the right
    assert region is not None
    assert region.size == pytest.approx(25)
    assert region.inside(np.array([0.5, 0.5])) == pytest.approx([40, 30])
    assert region.inside(np.array([0.5, 0.1])) == pytest.approx([50, 30])  # up in it is right in the picture
    assert around(np.array([40.0, 30.0]), np.array([40.0, 30.0])) is None
    assert around(np.array([40.0, 30.0]), np.array([np.nan, 30.0])) is None


def test_the_squares_cover_the_picture() -> None:
    found = squares(1000, 600, (0.7, 0.5, 0.1))
    assert found[0] == Region(500, 300, 1000)
    assert {round(one.size) for one in found} == {1000, 700, 500}  # 100 pixels are fewer than the network has
    for size in (700, 500):
        parts = [one for one in found if round(one.size) == size]
        for x, y in ((0, 0), (999, 599), (333, 421), (999, 0)):  # far from an edge of one of them
            assert any(max(abs(x - one.x), abs(y - one.y)) <= size / 4 for one in parts)
    assert squares(1, 1, (0.5,)) == [Region(0.5, 0.5, 1)]


def test_anchors_and_boxes() -> None:
    places = anchors()
    assert places.shape == (2254, 2)
    assert places[[0, 1, 2]].tolist() == [[0.5 / 28, 0.5 / 28]] * 2 + [[1.5 / 28, 0.5 / 28]]
    assert places[-1].tolist() == [6.5 / 7, 6.5 / 7]
    middle, size = np.array([[0.5, 0.5], [0.52, 0.5], [0.9, 0.9], [0.51, 0.5]]), np.full((4, 2), 0.1)
    found = groups(middle, size, np.array([0.6, 0.9, 0.7, 0.8]))
    assert [list(rows) for rows in found] == [[1, 3, 0], [2]]
    assert groups(middle[:0], size[:0], np.zeros(0)) == []


def test_landmarks_move_to_where_the_heat_is() -> None:
    heat = np.full((64, 64, 39), -100.0)
    heat[20, 11, 0] = heat[20, 13, 0] = 100.0
    heat[40, 40, 1] = -1.0  # not hot enough
    unit = np.full((39, 2), 0.9)
    unit[:3] = (10.5 / 64, 21.5 / 64), (40.5 / 64, 40.5 / 64), (-0.2, 1.3)
    found = refined(unit, heat)
    assert found[0] == pytest.approx([12 / 64, 20 / 64])
    assert np.array_equal(found[1:], unit[1:])


def standing(x: float = 200.0, y: float = 300.0, height: float = 400.0, **more: float) -> Landmarks:
    """Somebody whose mid-hip is there, arms hanging."""
    places = {"nose": (0, -0.4), "shoulder": (0.1, -0.3), "elbow": (0.14, -0.12), "wrist": (0.15, 0.04)}
    places |= {"hip": (0.06, 0), "knee": (0.06, 0.25), "ankle": (0.06, 0.48)}
    xy = np.zeros((len(LAYOUT), 2))
    for i, name in enumerate(LAYOUT.joints):
        side, _, joint = name.partition("_")
        right, down = places.get(joint, places["nose"])
        xy[i] = x + (right if side == "left" else -right) * height, y + down * height
    where = Region(x, y, 1.25 * height)
    votes, sure = int(more.get("votes", 10)), more.get("sure", 1.0)
    return Landmarks(xy, np.ones(len(xy), np.float32), sure, where, np.zeros((len(xy), 3)), votes)


@pytest.mark.parametrize(
    ("other", "double"),
    [
        (standing(205, 303, 410), True),
        (standing(200, 220, 200), True),  # the same head, half as large
        (standing(200, 395, 170, votes=3), True),  # in the legs, which speak for nobody
        (standing(200, 395, 170, votes=9), False),  # a child that stands in front
        (standing(246, 420, 170, votes=2), True),  # half of it in the legs, and hardly ever found
        (standing(246, 420, 170, votes=3), False),
        (standing(203, 325, 400), True),  # as large, and all of it on the body of the first
        (standing(300, 300, 400), False),
        (standing(200, 760, 400, votes=1), False),
    ],
)
def test_doubles(other: Landmarks, double: bool) -> None:
    first = standing(votes=12)
    assert is_double(other, first) == double
    assert different([other, first]) == ([first] if double else [first, other])
    assert not is_double(replace(other, region=None), first)


def test_distance_from_bones() -> None:
    joints = standing().xy[MAIN]
    points = np.array(
        [joints[9], (joints[7] + joints[9]) / 2, joints[11] + (0, 30)]
    )  # a knee, a thigh, below
    assert off_bones(points, joints) == pytest.approx([0, 0, 30], abs=1e-9)


class Networks:
    """Stand-ins for the two networks: they find somebody wherever they look."""

    def __init__(self, person: Landmarks, moved: float = 0.0, sure: tuple[float, ...] = (1.0, 1.0, 1.0)):
        self.person, self.moved, self.sure, self.calls = person, moved, sure, 0

    def __call__(self, image: np.ndarray, where: Region, mirror: bool = False) -> Landmarks:
        self.calls += 1
        sure = self.sure[(self.calls - 1) % len(self.sure)]
        return replace(self.person, xy=self.person.xy + self.moved * mirror, sure=sure)


@pytest.mark.parametrize(
    ("networks", "found"),
    [
        (Networks(standing(votes=0)), True),
        (Networks(standing(votes=0), moved=40.0), False),  # in a mirror it is elsewhere
        (Networks(standing(votes=0), sure=(0.9, 0.9, 0.9)), False),
        (Networks(standing(votes=0), sure=(0.95, 0.95, 0.95)), True),
        (Networks(standing(votes=0), sure=(0.4, 1.0, 1.0)), False),
        (Networks(standing(-500, votes=0)), False),  # all of it beyond the picture
        (Networks(replace(standing(votes=0), score=np.zeros(33, np.float32))), False),
        (Networks(replace(standing(votes=0), region=None)), False),
    ],
)
def test_who_is_believed(networks: Networks, found: bool) -> None:
    image = np.zeros((600, 400, 3), np.uint8)
    person = believed(image, networks, Region(200, 300, 500))  # type: ignore[arg-type]
    assert (person is not None) == found


def test_one_person_in_many_squares_is_found_once() -> None:
    pytest.importorskip("PIL")
    from minilift.video.detect.finder import Candidate

    image, person = np.zeros((600, 400, 3), np.uint8), standing(votes=0)

    def finder(image: np.ndarray, where: Region) -> list[Candidate]:
        assert person.region is not None
        return [Candidate(person.region, 0.9), Candidate(replace(person.region, x=350.0), 0.7)]

    found = look(image, finder, Networks(person), squares(400, 600, (0.7,)))  # type: ignore[arg-type]
    assert [one.votes for one in found] == [len(squares(400, 600, (0.7,)))]
    assert look(image, finder, Networks(person), [Region(200, 300, 600)]) == []  # type: ignore[arg-type]
    once = look(image, finder, Networks(person), [Region(200, 300, 600)], least=1)  # type: ignore[arg-type]
    assert [one.votes for one in once] == [1]
    assert look(image, finder, Networks(person), [Region(200, 300, 600)], (), 9, 1, 1.01) == []  # type: ignore[arg-type]
    large = np.zeros((6000, 4000, 3), np.uint8)  # in which the same person is small, and seldom found
    assert len(look(large, finder, Networks(person), [Region(200, 300, 600)])) == 1  # type: ignore[arg-type]
    strayed = Networks(replace(person, region=Region(40, 300, 100)))  # to where nothing was found
    assert look(image, finder, strayed, squares(400, 600, (0.7,))) == []  # type: ignore[arg-type]
    again = look(image, finder, Networks(standing(320, votes=0)), [], known=found)  # type: ignore[arg-type]
    assert again == found


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^detector=hand: must be one of mediapipe"):
        open_detector("hand", still=True)
    (tmp_path / "text.task").write_text("no zip file")
    with zipfile.ZipFile(tmp_path / "other.task", "w") as file:
        file.writestr("hand_detector.tflite", b"x")
    for name in ("text.task", "other.task"):
        with pytest.raises(InputError, match=rf"{name}: not a pose landmarker of MediaPipe; give pose_landm"):
            networks(tmp_path / name)
    with pytest.raises(InputError, match=r"none\.task: no such file"):
        networks(tmp_path / "none.task")
    with pytest.raises(InputError, match="is a folder"):
        networks(tmp_path)
    newer = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: newer)
    with pytest.raises(
        InputError, match=r"this MediaPipe has no networks inside; pip install 'minilift\[video\]'"
    ):
        networks(None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"MediaPipe is not installed; pip install 'minilift\[video\]'"):
        networks(None)
