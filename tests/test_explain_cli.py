"""`minilift explain`: its table, its JSON and its picture say what the library finds; who looks alike."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Lifter, LiftModel, Poses
from minilift.cli.main import main
from minilift.errors import ArgumentError, InputError
from minilift.lift.explain import explain, jacobian
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature
from minilift.poses.nearest import nearest_shapes
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import save_poses, save_scale

ROW = r"^(\w+(?: \w+)?) +(\d+) +(\d+) to (\d+) +([+-]\d+) +(\(?[\d.]+\)?) +(\d+) "
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    people = synthesize(40, 6)
    save_poses("people.npz", Poses(people.joint_2d, people.joint_3d))
    save_scale("people_scale.npy", people.scale)
    rng = np.random.default_rng(0)
    points = rng.uniform(200, 600, (4, 17, 3)) * [1, 1, 0] + [0, 0, 0.9]
    points[2, 13:] = 0  # knees and ankles that were not found
    np.save("keypoints.npy", points)
    Lifter(LiftModel(1, 16, seed=3)).save("small")
    return tmp_path


def told(words: list[str], capsys: Capture) -> str:
    assert main(["explain", *words]) == 0, capsys.readouterr().err
    return str(capsys.readouterr().out)


def as_json(words: list[str], capsys: Capture) -> dict[str, Any]:
    found = json.loads(told([*words, "--json"], capsys))
    assert isinstance(found, dict)
    return found


def test_the_json_is_what_the_library_finds(folder: Path, capsys: Capture) -> None:
    found = as_json(["people.npz", "--frame", "7"], capsys)
    people, lifter = synthesize(40, 6), Lifter.load()
    image = people.joint_2d[7]
    wanted = explain(lifter, image)
    np.testing.assert_allclose(found["joint_3d"], lifter.predict(image), atol=1e-5)
    np.testing.assert_allclose(found["jacobian"], jacobian(lifter.model, image), atol=1e-3)
    np.testing.assert_allclose(found["expected_error"], lifter.trust(image).expected_error, rtol=1e-4)
    np.testing.assert_allclose(found["odds"], wanted.depths.odds, atol=1e-4)
    assert found["metres"] == pytest.approx(float(people.scale[7]))
    assert (found["frame"], found["unlike"], found["nearest"]) == (7, False, [])


def test_gains_are_how_far_a_joint_goes_at_most() -> None:
    found = explain(Lifter.load(), synthesize(1, 6).joint_2d[0])
    around = np.linspace(0, 2 * np.pi, 2000)
    circle = np.stack([np.cos(around), np.sin(around)])
    for i, j in ((11, 10), (5, 3), (8, 8)):
        far = np.linalg.norm(found.moves[i, :, j] @ circle, axis=0).max()
        assert found.gains[i, j] == pytest.approx(far, rel=1e-4)


def test_the_table_has_the_numbers_of_the_json(folder: Path, capsys: Capture) -> None:
    words = ["people.npz", "--frame", "3"]
    found, text = as_json(words, capsys), told(words, capsys)
    assert text.startswith("people.npz: frame 3, person 0; weights: the starting ones\n")
    rows = re.findall(ROW, text, re.MULTILINE)
    assert [row[0].replace(" ", "_") for row in rows] == list(COURSE15.joints)
    for j, (_, error, low, high, depth, turned, odds) in enumerate(rows):
        mm = 1000 * found["metres"]
        for shown, name in ((error, "expected_error"), (low, "low"), (high, "high"), (depth, "depth")):
            assert float(shown) == pytest.approx(mm * found[name][j], abs=0.51)
        searched = found["turned_by"][j]
        assert (searched is None) == turned.startswith("(")
        px = found["turned_by_linear"][j] if searched is None else searched
        assert float(turned.strip("()")) == pytest.approx(1000 * px, abs=0.06)
        assert float(odds) == pytest.approx(100 * found["odds"][j], abs=0.51)
    doubtful = [name for name, odds in zip(COURSE15.joints, found["odds"], strict=True) if odds >= 0.3]
    said = re.findall(r"^in doubt: the (\w+(?: \w+)?) is", text, re.MULTILINE)
    assert [name.replace(" ", "_") for name in said] == doubtful


def test_a_height_sets_the_scale_and_without_one_there_are_no_millimetres(
    folder: Path, capsys: Capture
) -> None:
    found = as_json(["keypoints.npy", "--height", "1.8"], capsys)
    bones = COURSE15.bone_lengths(np.array(found["joint_3d"])[None])
    assert found["metres"] * float(stature(bones)[0]) == pytest.approx(1.8, rel=1e-6)
    assert as_json(["keypoints.npy", "--distance", "4"], capsys)["metres"] == 4
    assert as_json(["keypoints.npy"], capsys)["metres"] is None
    text = told(["keypoints.npy"], capsys)
    assert " ‰" in text
    assert "mm" not in text


def test_weights_without_trust_and_without_missing_joints_say_so(folder: Path, capsys: Capture) -> None:
    text = told(["keypoints.npy", "--frame", "2", "--weights", "small"], capsys)
    assert "note: 4 joints were not seen; a standing person's are in their place" in text
    assert "without a trust file" in text
    found = as_json(["keypoints.npy", "--frame", "2"], capsys)  # the starting weights take them
    gone = [row for row, point in enumerate(found["joint_2d"]) if point == [None, None]]
    assert [COURSE15.joints[row] for row in gone] == ["right_knee", "right_ankle", "left_knee", "left_ankle"]
    assert not np.array(found["jacobian"])[:, :, gone].any()


def test_the_nearest_poses_and_how_far_they_are_from_the_answer(folder: Path, capsys: Capture) -> None:
    words = ["people.npz", "--frame", "5", "--data", "people.npz", "-k", "4"]
    found = as_json(words, capsys)
    nearest = found["nearest"]
    assert nearest[0]["row"] == 5
    assert nearest[0]["gap"] == pytest.approx(0, abs=1e-7)
    off = np.linalg.norm(np.array(found["joint_3d"]) - synthesize(40, 6).joint_3d[5], axis=1).mean()
    assert nearest[0]["apart"] == pytest.approx(off, abs=1e-6)
    people, ahead = synthesize(40, 6), np.array([0, 0, 1], "f4")
    joint_3d = (people.joint_3d + ahead) / 2 - ahead
    save_poses("far.npz", Poses(people.joint_2d / 2, joint_3d))  # the same people, half as large
    far = as_json([*words[:-3], "far.npz"], capsys)["nearest"][0]
    assert (far["row"], far["apart"]) == (5, pytest.approx(off, abs=1e-5))
    assert len(nearest) == 4
    assert "looks alike: row 5, its joints 0.0 px apart in the picture, and in 3D" in told(words, capsys)


def test_a_picture_is_drawn(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="drawing needs matplotlib")
    assert told(["people.npz", "--plot", "a.png"], capsys).endswith("wrote a.png\n")
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    as_json(["keypoints.npy", "--weights", "small", "--plot", "b.svg"], capsys)
    text = Path("b.svg").read_text(encoding="utf-8")
    assert "the distance" not in text or "‰" in text


def test_what_cannot_be_explained_is_refused(folder: Path, capsys: Capture) -> None:
    with pytest.raises(ArgumentError, match="joint_2d"):
        explain(Lifter.load(), np.zeros((2, 15, 2)))
    with pytest.raises(ArgumentError, match="take no missing joints"):
        explain(Lifter.load("small"), np.full((15, 2), np.nan))
    Lifter(LiftModel(1, 8, input_nodes=34, output_nodes=51)).save("other")
    with pytest.raises(InputError, match="15 joints"):
        explain(Lifter.load("other"), np.zeros((17, 2)))
    assert main(["explain", "people.npz", "--weights", "other"]) == 2
    assert "other: lifts 17 joints, not 15" in capsys.readouterr().err


def test_shapes_are_compared_at_one_size_by_the_joints_that_were_seen() -> None:
    rng = np.random.default_rng(2)
    known = rng.standard_normal((9000, 15, 2))  # more than a block
    known[17] = known[8000] * 2.0  # the same shape
    known[30] = 0  # no shape at all
    query = 0.5 * known[8000] + 1e-4 * rng.standard_normal((15, 2))
    rows, gaps = nearest_shapes(known, query, 3)
    assert set(rows[:2]) == {17, 8000}
    size = np.sqrt((query**2).sum() / 15)

    def gap(row: int, seen: slice = slice(None)) -> float:
        one, other = query[seen], known[row, seen]
        scale = [np.sqrt((points**2).sum() / len(points)) for points in (one, other)]
        return float(np.sqrt(((one - other * scale[0] / scale[1]) ** 2).sum() / len(one)))

    np.testing.assert_allclose(gaps, [gap(row) for row in rows])
    every = np.array([gap(row) for row in range(len(known)) if row != 30])
    np.testing.assert_allclose(gaps, np.sort(every)[:3])
    assert size > 0
    query[3:] = np.nan
    rows, gaps = nearest_shapes(known, query, 2)
    np.testing.assert_allclose(gaps, [gap(row, slice(3)) for row in rows])
    rows, gaps = nearest_shapes(known[:2], known[1], 5)
    assert rows.tolist() == [1, 0]
    with pytest.raises(ValueError, match="no joint was seen"):
        nearest_shapes(known, np.full((15, 2), np.nan), 1)
