"""The page of lifted people as a file: what is packed, what is left out, and that nothing breaks out."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import HOSTILE, Outline
from walkers import CAMERA_HEIGHT, DISTANCE, TILT, walkers

from minilift.errors import InputError
from minilift.poses.lens.camera import Camera
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip import stage, timeline
from minilift.show.clip.page import page

KINDS = {
    "at": ("<i4", ()), "root": ("<f4", (3,)), "reach_3d": ("<f4", ()), "middle": ("<f4", (2,)),
    "reach_2d": ("<f4", ()), "check": ("<f4", ()), "person": ("<u2", ()), "expected": ("<u2", (15,)),
    "joints": ("<i2", (15, 3)), "given": ("<i2", (16, 2)), "back": ("<i2", (16, 2)),
    "confidence": ("u1", (15,)), "state": ("u1", (15,)), "unlike": ("u1", ()),
}  # fmt: skip


def made(people: LiftedPeople, folder: Path, name: str = "clip.html") -> Outline:
    page.write_page(folder / name, people)
    return Outline((folder / name).read_text(encoding="utf-8"))


def unpacked(outline: Outline) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    scene, data, at, found = (
        json.loads(outline.scripts["scene"]),
        base64.b64decode(outline.scripts["packed"]),
        0,
        {},
    )
    for name, (kind, shape) in KINDS.items():
        count = scene["n"] * int(np.prod(shape))
        assert at % np.dtype(kind).itemsize == 0  # a typed array in the browser begins nowhere else
        found[name] = np.frombuffer(data, kind, count, at).reshape(scene["n"], *shape)
        at += count * np.dtype(kind).itemsize
    assert at == len(data)
    return scene, found


def flat(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    steps = found[name].astype(float)
    points = found["middle"][:, None] + steps * found["reach_2d"][:, None, None] / 32767
    return np.where(steps == -32768, np.nan, points)


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_packed_people_are_those_that_went_in(axes: str, tmp_path: Path) -> None:
    people, upright = walkers(60, axes=axes), walkers(60, axes="camera" if axes == "camera" else "y-up")
    scene, found = unpacked(made(people, tmp_path))
    joints = found["root"][:, None] + found["joints"] * found["reach_3d"][:, None, None] / 32767
    np.testing.assert_allclose(joints, upright.joint_3d, atol=1e-4)  # 0.1 mm, whatever the axes of the file
    np.testing.assert_array_equal(np.arange(100, 160)[found["at"]], people.frame)
    np.testing.assert_array_equal(found["person"], people.person)
    np.testing.assert_array_equal(found["state"], people.state)
    np.testing.assert_array_equal(found["unlike"], people.unlike)
    np.testing.assert_allclose(found["check"], people.check, rtol=1e-6)
    assert people.expected_error is not None
    expected = found["expected"] / 65534 * scene["most"]["expected"]
    np.testing.assert_allclose(expected, people.expected_error, atol=2e-6)
    sure = found["confidence"] / 254 * scene["most"]["confidence"]
    np.testing.assert_allclose(sure, people.confidence, atol=0.003)
    given = np.concatenate([people.joint_2d, people.root_2d[:, None]], axis=1)
    np.testing.assert_allclose(flat(found, "given"), given, atol=0.02)  # NaN where NaN is
    assert scene["frames"] == {"first": 100, "step": 1, "count": 60}
    assert scene["seconds"] == pytest.approx(1 / 25)
    assert scene["people"] == ["person 0", "person 1"]


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_the_3d_answer_projects_back_to_the_keypoints_on_the_page(axes: str, tmp_path: Path) -> None:
    people = walkers(60, axes=axes)
    outline = made(people, tmp_path)
    _, found = unpacked(outline)
    off = np.linalg.norm(flat(found, "back")[:, :15] - people.joint_2d, axis=2)
    assert people.check is not None
    mean = np.array([each[~mask].mean() for each, mask in zip(off, people.mask, strict=True)])
    np.testing.assert_allclose(mean, people.check, atol=0.03)
    assert f"<b>{people.check.mean():.3g} px</b>" in (tmp_path / "clip.html").read_text()


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_floor_and_camera_are_where_they_were(axes: str) -> None:
    found = stage.build(walkers(60, axes=axes))
    apex = [0, 0, 0] if axes == "camera" else [0, CAMERA_HEIGHT, DISTANCE]
    np.testing.assert_allclose(found.camera[0], apex, atol=1e-6)
    if axes != "camera":
        assert found.floor is not None
        assert found.floor.height == pytest.approx(0.05, abs=0.02)
        assert found.floor.tilt < 0.5
    assert 1.4 < found.height < 2
    ahead = found.camera[1:].mean(axis=0) - found.camera[0]
    assert ahead[2] < 0  # its picture lies towards the people
    assert np.linalg.norm(ahead) == pytest.approx(0.12 * DISTANCE, rel=0.15)
    assert found.camera[1, 1] > found.camera[3, 1]  # and its upper edge is up


@pytest.mark.parametrize("frames", [200, 15])
def test_the_floor_of_a_tilted_camera_lies_below_the_feet(frames: int) -> None:
    people = walkers(frames, axes="camera")
    floor = stage.build(people).floor
    assert floor is not None
    feet = people.joint_3d[:, [2, 5]]
    above = (feet[..., 1] - floor.under(feet)[..., 1]).min(axis=1)
    assert np.percentile(above, 10) == pytest.approx(0, abs=0.01)
    if frames == 200:
        assert floor.tilt == pytest.approx(TILT, abs=0.7)
        assert floor.slope_z < 0  # the camera looks down: the floor rises away from it
        assert np.percentile(np.abs(above), 90) < 0.06
    else:
        assert floor.tilt == 0  # too short to tell


def test_jumping_and_a_bad_frame_do_not_move_the_floor() -> None:
    people = walkers(200)
    people.joint_3d[50:90, :, 1] += 0.5
    people.root[50:90, 1] += 0.5
    people.joint_3d[120, :, 1] -= 30
    people.root[120, 1] -= 30
    floor = stage.build(people).floor
    assert floor is not None
    assert floor.tilt < 1
    assert floor.height == pytest.approx(0.05, abs=0.03)


def test_distortion_is_part_of_what_is_projected_back(tmp_path: Path) -> None:
    bent = replace(Camera.assumed((1280, 720)), distortion=(-0.2, 0.05, 0.001, -0.002, 0.0))
    people = walkers(20, axes="camera", camera=bent.as_dict())
    _, found = unpacked(made(people, tmp_path))
    np.testing.assert_allclose(flat(found, "back")[:, :15], bent.pixels(people.joint_3d), atol=0.02)


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    plain = made(replace(walkers(10), warnings=("a warning",)), tmp_path)
    names = {0: "</script><script>alert(1)</script>", 1: HOSTILE}
    words = {"format": HOSTILE, "layout": "<!--", "notes": (HOSTILE,), "warnings": (HOSTILE,)}
    people = replace(walkers(10), people=names, **words)
    outline = made(people, tmp_path, f"{HOSTILE.replace('/', '')}.html")
    assert outline.tags == plain.tags
    assert outline.scripts.keys() == plain.scripts.keys()
    assert json.loads(outline.scripts["scene"])["people"][1] == HOSTILE
    text = (tmp_path / f"{HOSTILE}.html").read_text()
    assert "<h1>&lt;img src=x onerror=alert(1)&gt;" in text


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    outline = made(walkers(10), tmp_path)
    policy = [value for name, value in outline.attributes if name == "content" and "default-src" in value]
    assert policy == [
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
    ]
    assert [value for name, value in outline.attributes if name in ("src", "href")] == []
    assert "import(" not in outline.scripts["code"] + outline.scripts["scene"]


def test_the_same_people_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        page.write_page(tmp_path / "same.html", walkers(10))
        (tmp_path / "same.html").rename(tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_sizes_are_as_the_docs_say(tmp_path: Path) -> None:
    assert page.write_page(tmp_path / "clip.html", walkers(300, 1)) == ()
    assert (tmp_path / "clip.html").stat().st_size < 250_000
    many = walkers(300, 1).take(np.resize(np.arange(250), 10_000))
    people = replace(many, frame=np.arange(10_000))
    assert page.write_page(tmp_path / "long.html", people) == ()
    assert (tmp_path / "long.html").stat().st_size < 5_000_000
    people = replace(many, frame=np.arange(10_000)).take(np.resize(np.arange(10_000), 50_000))
    notes = page.write_page(tmp_path / "longest.html", replace(people, frame=np.arange(50_000)))
    assert notes == ("every 3rd frame is shown: 16,667 of 50,000",)
    assert notes[0] in (tmp_path / "longest.html").read_text()
    assert (tmp_path / "longest.html").stat().st_size < 10_000_000


def test_thinned_frames_are_even_and_keep_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST", 40)
    scene, found = unpacked(made(walkers(60), tmp_path))
    assert scene["frames"] == {"first": 100, "step": 3, "count": 20}
    assert scene["seconds"] == pytest.approx(3 / 25)
    assert scene["n"] <= 40
    np.testing.assert_array_equal(np.unique(found["at"]), np.arange(20))


# ---- the timeline --------------------------------------------------------------------------------------


def at_frames(*frames: int, **changes: Any) -> LiftedPeople:
    people = walkers(len(frames), 1).take(slice(0, len(frames)))
    return replace(people, frame=np.array(frames), **changes)


@pytest.mark.parametrize(
    ("frames", "shown", "at", "seconds"),
    [
        ((0, 1, 2, 5), range(6), [0, 1, 2, 5], 0.04),
        ((10, 20, 50), (10, 20, 30, 40, 50), [0, 1, 4], 0.4),
        ((7,), (7,), [0], 0.04),
        ((3, 1, 2), (1, 2, 3), [0, 1, 2], 0.04),
        ((0, 1, 10**12), (0, 1, 10**12), [0, 1, 2], None),
    ],
)
def test_gaps_are_frames_too(frames: Any, shown: Any, at: list[int], seconds: float | None) -> None:
    found = timeline.timeline(at_frames(*frames), 100)
    np.testing.assert_array_equal(found.frames, list(shown))
    np.testing.assert_array_equal(found.at, at)
    assert found.seconds == (None if seconds is None else pytest.approx(seconds))
    assert bool(found.notes) == (seconds is None)


def test_stills_have_neither_gaps_nor_time() -> None:
    found = timeline.timeline(at_frames(5, 7, 10, stills=True), 100)
    np.testing.assert_array_equal(found.frames, [5, 7, 10])
    assert found.seconds is None


def test_of_a_crowd_those_seen_most_are_shown() -> None:
    people = walkers(30, 1).take(np.resize(np.arange(20), 1010))
    person = np.concatenate([np.arange(500), np.arange(400, 500), np.arange(410)])
    frame = np.concatenate([np.full(500, 1), np.full(100, 2), np.full(410, 3)])
    found = timeline.timeline(replace(people, person=person, frame=frame), 5000)
    kept = person[found.rows]
    assert len(set(kept)) == timeline.MOST_PEOPLE
    assert set(range(400, 410)) <= set(kept)  # in three frames
    assert found.notes == ("the 100 people seen most are shown, of 500",)


def test_no_one_to_show_is_an_error_of_one_line(tmp_path: Path) -> None:
    people = walkers(10)
    for nobody in (people.take(slice(0, 0)), replace(people, joint_3d=np.full_like(people.joint_3d, np.nan))):
        with pytest.raises(
            InputError, match=r"clip\.html: there is no one to show; give at least one person"
        ):
            page.write_page(tmp_path / "clip.html", nobody)
    assert not (tmp_path / "clip.html").exists()


def test_people_without_joints_scores_or_trust_are_no_obstacle(tmp_path: Path) -> None:
    people = walkers(10, expected_error=None, unlike=None, check=None, fps=None, size=None)
    people.joint_3d[3], people.root[3], people.joint_2d[3], people.root_2d[3] = (np.nan,) * 4
    people.confidence[:] = np.nan
    people.joint_2d[4], people.root_2d[4] = np.nan, np.nan  # placed without any keypoint
    scene, found = unpacked(made(people, tmp_path))
    assert scene["most"] == {"expected": None, "confidence": None}
    assert (found["joints"][3] == -32768).all()
    assert (found["given"][3] == -32768).all()
    assert np.isfinite(found["root"]).all()
    assert np.ptp(flat(found, "back")[4, :, 1]) > 100  # pixels: it is projected all the same
    assert scene["seconds"] is None
