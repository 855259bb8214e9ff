"""Which joints of a BVH file are the course's fifteen, and the length of its unit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bvh_texts import person
from conftest import ROOT

from minilift.errors import InputError
from minilift.poses.kinematics import joint_positions
from minilift.poses.layouts import COURSE15, JOINTS
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.bvh_joints import (
    LAYOUTS,
    UNITS,
    Layout,
    find_joints,
    from_hips,
    guess_unit,
    read_layouts,
)

MAPPING = ROOT.parent / "shared" / "data" / "bvh" / "joint_mapping.json"
MINE = {joint: f"my {joint}" for joint in JOINTS}
by_name = {layout.name: layout for layout in LAYOUTS}


def test_the_table_is_whole_and_left_is_left() -> None:
    assert set(by_name) == {"Bandai-Namco", "Poser", "MotionBuilder", "LAFAN1", "CMU", "Biovision"}
    for layout in LAYOUTS:
        assert len(set(layout.joints)) == len(layout.joints) == 15
        for row, other in enumerate(COURSE15.mirror):
            if row in COURSE15.left:
                swapped = layout.joints[row].replace("Left", "Right").replace("_L", "_R")
                swapped = "r" + swapped[1:] if swapped[0] == "l" else swapped
                assert layout.joints[other] == swapped != layout.joints[row]


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "a:b:"])
@pytest.mark.parametrize("name", by_name)
def test_every_known_skeleton_is_found_by_its_names(name: str, prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(person(by_name[name], prefix=prefix))
    clip = read_bvh(file)
    layout, rows = find_joints(file, clip.names)
    assert layout.name == name
    assert [clip.names[row].removeprefix(prefix) for row in rows] == list(by_name[name].joints)
    assert find_joints(file, [joint.upper() for joint in clip.names])[1] == rows


def test_the_particular_names_decide_between_kin() -> None:
    common = by_name["MotionBuilder"].joints
    for more, name, spine, neck in (
        ((), "MotionBuilder", "Spine", "Neck"),
        (("Spine1", "Spine2", "LeftToeBase"), "MotionBuilder", "Spine", "Neck"),
        (("Spine1", "Spine2", "LeftToe"), "LAFAN1", "Spine1", "Neck"),
        (("LowerBack", "Spine1", "Neck1"), "CMU", "Spine", "Neck1"),
    ):
        names = [*common, *more]
        layout, rows = find_joints("a.bvh", names)
        assert (layout.name, names[rows[6]], names[rows[7]]) == (name, spine, neck)


def test_joints_that_fit_nothing_are_listed() -> None:
    names = [name for name in by_name["Poser"].joints if name not in ("lHand", "rHand")]
    with pytest.raises(InputError) as caught:
        find_joints("a.bvh", ["hip\x1b", *names])
    message = str(caught.value)
    assert "a.bvh: no known skeleton; Poser is nearest, but lacks lHand, rHand; say which is which" in message
    assert "--map FILE.json; its joints: hip\\x1b, rThigh, rShin" in message
    with pytest.raises(InputError, match="two joints are named rHand; rename"):
        find_joints("a.bvh", [*by_name["Poser"].joints, "RHand"])


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text(json.dumps({**MINE, "root": "is not needed", "metres_per_file_unit": 0.5}))
    (layout,) = read_layouts(file)
    assert layout == Layout("map.json", tuple(MINE.values()), metres=0.5)
    assert find_joints("a.bvh", ["other", *MINE.values()], [layout])[1] == list(range(1, 16))
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"maps": {"a": MINE, "b": MINE}}).encode())
    assert [layout.name for layout in read_layouts(file)] == ["a", "b"]


def test_the_map_beside_the_real_clips() -> None:
    if not MAPPING.is_file():
        pytest.skip("the BVH clips (for local testing only) are not on this machine")
    first, second = read_layouts(MAPPING)
    assert first == replace(by_name["Bandai-Namco"], name="bandai", metres=0.01)
    assert second == replace(by_name["Poser"], name="cmu_poser", metres=0.01)


BAD = {
    "no JSON": ("{", "not JSON (Expecting property name"),
    "binary": (b"\xff\x00", "not JSON ("),
    "deep": ("[" * 100_000, "not JSON (nested too deep); write {"),
    "a list": ("[1]", "no map of joints; write {"),
    "maps of nothing": ('{"maps": 3}', "no map of joints"),
    "a map of nothing": ('{"maps": {"a": 3}}', "'a' is no map of joints"),
    "no joints": ("{}", "'m.json' names no BVH joint for right_hip, right_knee"),
    "a joint short": (json.dumps({**MINE, "neck": ""}), "'m.json' names no BVH joint for neck; name one"),
    "a number": (json.dumps({**MINE, "head": 3}), "'m.json' names no BVH joint for head"),
    "no unit": (json.dumps({**MINE, "metres_per_file_unit": 0}), "metres_per_file_unit must be above 0"),
    "a yes": (json.dumps({**MINE, "metres_per_file_unit": True}), "metres_per_file_unit must be"),
    "nan": ('{"metres_per_file_unit": NaN}', "metres_per_file_unit must be"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_maps_are_one_line(name: str, tmp_path: Path) -> None:
    text, expected = BAD[name]
    file = tmp_path / "m.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_layouts(file)
    assert f"m.json: {expected}" in str(caught.value)
    assert "\n" not in str(caught.value)


def standing(tmp_path: Path, cm: float) -> np.ndarray:
    file = tmp_path / "a.bvh"
    file.write_text(person(LAYOUTS[-1], cm=cm))
    clip = read_bvh(file)
    return joint_positions(clip, find_joints(file, clip.names)[1])


@pytest.mark.parametrize("size", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_of_an_adult(unit: str, size: float, tmp_path: Path) -> None:
    joints = standing(tmp_path, size * 0.01 / UNITS[unit])
    assert guess_unit("a.bvh", joints) == unit


@pytest.mark.parametrize(("cm", "says"), [(0.6, "legs of 48 units"), (5, "with --unit, for example 0.002")])
def test_no_unit_is_guessed_for_other_legs(cm: float, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        guess_unit("a.bvh", standing(tmp_path, cm))
    with pytest.raises(InputError, match=r"legs of 0 units are no adult's in metres, .* --unit$"):
        guess_unit("a.bvh", np.zeros((2, 15, 3)))


def test_from_hips() -> None:
    joints = np.random.default_rng(0).normal(size=(4, 15, 3))
    moved = from_hips(joints)
    np.testing.assert_allclose(moved[:, 0] + moved[:, 3], 0, atol=1e-15)
    np.testing.assert_allclose(np.diff(moved, axis=1), np.diff(joints, axis=1), atol=1e-14)
