"""Which joints of a clip are the course's, whatever its skeleton calls them, and the length of its unit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bvh_texts import BANDAI, POSER, person
from conftest import CMU_TAKES, ROOT
from skeleton_trees import ROWS, built, place

from minilift.errors import InputError
from minilift.poses.layouts import COURSE15, JOINTS
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.detect import read_clip
from minilift.poses.read.joints.families import FAMILIES
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.found import FoundJoints
from minilift.poses.read.joints.maps import JointMap, find_mapped, read_maps
from minilift.poses.read.joints.names import meanings
from minilift.poses.read.joints.units import UNITS, guess_unit
from minilift.poses.read.kinematics import joint_positions

CLIPS = ROOT.parent / "shared" / "data" / "bvh"
MAPPING = CLIPS / "joint_mapping.json"
MINE = {joint: f"my {joint}" for joint in JOINTS}


def find(tree: tuple[list[str], list[int], np.ndarray], bone_ends: bool = False) -> FoundJoints:
    return find_joints("a.bvh", *tree, bone_ends=bone_ends)


def where(found: FoundJoints, tree: tuple[list[str], list[int], np.ndarray]) -> dict[str, np.ndarray]:
    """The course's joints of a skeleton at rest."""
    _, parents, offsets = tree
    at = np.zeros((len(offsets) + 1, 3))
    for row, parent in enumerate(parents):
        at[row] = at[parent] + offsets[row]
    return dict(zip(JOINTS, found.place(at[None, list(found.rows)])[0], strict=True))


def without(
    tree: tuple[list[str], list[int], np.ndarray], *gone: str
) -> tuple[list[str], list[int], np.ndarray]:
    """A skeleton less some joints; what hung from them hangs from what they hung from."""
    names, parents, offsets = tree
    offsets, parents = offsets.copy(), list(parents)
    for row, parent in enumerate(parents):
        while parent >= 0 and names[parent] in gone:
            offsets[row] += offsets[parent]
            parent = parents[parent]
        parents[row] = parent
    kept = [row for row, name in enumerate(names) if name not in gone]
    new = {row: i for i, row in enumerate(kept)} | {-1: -1}
    return [names[row] for row in kept], [new[parents[row]] for row in kept], offsets[kept]


@pytest.mark.parametrize("name", ROWS)
def test_every_family_is_found_by_its_names(name: str) -> None:
    row, tree = ROWS[name], built(ROWS[name])
    found = find(tree, row.bone_ends)
    spine, *middle = found.shares[6:9]
    assert [tree[0][share[0][0]] for share in middle] == [row.neck, row.head]
    assert found.skeleton == (row.family or name)
    if row.spine:
        assert (tree[0][spine[0][0]], len(spine), found.notes) == (row.spine, 1, ())
    else:
        assert found.notes[0].startswith("spine estimated: between ")
        np.testing.assert_allclose(where(found, tree)["spine"], place("t38", 0), atol=1e-9)
    for joint, at in where(found, tree).items():
        side, _, part = joint.rpartition("_")
        if part != "spine":
            expected = place(part, {"left": 1, "right": -1, "": 0}[side])
            np.testing.assert_allclose(at, expected, atol=1e-9, err_msg=f"{joint} of {name}")


def test_no_family_is_without_a_row() -> None:
    assert {name for name, _ in FAMILIES} <= {row.family or name for name, row in ROWS.items()}


def test_the_page_says_what_is_found() -> None:
    page = (ROOT / "docs" / "joint-names.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (.+?) \| (.+, .+, .+) \| (.+) \| (.+) \|$", page, re.MULTILINE)[1:]
    assert {name for name, _ in FAMILIES} <= {line[0] for line in lines}
    for name, *limbs in lines:
        tree = built(ROWS[name])
        shares = find(tree, ROWS[name].bone_ends).shares
        named = [" / ".join(tree[0][row] for row, _ in share) for share in shares]
        named[6] = named[6].replace(f"{named[3]} / {named[0]}", "mid-hip")
        assert limbs == [", ".join(named[first : first + 3]) for first in (3, 9, 6)], name


@pytest.mark.parametrize("change", [str.upper, str.lower])
@pytest.mark.parametrize("name", [name for name in ROWS if name != "Second Life"])  # mHip is known by its H
def test_capitals_say_nothing_where_words_are_apart(name: str, change: type[str]) -> None:
    row, (names, parents, offsets) = ROWS[name], built(ROWS[name])
    found = find((names, parents, offsets), row.bone_ends)
    assert find(([change(n) for n in names], parents, offsets), row.bone_ends).shares == found.shares


def test_the_real_clips_are_where_they_should_be() -> None:
    if not CLIPS.is_dir():
        pytest.skip("the BVH clips (for local testing only) are not on this machine")
    files = sorted(CLIPS.glob("*.bvh"))
    assert len(files) == 8
    for file in files:
        clip = read_bvh(file)
        found = find_joints(file, clip.names, clip.parents, clip.offsets)
        positions = joint_positions(clip, found.rows)
        expected = np.load(file.with_name(f"{file.stem}_expected.npy"))[:, 1:]
        np.testing.assert_allclose(found.place(positions) / 100, expected, atol=1e-6)  # seen 2.4e-7
        assert found.described(positions) == ("Poser and DAZ" if "cmu" in file.stem else "Bandai-Namco")


# In .asf files, where a joint is the end of its bone, and in CMU's .bvh: the same places, but for the head,
# which is 10 cm lower there
CMU_JOINTS = {
    "amc": "hipjoint femur tibia lowerback lowerneck head clavicle humerus radius",
    "bvh": "UpLeg Leg Foot Spine Neck1 Head Arm ForeArm Hand",
}


@pytest.mark.parametrize("take", [name for name in CMU_TAKES if not name.endswith(".asf")])
def test_cmu_takes_of_both_forms_have_the_same_joints(take: str, cmu: Path) -> None:
    clip = read_clip(cmu / take)
    found = find_joints(take, clip.names, clip.parents, clip.offsets, clip.bones)
    names = [clip.names[row] for ((row, _),) in found.shares]
    expected, own = CMU_JOINTS[take[-3:]].split(), take.endswith("amc")
    for side, first, arm in (("r" if own else "Right", 0, 12), ("l" if own else "Left", 3, 9)):
        assert names[first : first + 3] == [side + part for part in expected[:3]]
        assert names[arm : arm + 3] == [side + part for part in expected[6:]]
    assert names[6:9] == expected[3:6]
    assert (found.skeleton, found.notes) == ("CMU" if own else "CMU by cgspeed", ())


NAMES = """
left upleg:      LeftUpLeg, mixamorig:LeftUpLeg, UpLegLeft, left_up_leg_jnt, Character1_LeftUpLeg, LEFTUPLEG
left thigh:      lThigh, thigh_l, Bip001_L_Thigh, ValveBiped.Bip01_L_Thigh, Bip01 L Thigh, ORG-thigh.L
right upperarm:  DEF-upper_arm.R, CC_Base_R_Upperarm, UpperArm_R, a:b:RightUpperArm, RIGHT_UPPER_ARM
right upperarm1: upperarm01.R, upper_arm.R.001
left femur:      lfemur, LFemur, L_femur
right hipjoint:  RHipJoint, rhipjoint
right arm:       rarm, RArm, rightarm, Armature|mixamorigRightArm
left hip:        hipleft, HipLeft, lhip, L_Hip
 hips:           Hips, mixamorig1:Hips, Armature|mixamorigHips
 spine1:         Spine1, spine_01, DEF-spine.001, mixamorig_Spine1
 lowerback:      lowerback, LowerBack
 leg:            leg
 root:           Root
 ribs:           Ribs
left 5:          L5
left :           Left
 :               _, 左腕
"""


@pytest.mark.parametrize("line", NAMES.strip("\n").splitlines())
def test_what_a_name_means(line: str) -> None:
    expected, names = line.split(":", 1)
    for name in names.split(","):
        (found,) = meanings([name.strip()])
        assert (found.side, found.part) == tuple(expected.split(" ", 1)), name


def test_controls_of_a_rig_are_left_aside() -> None:
    tree = built(ROWS["Rigify"])
    names, parents, offsets = tree
    twins = [name.replace("DEF-", "ORG-") for name in names]
    doubled = (
        twins + names,
        parents + [p + len(names) if p >= 0 else 0 for p in parents],
        np.vstack([offsets] * 2),
    )
    found = find(doubled)
    assert all(doubled[0][row].startswith("DEF-") for share in found.shares for row, _ in share)


def test_of_two_names_that_mean_the_same_the_choice_is_said() -> None:
    names, parents, offsets = built(ROWS["Unreal"])
    more = ["l_calf", "Head_"]
    rows = [names.index("calf_l"), names.index("head")]
    tree = (names + more, parents + rows, np.vstack([offsets, np.ones((2, 3))]))
    found = find(tree)
    assert found.notes == ("left_knee: calf_l, not l_calf", "head: head, not Head_")
    assert found.shares == find((names, parents, offsets)).shares
    given = {"left_knee": names.index("calf_l"), "head": names.index("head")}  # whoever says it is not told
    assert find_joints("a.bvh", *tree, given=given).notes == ()


def test_numbers_behind_names_say_little() -> None:
    names, parents, offsets = built(ROWS["MotionBuilder"])
    numbered = [f"{name}_0{row}" for row, name in enumerate(names)]
    assert find((numbered, parents, offsets)).shares[:6] == find((names, parents, offsets)).shares[:6]


SPINES, BETWEEN = ("Spine1", "Spine2", "Spine3", "Spine4"), "38% of the way from mid-hip to neck"
GONE = {
    "no neck": (("Neck",), "neck estimated: the middle of the shoulders", "neck", (0, 140, -1)),
    "no head": (
        ("Head",), "head estimated: 14% of the way from mid-hip to neck, beyond the neck", "head",
        (0, 145 + 0.14 * 53, -2 - 0.14 * 3)),
    "no spine": (
        SPINES, f"spine estimated: between mid-hip and neck, {BETWEEN}", "spine",
        (0, 92 + 0.38 * 53, 1 - 0.38 * 3)),
    "half a spine": (
        ("Spine2",), f"spine estimated: between Spine1 and Spine3, {BETWEEN}", "spine",
        (0, 92 + 0.38 * 53, 1 - 0.38 * 3)),
    "no clavicles": (("LeftShoulder", "RightShoulder"), "", "left_shoulder", (18, 140, -1)),
    "no toes": (("LeftToe", "RightToe"), "", "left_ankle", (10, 9, -2)),
}  # fmt: skip


@pytest.mark.parametrize("name", GONE)
def test_what_is_missing_is_estimated_and_said(name: str) -> None:
    gone, note, joint, expected = GONE[name]
    tree = without(built(ROWS["Rokoko"]), *gone)
    found = find(tree)
    assert found.notes == ((note,) if note else ())
    np.testing.assert_allclose(where(found, tree)[joint], expected, atol=1e-9)


def test_the_end_of_a_head_does_for_a_head() -> None:
    names, parents, offsets = built(ROWS["Rokoko"])
    found = find(([name.replace("Head", "HeadTop_End") for name in names], parents, offsets))
    assert (found.notes, found.shares) == ((), find((names, parents, offsets)).shares)


def test_neither_neck_nor_head_nor_spine() -> None:
    tree = without(built(ROWS["MotionBuilder"]), "Neck", "Head", "HeadTop_End", "Spine", "Spine1", "Spine2")
    found = find(tree)
    assert len(found.notes) == 3
    at = where(found, tree)
    assert at["spine"][1] < at["neck"][1] < at["head"][1]
    np.testing.assert_allclose(at["neck"], (0, 140, -1))


def test_the_spine_lies_between_joints_where_none_is_near() -> None:
    found = find(built(ROWS["Perception Neuron"]))
    assert found.notes == ("spine estimated: between Spine and Spine1, 38% of the way from mid-hip to neck",)
    assert [share for _, share in found.shares[6]] == pytest.approx([9 / 17, 8 / 17])  # 30% and 47%


def test_a_thorax_that_is_missing_moves_no_spine() -> None:
    """cgspeed's files leave it out; README of the clips: the spine is the end of lowerback all the same."""
    names, parents, offsets = built(ROWS["CMU by cgspeed"])
    thorax = offsets[names.index("Spine1")].copy()
    for joint in ("Neck", "LeftShoulder", "RightShoulder"):
        assert offsets[names.index(joint)].any()
        offsets[names.index(joint)] = 0
    assert np.linalg.norm(thorax) > 10
    found = find((names, parents, offsets))
    assert names[found.shares[6][0][0]] == "Spine"
    assert found.notes == ()


def test_sides_that_are_swapped_are_said() -> None:
    names, parents, offsets = built(ROWS["MotionBuilder"])
    for sign, doubts in ((1, 0), (-1, 1)):
        found = find((names, parents, offsets))
        at = np.zeros((len(names) + 1, 3))
        for row, parent in enumerate(parents):
            at[row] = at[parent] + offsets[row] * (sign, 1, 1)
        said = found.described(at[None, list(found.rows)])
        assert ("left and right look swapped" in said) == bool(doubts)
        for turned in (at[:, [2, 0, 1]], at[:, [1, 2, 0]], -at[:, [0, 2, 1]]):  # whatever is up, and ahead
            assert len(found.doubts(turned[None, list(found.rows)])) == doubts


@pytest.mark.parametrize(
    ("toe", "knee", "doubted"),
    [
        ((0, -5, -8), 5, 0),
        ((0, -5, -8), -5, 1),
        ((0, -8, -1), -5, 0),
        ((0, -5, 8), -5, 0),
        ((0, -5, 8), 5, 0),
    ],
)
def test_toes_are_not_believed_alone(toe: tuple[float, ...], knee: float, doubted: int) -> None:
    """A joint straight below the ankle, as some suits have, is no toe, and knees bend forwards."""
    names, parents, offsets = built(ROWS["MotionBuilder"])
    offsets[[names.index(f"{side}ToeBase") for side in ("Left", "Right")]] = toe
    for joint, move in (("Leg", knee), ("Foot", -knee)):
        offsets[[names.index(f"{side}{joint}") for side in ("Left", "Right")], 2] += move
    tree = (names, parents, offsets)
    found = find(tree)
    at = np.zeros((len(names) + 1, 3))
    for row, parent in enumerate(parents):
        at[row] = at[parent] + offsets[row]
    assert len(found.doubts(at[None, list(found.rows)])) == doubted


REFUSED = {
    "a limb that is not there": (
        {"LeftLeg": "LeftBein"}, "a.bvh: no left knee among its 25 joints (closest are LeftUpLeg); say"),
    "a name with a slip": (
        {"RightForeArm": "RightFourArm", "LeftForeArm": "LeftFourArm"},
        "a.bvh: no right elbow among its 25 joints (closest are RightFourArm, RightArm); say"),
    "no names": ({}, "a.bvh: no right hip among its 25 joints (its joints: j0, j1"),
    "no names at length": ({}, ", j18, j19 and 5 more); say which is which in a map of joints, {"),
    "two of one name": (
        {"RightToeBase": "LeftFoot"}, "two joints are named LeftFoot, and one is the left_ankle; rename"),
    "joints of other limbs": (
        {"LeftFoot": "LeftHand", "LeftHand": "LeftFoot"}, "do not hang from one another; say which is which"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_found_is_one_line(name: str) -> None:
    changed, expected = REFUSED[name]
    names, parents, offsets = built(ROWS["MotionBuilder"])
    names = [changed.get(n, n) for n in names] if changed else [f"j{row}" for row in range(len(names))]
    with pytest.raises(InputError) as caught:
        find((names, parents, offsets))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bones_that_are_not_of_one_body_are_refused() -> None:
    names, parents, offsets = built(ROWS["MotionBuilder"])
    offsets[names.index("LeftForeArm")] *= 9
    with pytest.raises(
        InputError, match=r"bones to left_elbow 253, right_wrist 25.2 units \(LeftForeArm, RightHand"
    ):
        find((names, parents, offsets))
    offsets[names.index("LeftForeArm")] = 0
    with pytest.raises(InputError, match=r"left_elbow 0 units"):
        find((names, parents, offsets))
    found = find((names, parents, np.zeros_like(offsets)))  # places may stand in the frames alone
    assert found.notes == ("spine estimated: between mid-hip and neck, 38% of the way from mid-hip to neck",)


def mapped(names: list[str], joints: JointMap) -> FoundJoints:
    flat = [-1] + [0] * (len(names) - 1)
    return find_mapped("a.bvh", names, flat, np.zeros((len(names), 3)), False, [joints])


def test_a_map_of_what_is_not_found_is_enough(tmp_path: Path) -> None:
    """Only the joints that have strange names: the rest is found as ever, and what is named stays."""
    file, (names, parents, offsets) = tmp_path / "map.json", built(ROWS["Rokoko"])
    strange = {"LeftShin": "Wadenbein", "Spine2": "Kreuz", "Neck": "Hals", "Head": "Kopf"}
    tree = ([strange.get(name, name) for name in names], parents, offsets)
    with pytest.raises(InputError, match="no left knee"):
        find(tree)
    map_of = {"left_knee": "wadenbein", "spine": "Kreuz", "neck": "Hals", "head": "Kopf"}
    file.write_text(json.dumps({**map_of, "metres_per_file_unit": 0.02}))
    found = find_mapped("a.bvh", *tree, False, read_maps(file))
    assert found.shares == find((names, parents, offsets)).shares
    assert (found.metres, found.notes, found.skeleton) == (0.02, (), "of unknown origin with map.json")
    other = {**map_of, "spine": "Spine4", "left_wrist": "LeftHandIndex1"}
    found = find_mapped("a.bvh", *tree, False, [JointMap("m", other)])
    assert [tree[0][share[0][0]] for share in found.shares[6:12:5]] == ["Spine4", "LeftHandIndex1"]
    with pytest.raises(
        InputError, match="RightHand for the knee, LeftFoot for the ankle of the left do not hang"
    ):
        find_mapped("a.bvh", *tree, False, [JointMap("m", {**map_of, "left_knee": "RightHand"})])


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_text(json.dumps({**MINE, "root": "is not needed", "metres_per_file_unit": 0.5}))
    (joints,) = read_maps(file)
    assert joints == JointMap("map.json", MINE, metres=0.5)
    found = mapped(["other", *MINE.values()], joints)
    assert found.shares == tuple(((row, 1.0),) for row in range(1, len(COURSE15) + 1))
    assert (found.skeleton, found.metres, found.notes) == ("map.json", 0.5, ())
    with pytest.raises(
        InputError, match=r"no map fits; map\.json is nearest, but the clip lacks my head; correct"
    ):
        mapped([n for n in MINE.values() if n != "my head"], joints)
    with pytest.raises(InputError, match="two joints are named my head; rename"):
        mapped([*MINE.values(), "MY HEAD"], joints)
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"maps": {"a": MINE, "b": MINE}}).encode())
    assert [layout.name for layout in read_maps(file)] == ["a", "b"]


def test_the_map_beside_the_real_clips() -> None:
    if not MAPPING.is_file():
        pytest.skip("the BVH clips (for local testing only) are not on this machine")
    first, second = read_maps(MAPPING)
    assert first == replace(BANDAI, name="bandai", metres=0.01)
    assert second == replace(POSER, name="cmu_poser", metres=0.01)


BAD = {
    "no JSON": ("{", "not JSON (Expecting property name"),
    "binary": (b"\xff\x00", "not JSON ("),
    "deep": ("[" * 100_000, "not JSON (nested too deep); write {"),
    "a list": ("[1]", "no map of joints; write {"),
    "maps of nothing": ('{"maps": 3}', "no map of joints"),
    "a map of nothing": ('{"maps": {"a": 3}}', "'a' is no map of joints"),
    "no joints": ("{}", "'m.json' names no joint of the course; they are right_hip, right_knee"),
    "a slip": (json.dumps({"left_nee": "a"}), "'m.json': left_nee is no joint of the course; left_knee?"),
    "another word": (
        json.dumps({"x": "a"}),
        "'m.json': x is no joint of the course; right_hip, right_knee, ",
    ),
    "no name": (json.dumps({**MINE, "neck": ""}), "'m.json' names no joint for neck; name one, or leave it"),
    "a number": (json.dumps({**MINE, "head": 3}), "'m.json' names no joint for head"),
    "one twice": (
        json.dumps({**MINE, "head": "MY neck"}),
        "'m.json' names MY neck for neck and head; name another",
    ),
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
        read_maps(file)
    assert f"m.json: {expected}" in str(caught.value)
    assert "\n" not in str(caught.value)


def standing(tmp_path: Path, cm: float) -> np.ndarray:
    file = tmp_path / "a.bvh"
    file.write_text(person(POSER, cm=cm))
    clip = read_bvh(file)
    found = find_joints(file, clip.names, clip.parents, clip.offsets)
    return found.place(joint_positions(clip, found.rows))


@pytest.mark.parametrize("size", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_of_an_adult(unit: str, size: float, tmp_path: Path) -> None:
    joints = standing(tmp_path, size * 0.01 / UNITS[unit])
    assert guess_unit("a.bvh", joints) == unit


@pytest.mark.parametrize(("cm", "says"), [(0.6, "legs of 48 units"), (5, "in metres, for example 0.002")])
def test_no_unit_is_guessed_for_other_legs(cm: float, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        guess_unit("a.bvh", standing(tmp_path, cm))
    with pytest.raises(InputError, match=r"legs of 0 units are no adult's in metres, .* unit in metres$"):
        guess_unit("a.bvh", np.zeros((2, 15, 3)))


def test_from_the_root() -> None:
    joints = np.random.default_rng(0).normal(size=(4, 15, 3))
    moved = COURSE15.from_root(joints)
    np.testing.assert_allclose(moved[:, 0] + moved[:, 3], 0, atol=1e-15)
    np.testing.assert_allclose(np.diff(moved, axis=1), np.diff(joints, axis=1), atol=1e-14)
