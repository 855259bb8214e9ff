"""What can be wrong with a clip although its file is whole: units, bones, torso, up, rates and folders."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asf_texts import BONES, FRAMES
from bvh_texts import POSER, TWO, person

from minilift.cli.data import main
from minilift.cli.data.clip_files import clip_files
from minilift.errors import InputError
from minilift.poses.clips.doubts import check_bones, short_torso, wrong_up
from minilift.poses.clips.frames import Choices, load_clip, place_clip
from minilift.poses.layouts import COURSE15
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.clip import Clip
from minilift.poses.read.text import not_a_number, seconds_of

AT = {joint: row for row, joint in enumerate(COURSE15.joints)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def standing(frames: int = 30) -> np.ndarray:
    """A person (frames, 15, 3) in metres who stands on the floor and looks along +Z."""
    joints = np.zeros((15, 3))
    for side, x in (("left", 1), ("right", -1)):
        for joint, (far, high) in {
            "hip": (0.1, 0.9), "knee": (0.1, 0.5), "ankle": (0.1, 0.08),
            "shoulder": (0.2, 1.42), "elbow": (0.25, 1.15), "wrist": (0.27, 0.9),
        }.items():  # fmt: skip
            joints[AT[f"{side}_{joint}"]] = (x * far, high, 0)
    for joint, high in (("spine", 1.1), ("neck", 1.45), ("head", 1.55)):
        joints[AT[joint], 1] = high
    return np.tile(joints, (frames, 1, 1))


def about(axis: int, joints: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Each frame turned by an angle (radians) about an axis through a point 0.9 m above the origin."""
    b, c = (axis + 1) % 3, (axis + 2) % 3
    out, middle = joints - (0, 0.9, 0), np.array((0, 0.9, 0))
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    first, second = out[..., b].copy(), out[..., c].copy()
    out[..., b], out[..., c] = cos * first - sin * second, sin * first + cos * second
    return out + middle


def walking(joints: np.ndarray, along: int, far: float = 3.0) -> np.ndarray:
    moved = joints.copy()
    moved[..., along] += np.linspace(0, far, len(joints))[:, None]
    return moved


def on_the_floor(joints: np.ndarray) -> np.ndarray:
    return joints - joints[..., 1].min(axis=1)[:, None, None] * (0, 1, 0)


TURN = np.linspace(0, 2 * np.pi, 30)
RIGHT = {
    "standing": standing(),
    "walking": walking(standing(), 2),
    "a cartwheel": walking(on_the_floor(about(2, standing(), TURN)), 0),
    "the middle of a cartwheel": on_the_floor(about(2, standing(15), TURN[8:23])),
    "a somersault": walking(on_the_floor(about(0, standing(), TURN)), 2),
    "a handstand": on_the_floor(about(2, standing(), np.full(30, np.pi))),
    "bowing": on_the_floor(about(0, standing(), np.full(30, 0.7))),
    "on all fours": walking(on_the_floor(about(0, standing(), np.full(30, 1.4))), 2),
}
"""Clips whose up is y."""


@pytest.mark.parametrize("name", RIGHT)
def test_no_warning_that_another_axis_points_up(name: str) -> None:
    """The neck is not above the hips in many frames of some of these, and y is up in all."""
    joints = RIGHT[name]
    assert wrong_up(joints, joints[..., [1, 2, 0]], "z") == []


@pytest.mark.parametrize("name", ["standing", "walking"])
def test_a_warning_that_another_axis_points_up(name: str) -> None:
    turned = RIGHT[name][..., [2, 0, 1]]  # z is up, and y is where x was
    told = wrong_up(turned, turned[..., [1, 2, 0]], "z")
    assert told == ["the axis z seems to point up: along it the neck is 100% of its distance above the hips"]


UNITS = {
    "metres taken for centimetres": (0.01, "right_hip-right_knee is 0.4 cm long where a unit is 0.01 m"),
    "centimetres taken for metres": (100, "right_knee-right_ankle is 42 m long where a unit is 100 m"),
    "nothing": (1e-9, "cm long where a unit is 1e-09 m"),
}


@pytest.mark.parametrize("name", UNITS)
def test_bones_that_are_no_persons_are_refused_with_their_length(name: str) -> None:
    size, says = UNITS[name]
    with pytest.raises(
        InputError, match="which is no person's; check the unit, and which joint is which"
    ) as caught:
        check_bones("a.bvh", COURSE15.from_root(standing() * size), size)
    assert "a.bvh: " in str(caught.value)
    if size != 0.01:
        assert says in str(caught.value)
    for fine in (0.25, 1, 1.6):  # a baby and a giant
        check_bones("a.bvh", COURSE15.from_root(standing() * fine), 1)


def test_a_joint_named_twice_is_refused_with_its_bone() -> None:
    joints = standing()
    joints[:, AT["left_wrist"]] = joints[:, AT["left_elbow"]]
    with pytest.raises(InputError, match="left_elbow-left_wrist is 0 cm long"):
        check_bones("a.bvh", COURSE15.from_root(joints), 0.01)


def skeleton(names: tuple[str, ...], offsets: np.ndarray) -> Clip:
    parents = (-1, *[0] * (len(names) - 1))
    return Clip(names, parents, offsets, ((),) * len(names), 0.01, np.zeros((1, 0)), 0)


def test_a_short_torso_is_told_with_its_proportion() -> None:
    joints = COURSE15.from_root(standing())
    other = skeleton(("Hips", "Neck"), np.ones((2, 3)))
    assert short_torso(other, joints) == []
    low = joints.copy()
    above = [AT[joint] for joint in COURSE15.joints if joint in ("neck", "head") or "should" in joint]
    low[:, above, 1] -= 0.12
    (told,) = short_torso(other, low)
    assert "spine to neck is 0.28 of the legs, other people's 0.31 to 0.43" in told
    assert "the torso of the file may be short" in told
    offsets = np.ones((4, 3))
    offsets[1:] = 0
    (told,) = short_torso(skeleton(("Spine1", "Neck", "LeftShoulder", "RightShoulder"), offsets), low)
    assert "lacks the thorax; take the .asf and .amc of the same take" in told


TIMES = {
    0.0333333: (0.0333333, ""),
    1: (1, ""),
    30: (1 / 30, "30 frames per second"),
    29.97: (1 / 29.97, "29.97 frames per second"),
    120: (1 / 120, "120 frames per second"),
    8.3333: (0.0083333, "8.3333 milliseconds, 120 frames per second"),
    33.333: (0.033333, "33.333 milliseconds, 30 frames per second"),
    33: (0.033, "33 milliseconds, 30.3 frames per second"),
    16.6667: (0.0166667, "16.6667 milliseconds, 60 frames per second"),
}


@pytest.mark.parametrize("written", TIMES)
def test_a_frame_time_in_other_units_is_taken_for_what_it_must_be(written: float) -> None:
    seconds, meaning = TIMES[written]
    assert seconds_of(written) == (pytest.approx(seconds), meaning)
    Path("a.bvh").write_text(TWO.replace("0.0333333", str(written)))
    clip = read_bvh("a.bvh")
    assert clip.frame_time == pytest.approx(seconds)
    assert clip.notes == ((f"Frame Time: {written} taken for {meaning}",) if meaning else ())


@pytest.mark.parametrize("written", ["0", "-0.0333", "1e9", "0.00000833", "20", "50", "100", "6", "5000"])
def test_a_frame_time_that_can_be_two_things_or_none_is_refused(written: str) -> None:
    Path("a.bvh").write_text(TWO.replace("0.0333333", written))
    with pytest.raises(
        InputError, match=r"line 18: Frame Time: .* is neither seconds nor, without doubt"
    ) as caught:
        read_bvh("a.bvh")
    assert "write the seconds, 0.0333333 for 30 frames per second" in str(caught.value)


def test_the_command_says_what_it_took_the_frame_time_for(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.bvh").write_text(person(POSER).replace("Frame Time: 0.0333333", "Frame Time: 30"))
    assert main(["clips", "a.bvh"]) == 0
    out = capsys.readouterr().out
    assert "note: Frame Time: 30 taken for 30 frames per second (a.bvh)\n" in out
    assert "12 frames, 30 per second" in out
    assert main(["clips", "a.bvh", "--fps", "60", "--force"]) == 0
    assert "12 frames, 60 per second" in capsys.readouterr().out


WORDS = {
    "0.1-0.2": "'0.1-0.2': numbers glued together, written with a fixed width; put blanks between them",
    "-12.5-3.25-7.0": "numbers glued together",
    "1.5e-3-2.0": "numbers glued together",
    "1.2.3": "numbers glued together",
    "0,5": "'0,5': a decimal comma; export the file with decimal points",
    "1.0D+02": "a number of Fortran with D for the exponent; write E in its place",
    "-1.#IND": "what a program writes for a failed division; mend that frame",
    "nan(ind)": "what a program writes for a failed division",
    "1.5e-": "a number cut short; copy the file again",
    "-": "a number cut short",
    "null": "'null': no value; fill that gap, or leave the frame out",
    "abc": "'abc' is not a number; export the clip again",
    "0x1f": "'0x1f' is not a number",
    "9" * 150 + "x": "is not a number",
}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_is_no_number_is_told_by_what_it_is(word: str) -> None:
    assert WORDS[word] in not_a_number(word)
    Path("a.bvh").write_text(TWO.replace("1 2 3 0 0", f"1 2 {word} 0 0", 1))
    with pytest.raises(InputError, match="line 19: ") as caught:
        read_bvh("a.bvh")
    assert WORDS[word] in str(caught.value)


def named(*paths: str) -> list[str]:
    return [str(path) for path in clip_files(paths)[0]]


def test_folders_as_people_have_them(folder: Path) -> None:
    for name in ("in/a.bvh", "in/deep/b.BVH", "in/deep/c.amc", "elsewhere/d.bvh", "elsewhere/more/e.bvh"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "in/notes.txt").write_text("x")
    (folder / "in/linked").symlink_to(folder / "elsewhere")
    (folder / "in/linked again").symlink_to(folder / "elsewhere")
    (folder / "elsewhere/more/back").symlink_to(folder / "in")
    (folder / "elsewhere/more/self").symlink_to(folder / "elsewhere/more")
    expected = ["in/a.bvh", "in/deep/b.BVH", "in/deep/c.amc", "in/linked/d.bvh", "in/linked/more/e.bvh"]
    assert named("in") == expected
    assert clip_files(["in"])[1] == []
    assert named("in", "in/a.bvh", "./in/deep") == expected
    assert named("elsewhere/d.bvh", "in") == ["elsewhere/d.bvh", *(e for e in expected if "d.bvh" not in e)]


def test_what_macos_and_other_forms_of_a_take_leave_is_passed_over_with_a_count(folder: Path) -> None:
    for name in (
        "in/a.bvh",
        "in/._a.bvh",
        "in/.DS_Store",
        "in/more/._b.amc",
        "in/__MACOSX/._a.bvh",
        "in/16_a.bvh",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\0\5\x16\7")
    (folder / "in/16_A.amc").write_text("x")
    files, passed = clip_files(["in"])
    assert [str(file) for file in files] == ["in/16_A.amc", "in/a.bvh"]
    assert passed == [
        "passed over 3 files that macOS left there (._NAME, .DS_Store)",
        "passed over 1 file of takes (.bvh) that are there as .amc, too",
    ]
    (folder / "in/a.bvh").unlink()
    (folder / "in/16_A.amc").unlink()
    (folder / "in/16_a.bvh").unlink()
    with pytest.raises(InputError, match=r"in: no \.bvh or \.amc files in this folder"):
        clip_files(["in"])


def test_a_link_that_leads_to_itself_is_no_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.symlink("a.bvh", folder / "a.bvh")
    assert main(["clips", "a.bvh"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_counts_what_it_passed_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "in").mkdir()
    (folder / "in/a.bvh").write_text(person(POSER))
    (folder / "in/._a.bvh").write_bytes(b"\0\5\x16\7")
    assert main(["clips", "in"]) == 0
    assert "passed over 1 file that macOS left there" in capsys.readouterr().out


def test_cmu_takes_of_both_forms(cmu: Path) -> None:
    """The .asf and .amc of a person, and a .bvh of the same person, without the thorax: the .asf mends it."""
    whole = load_clip(cmu / "16" / "16_01.amc", Choices())
    assert (whole.skeleton, whole.unit) == ("CMU", "inches / 0.45, guessed from the legs")
    assert whole.warnings == ()
    lacking = load_clip(cmu / "16" / "16_15.bvh", Choices())
    assert lacking.warnings == ()
    assert lacking.notes[-1].endswith("put back: from 16.asf")
    long, short = (COURSE15.bone_lengths(clip.joints - (0, 0, 1)).mean(axis=0) for clip in (whole, lacking))
    limbs = [
        row
        for row, joint in enumerate(COURSE15.joints)
        if joint.endswith(("knee", "ankle", "elbow", "wrist"))
    ]
    np.testing.assert_allclose(long[limbs], short[limbs], atol=1e-4)  # seen: 1e-5
    assert abs(long[AT["neck"]] - short[AT["neck"]]) < 0.01  # 9 to 14 cm without the thorax
    assert (lacking.left_out, lacking.rest) == (3, pytest.approx(0.078, abs=1e-3))


def test_cmu_people_stand_on_the_floor(cmu: Path) -> None:
    for take in ("16/16_01.amc", "29/29_03.amc", "87/backflip.amc", "09/09_10.amc"):
        placed = place_clip(cmu / take, Choices())
        feet = placed.world[10:, [AT["left_ankle"], AT["right_ankle"]], 1].min(axis=1)
        assert 0.03 < np.percentile(feet, 10) < 0.13, take
        assert placed.warnings == ()


@pytest.mark.parametrize("take", ["49/49_06.bvh", "49/49_08.bvh", "87/backflip.amc", "88/acrobatics.amc"])
def test_cmu_cartwheels_and_acrobatics_have_no_warning_of_up(take: str, cmu: Path) -> None:
    assert not [text for text in load_clip(cmu / take, Choices()).warnings if text.startswith("the axis")]


@pytest.mark.parametrize(
    "take", ["05/05_01.bvh", "06/06_01.bvh", "16/16_15.bvh", "29/29_01.bvh", "09/09_10.amc"]
)
def test_cmu_first_frames_are_left_out(take: str, cmu: Path) -> None:
    assert load_clip(cmu / take, Choices()).left_out == {"16/16_15.bvh": 3, "09/09_10.amc": 4}.get(take, 1)


def test_the_rate_of_an_amc_can_be_given(cmu: Path) -> None:
    path = cmu / "87" / "backflip.amc"
    assert "no frame rate in the file" in load_clip(path, Choices()).notes[0]
    assert load_clip(path, Choices(fps=60)).fps == pytest.approx(60)
    assert load_clip(path, Choices(fps=60, every=4)).fps == pytest.approx(15)


def test_an_amc_takes_the_skeleton_that_is_named(folder: Path) -> None:
    (folder / "s").mkdir()
    (folder / "s/arm.asf").write_text(BONES)
    (folder / "arm.amc").write_text(FRAMES)
    with pytest.raises(InputError, match=r"no .asf file in its folder"):
        place_clip("arm.amc", Choices())
    with pytest.raises(InputError, match=r"arm.amc: no right hip among its 4 joints"):
        place_clip("arm.amc", replace(Choices(), skeleton="s/arm.asf"))


def test_data_info_describes_a_clip(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.bvh").write_text(person(POSER, 8))
    assert main(["info", "a.bvh"]) == 0
    told = capsys.readouterr().out
    for words in ("BVH clip, 8 frames", "left_knee = lShin", "guessed from the legs", "estimated", "ignored"):
        assert words in told, told
    shin = next(line for line in told.splitlines() if "left_knee-left_ankle" in line)
    joints = load_clip("a.bvh", Choices(keep_first=True)).joints
    length = 100 * COURSE15.bone_lengths(joints - (0, 0, 1)).mean(axis=0)[AT["left_ankle"]]
    assert shin.split()[1] == f"{length:.1f}"
