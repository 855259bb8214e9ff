"""Lifted people as npz, CSV and JSON: every number comes back, in memory that does not grow with them."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from walkers import walkers

from minilift.errors import ArgumentError, InputError
from minilift.files.npz import read_npz
from minilift.poses.joint_state import WORDS
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.write.people.document import write_json
from minilift.poses.write.people.formats import PEOPLE_FORMATS, people_format
from minilift.poses.write.people.npz import read_people, write_npz_people
from minilift.poses.write.people.rows import COLUMNS, People, PeopleSpool, Written, typed
from minilift.poses.write.people.tables import LONG, WIDE, write_long, write_wide

OUTPUTS = (ROOT / "docs" / "outputs.md").read_text() if (ROOT / "docs" / "outputs.md").exists() else ""
STREAMED = (("npz", write_npz_people), ("csv", write_wide), ("long", write_long), ("json", write_json))


def people(frames: int = 30, **changes: Any) -> LiftedPeople:
    """Two people, one of whom has a row without any joint."""
    made = walkers(frames, 2)
    on_video = {"times": made.frame / 25 + 0.001 * (made.frame % 3), "media": "clips/walk.mp4"}
    made = typed(replace(made, **{"people": {1: 'Ann, or "Bo"'}, **on_video, **changes}))
    for name in ("joint_3d", "root", "joint_2d", "confidence"):
        getattr(made, name)[3] = np.nan
    return made


def spooled(whole: LiftedPeople, folder: Path, size: int = 7) -> PeopleSpool:
    spool = PeopleSpool(folder)
    for start in range(0, len(whole), size):
        spool.add(whole.take(slice(start, start + size)))
    return spool


def same(a: LiftedPeople, b: LiftedPeople) -> None:
    for name in COLUMNS:
        one, other = getattr(a, name), getattr(b, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert (one.dtype, one.shape) == (other.dtype, other.shape), name
            assert one.tobytes() == other.tobytes(), name
    for name in (
        "axes",
        "unit",
        "layout",
        "format",
        "fps",
        "size",
        "stills",
        "rays",
        "camera",
        "people",
        "media",
    ):
        assert getattr(a, name) == getattr(b, name), name
    assert (a.notes, a.warnings) == (b.notes, b.warnings)
    np.testing.assert_array_equal(a.to_camera, b.to_camera)


NOT_KNOWN = {
    "expected_error": None,
    "unlike": None,
    "check": None,
    "times": None,
    "media": None,
    "fps": None,
    "size": None,
    "notes": (),
}


@pytest.mark.parametrize("changes", [{}, NOT_KNOWN], ids=["all known", "little known"])
def test_npz_comes_back_to_the_bit(changes: dict[str, Any], tmp_path: Path) -> None:
    whole = people(**changes)
    written = write_npz_people(tmp_path / "a.npz", whole)
    same(read_people(tmp_path / "a.npz"), whole)
    assert written.files == (tmp_path / "a.npz",)
    assert bool(written.notes) == bool(changes)


def test_npz_of_no_rows(tmp_path: Path) -> None:
    nothing = people().take(slice(0, 0))
    write_npz_people(tmp_path / "a.npz", nothing)
    same(read_people(tmp_path / "a.npz"), nothing)


KEYS = {"joint_3d", "joint_2d", "frame", "person", "confidence", "mask", "expected_error", "unlike"}
TEXTS = {"axes": "y-up", "unit": "m", "layout": "body25", "format": "openpose"}


def test_npz_has_the_keys_of_the_docs_without_pickle(tmp_path: Path) -> None:
    whole = people()
    write_npz_people(tmp_path / "a.npz", whole)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert found.keys() >= KEYS
        assert {name: str(found[name]) for name in TEXTS} == TEXTS
        assert found["joint_names"].tolist() == list(COURSE15.joints)
        assert found["joint_3d"].shape == (len(whole), 15, 3)
        np.testing.assert_array_equal(found["mask"], whole.mask)
        for name in found:
            assert f"`{name}`" in OUTPUTS, name


def test_unknown_trust_is_nan_and_false(tmp_path: Path) -> None:
    write_npz_people(tmp_path / "a.npz", people(expected_error=None, unlike=None))
    found = read_npz(tmp_path / "a.npz", (tmp_path / "a.npz").read_bytes())
    assert np.isnan(found["expected_error"]).all()
    assert found["expected_error"].shape == found["mask"].shape
    assert not found["unlike"].any()


@pytest.mark.parametrize(("name", "write"), STREAMED)
def test_blocks_give_the_same_bytes(
    name: str, write: Callable[[Path, People], Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = people()
    write(tmp_path / "whole", whole)
    monkeypatch.setattr("minilift.poses.write.people.rows.AT_ONCE", 11)  # within a frame, too
    write(tmp_path / "parts", spooled(whole, tmp_path))
    write(tmp_path / "cut", whole)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cut", "parts", "whole"]


def test_a_spool_gives_back_what_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = people(expected_error=None)
    spool = spooled(whole, tmp_path)
    same(spool.whole(), whole)
    monkeypatch.setattr("minilift.poses.write.people.rows.AT_ONCE", 11)
    next(spool.blocks())
    spool.add(whole)  # after a part of it was read
    assert len(spool) == len(spool.whole()) == 2 * len(whole)
    np.testing.assert_array_equal(spool.whole().frame[len(whole) :], whole.frame)


@pytest.mark.parametrize(("name", "value"), [("unit", "root-depth"), ("unlike", None), ("fps", 50.0)])
def test_blocks_that_do_not_belong_together_are_refused(name: str, value: Any, tmp_path: Path) -> None:
    spool = spooled(people(), tmp_path)
    with pytest.raises(ArgumentError, match=name):
        spool.add(replace(people(), **{name: value}))
    with pytest.raises(ArgumentError, match="no block"):
        _ = PeopleSpool(tmp_path).head


@pytest.mark.parametrize(("name", "write"), STREAMED)
def test_memory_does_not_grow_with_rows(
    name: str, write: Callable[[Path, People], Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minilift.poses.write.people.rows.AT_ONCE", 64)
    block, spool = people(32), PeopleSpool(tmp_path)
    peaks = []
    for rounds in (8, 56):
        for _ in range(rounds):
            spool.add(block)
        tracemalloc.start()
        write(tmp_path / "out", spool)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 20_000, peaks  # with eight times the rows


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"joint_3d": None}, "no key joint_3d"),
        ({"state": np.zeros((3, 15), np.uint8)}, "state is"),
        ({"root": np.zeros((60, 3))}, "root is"),
        ({"camera": np.array("[" * 100_000)}, "settings that cannot be read"),
        ({"camera": np.array("{")}, "settings that cannot be read"),
        ({"size": np.arange(3)}, "settings that cannot be read"),
        ({"frame": np.array(3)}, "is"),
    ],
)
def test_a_file_that_holds_no_people_is_one_line(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    write_npz_people(tmp_path / "a.npz", people())
    with np.load(tmp_path / "a.npz") as found:
        content = {**found, **change}
    np.savez(tmp_path / "b.npz", **{name: array for name, array in content.items() if array is not None})
    with pytest.raises(InputError, match=told) as problem:
        read_people(tmp_path / "b.npz")
    assert "\n" not in str(problem.value)


# ---- CSV -----------------------------------------------------------------------------------------------


def table(path: Path) -> tuple[list[str], list[list[str]]]:
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def numbers(rows: list[list[str]], names: list[str], wanted: list[str]) -> np.ndarray:
    places = [names.index(name) for name in wanted]
    return np.array([[float(row[place] or "nan") for place in places] for row in rows])


def test_wide_csv_has_every_number(tmp_path: Path) -> None:
    whole = people()
    write_wide(tmp_path / "a.csv", whole)
    names, rows = table(tmp_path / "a.csv")
    assert tuple(names) == WIDE
    assert "nan" not in (tmp_path / "a.csv").read_text()
    assert {len(row) for row in rows} == {len(WIDE)}
    joints = [f"{joint}_{axis}" for joint in COURSE15.joints for axis in "xyz"]
    found = numbers(rows, names, joints)
    np.testing.assert_allclose(found, whole.joint_3d.reshape(len(whole), 45), atol=5e-6)
    assert np.isnan(found[3]).all()
    np.testing.assert_array_equal(numbers(rows, names, ["frame", "person"])[:, 1], whole.person)
    errors = [f"{joint}_expected_error" for joint in COURSE15.joints]
    np.testing.assert_allclose(numbers(rows, names, errors), whole.expected_error, rtol=1e-5)
    states = [row[names.index("left_knee_state")] for row in rows]
    assert states == [WORDS[number] for number in whole.state[:, COURSE15.index("left_knee")]]
    assert {(row[2], row[3]) for row in rows} == {("m", "y-up")}


def test_long_csv_has_every_joint(tmp_path: Path) -> None:
    whole = people(unlike=None)
    write_long(tmp_path / "a.csv", whole)
    names, rows = table(tmp_path / "a.csv")
    assert tuple(names) == LONG
    assert "nan" not in (tmp_path / "a.csv").read_text()
    assert len(rows) == 16 * len(whole)
    assert [row[2] for row in rows[:16]] == ["root", *COURSE15.joints]
    found = numbers(rows, names, ["x", "y", "z"]).reshape(-1, 16, 3)
    np.testing.assert_allclose(found[:, 0], whole.root, atol=5e-6)
    np.testing.assert_allclose(found[:, 1:], whole.joint_3d, atol=5e-6)
    sure = numbers(rows, names, ["confidence"]).reshape(-1, 16)
    np.testing.assert_allclose(sure[:, 1:], whole.confidence, rtol=1e-5)
    assert {row[names.index("unlike")] for row in rows} == {""}


# ---- JSON ----------------------------------------------------------------------------------------------

# What every key may be: one of these types, or a list of any number of one kind
NUMBER = (float, int, type(None))
PERSON: dict[str, Any] = {
    "person": (int,),
    "unlike": (bool, type(None)),
    "root": [NUMBER],
    "joint_3d": [[NUMBER]],
    "root_2d": [NUMBER],
    "joint_2d": [[NUMBER]],
    "confidence": [NUMBER],
    "expected_error": [NUMBER],
    "check": NUMBER,
    "state": [(str,)],
}
TOP = {
    *("schema", "version", "unit", "axes", "to_camera", "fps", "size", "layout", "format", "camera"),
    *("stills", "rays", "joints", "parents", "names", "body", "notes", "warnings", "frames"),
    "media",
}
LENGTHS = {"root": 3, "root_2d": 2, "joint_3d": 15, "joint_2d": 15, "confidence": 15, "state": 15}


def fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return type(value) in kind
    return isinstance(value, list) and all(fits(item, kind[0]) for item in value)


def test_json_is_what_its_schema_says(tmp_path: Path) -> None:
    whole = people()
    write_json(tmp_path / "a.json", whole)
    text = (tmp_path / "a.json").read_text()
    assert "NaN" not in text
    found = json.loads(text)
    assert found.keys() == TOP
    assert (found["schema"], found["version"]) == ("minilift people", 1)
    assert found["names"] == {"1": 'Ann, or "Bo"'}
    assert [frame["frame"] for frame in found["frames"]] == np.unique(whole.frame).tolist()
    rows = []
    for frame in found["frames"]:
        assert frame.keys() == {"frame", "time", "people"}
        assert frame["time"] == pytest.approx(whole.times[whole.frame == frame["frame"]][0])
        for person in frame["people"]:
            assert person.keys() == PERSON.keys()
            for name, value in person.items():
                assert fits(value, PERSON[name]), (name, value)
                assert len(value) == LENGTHS[name] if name in LENGTHS else True
            rows.append(person)
    assert [row["person"] for row in rows] == whole.person.tolist()
    joints = np.array([row["joint_3d"] for row in rows], float)  # None is NaN
    np.testing.assert_allclose(joints, whole.joint_3d, atol=1e-6)
    assert rows[3]["root"] == [None] * 3
    assert [row["unlike"] for row in rows] == whole.unlike.tolist()  # type: ignore[union-attr]
    for key in TOP | PERSON.keys() | {"frame", "time", "people"}:
        assert f"`{key}`" in OUTPUTS, key


def test_json_of_what_is_not_known_has_the_same_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", people(**NOT_KNOWN))
    found = json.loads((tmp_path / "a.json").read_text())
    person = found["frames"][0]["people"][0]
    assert person.keys() == PERSON.keys()
    assert (person["unlike"], person["check"], person["expected_error"]) == (None, None, None)
    assert found["fps"] is None
    write_json(tmp_path / "b.json", people().take(slice(0, 0)))
    assert json.loads((tmp_path / "b.json").read_text())["frames"] == []


# ---- the table -----------------------------------------------------------------------------------------


def test_formats_by_name() -> None:
    assert people_format("csv-long").suffix == ".long.csv"
    with pytest.raises(ArgumentError, match="one of npz, csv, csv-long, json"):
        people_format("fbx")
    assert len({row.suffix for row in PEOPLE_FORMATS}) == len(PEOPLE_FORMATS)
    for row in PEOPLE_FORMATS:
        assert f"`{row.name}`" in OUTPUTS


@pytest.mark.parametrize("name", [row.name for row in PEOPLE_FORMATS if row.name != "c3d"])
def test_what_was_written_is_no_input(name: str, tmp_path: Path) -> None:
    row = people_format(name)
    one = people(6)
    row.write(tmp_path / f"a{row.suffix}", one.take(one.person == 0))
    with pytest.raises(InputError, match="is a glTF file, not" if name == "glb" else "3D already"):
        load_keypoints(tmp_path / f"a{row.suffix}")


def test_what_a_format_may_replace_is_known_before_it_is_written(tmp_path: Path) -> None:
    one, several = people(4), tmp_path / "a.bvh"
    for name in ("ab_person1.bvh", "a_person.bvh", "a_person1.trc", "a_person1.bvh.old"):
        (tmp_path / name).touch()
    bvh = people_format("bvh")
    assert bvh.there(several) == bvh.there(tmp_path / "none" / "a.bvh") == []
    written = bvh.write(several, one)
    assert bvh.there(several) == list(written.files)
    several.touch()
    assert bvh.there(several) == [several, *written.files]
    assert people_format("npz").there(several) == [several]
