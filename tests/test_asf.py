"""Skeletons and clips in .asf and .amc files: what is read, where the joints are, and what can be wrong."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from asf_texts import BONES, FRAMES, JOINTS
from test_bvh import product

from minilift.errors import InputError
from minilift.poses.read import amc_frames
from minilift.poses.read.amc import find_skeleton, foreign_skeleton, read_amc
from minilift.poses.read.asf import Skeleton, read_asf
from minilift.poses.read.clip import Clip
from minilift.poses.read.kinematics import joint_positions


@pytest.fixture
def read(tmp_path: Path):
    def reader(bones: str = BONES, frames: str = FRAMES) -> Clip:
        (tmp_path / "arm.asf").write_text(bones)
        (tmp_path / "arm.amc").write_text(frames)
        return read_amc(tmp_path / "arm.amc")

    return reader


def places(clip: Clip) -> np.ndarray:
    return joint_positions(clip)


def test_a_small_take_by_hand(read) -> None:
    clip = read()
    assert (clip.names, clip.parents, len(clip)) == (("root", "upper", "fore", "hand"), (-1, 0, 1, 2), 3)
    assert (clip.length_unit, clip.fps) == (0.45, 120)
    assert clip.channels[2:] == (("xrotation",), ())
    np.testing.assert_allclose(places(clip), JOINTS, atol=1e-14)
    assert clip.notes == ("no frame rate in the file: 120 frames per second taken, as CMU's have",)


QUARTER = "1.5707963267948966"

SAME = {
    "CRLF": (BONES.replace("\n", "\r\n"), FRAMES.replace("\n", "\r\n")),
    "capitals": (BONES.replace("upper", "UPPER").replace("dof rx", "DOF RX"), FRAMES.replace("fore", "FORE")),
    "commas": (BONES.replace("0 1 0", "(0, 1, 0)"), FRAMES),
    "comments": (BONES.replace("name fore", "name fore # arm"), FRAMES.replace("root 10", "# take\nroot 10")),
    "a comment in a line": (BONES, FRAMES.replace("fore 90", "fore 90 # bent")),
    "no unit of angles": (BONES.replace("  angle deg\n", ""), FRAMES),
    "directions of any length": (BONES.replace("direction 0 1 0", "direction 0 5 0"), FRAMES),
    "order of lines": (BONES.replace("length 2\n     axis 0 0 0  XYZ", "axis 0 0 0  XYZ\nlength 2"), FRAMES),
    "skins": (BONES + ":skin\n  begin\n  x 3 4\n  end\n", FRAMES),
    "blank lines": (BONES.replace("\n", "\n\n"), FRAMES.replace("\n", "\n \n")),
    "bones in another order": (BONES, FRAMES.replace("upper 90 0 90\nfore 0\n", "fore 0\nupper 90 0 90\n")),
    "no keywords": (BONES, FRAMES.replace(":FULLY-SPECIFIED\n:DEGREES\n", "")),
    "radians in the take": (BONES, FRAMES.replace(":DEGREES", ":RADIANS").replace("90", QUARTER)),
    "radians in both": (
        BONES.replace("angle deg", "angle rad").replace("axis 0 0 90", "axis 0 0 " + QUARTER),
        FRAMES.replace(":DEGREES\n", "").replace("90", QUARTER),
    ),
    "degrees of a skeleton in radians": (
        BONES.replace("angle deg", "angle rad").replace("axis 0 0 90", "axis 0 0 " + QUARTER), FRAMES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_other_spellings_are_the_same_clip(name: str, read) -> None:
    assert SAME[name] != (BONES, FRAMES)
    np.testing.assert_allclose(places(read(*SAME[name])), JOINTS, atol=1e-14)


@pytest.mark.parametrize(
    ("axis", "dof", "angles", "goes_to"),
    [
        ("0 0 0 XYZ", "rx rz", "90 90", (0, 1, 0)),  # x stays, and goes to y
        ("0 0 0 XYZ", "rz rx", "90 90", (0, 0, 1)),  # x goes to y, and y to z
        ("90 90 0 XYZ", "rx", "90", (0, -1, 0)),  # turned about -z
        ("90 90 0 YXZ", "rx", "90", (0, 0, -1)),  # turned about y
        ("90 90 0", "rx", "90", (0, -1, 0)),
        ("0 0 90 xyz", "ry", "90", (1, 0, 0)),  # turned about -x: nothing moves
    ],
)
def test_the_order_of_angles_is_that_of_the_file(
    axis: str, dof: str, angles: str, goes_to: tuple[int, ...], read
) -> None:
    bones = BONES.replace("axis 0 0 90  XYZ\n    dof rx\n", f"axis {axis}\n    dof {dof}\n")
    joints = places(read(bones, re.sub(r"fore \d+", f"fore {angles}", FRAMES)))
    np.testing.assert_allclose(joints[0, 2] - joints[0, 1], 3 * np.array(goes_to), atol=1e-14)


def test_the_root_has_an_order_a_position_and_an_orientation(read) -> None:
    bones = BONES.replace("order TX TY TZ RX RY RZ", "order RZ TZ RX TX TY RY")
    frames = FRAMES.replace("root 10 20 30 0 0 90", "root 90 30 90 10 20 0")
    joints = places(read(bones, frames))[1]
    np.testing.assert_allclose(joints[0], (10, 20, 30), atol=1e-14)
    np.testing.assert_allclose(joints[1] - joints[0], (-2, 0, 0), atol=1e-14)  # y to -x, which stays
    np.testing.assert_allclose(joints[2] - joints[1], (0, 3, 0), atol=1e-14)  # x to -z, stays, to y
    moved = places(read(BONES.replace("position 0 0 0", "position 1 2 3")))
    np.testing.assert_allclose(moved, np.add(JOINTS, (1, 2, 3)), atol=1e-14)
    clip = read(BONES.replace("orientation 0 0 0", "orientation 0 90 0"))
    joints = places(clip)
    np.testing.assert_allclose(joints[0, 2] - joints[0, 1], (0, 0, -3), atol=1e-14)
    np.testing.assert_allclose(joints[1, 2] - joints[1, 1], (0, -3, 0), atol=1e-14)  # x to -z, -x, to -y
    assert "the root's orientation is applied before its motion; programs differ on that" in clip.notes
    still = read(BONES.replace("   order TX TY TZ RX RY RZ\n", ""))
    np.testing.assert_allclose(places(still), JOINTS, atol=1e-14)
    assert "no order given for the root; tx ty tz rx ry rz taken" in still.notes


def test_bones_that_a_frame_leaves_out_keep_their_angles(read) -> None:
    frames = FRAMES.replace(":FULLY-SPECIFIED\n", "").replace("upper 90 0 90\nfore 0\n", "")
    joints = places(read(frames=frames.replace("1\nroot 10 20 30 0 0 0\nupper 0 0 0\n", "1\n")))
    np.testing.assert_allclose(joints[0], np.array(JOINTS[0]) - (10, 20, 30), atol=1e-14)
    np.testing.assert_allclose(joints[1], JOINTS[1], atol=1e-14)
    np.testing.assert_allclose(joints[2, 2], (0, 2, -3), atol=1e-14)  # fore is still at 90
    assert (
        read(frames=frames).notes[0] == "bones that frames leave out keep their angles: upper in 1, fore in 1"
    )


def test_what_is_there_decides_how_many_numbers_a_bone_has(read) -> None:
    frames = FRAMES.replace(":DEGREES", ":DEGREES\n:FORCE-ALL-JOINTS-BE-3DOF")
    frames = frames.replace("fore 90", "fore 90 0 0").replace("fore 0", "fore 0 0 0\nhand 0 0 0")
    np.testing.assert_allclose(places(read(frames=frames)), JOINTS, atol=1e-14)


def numbered(*numbers: int) -> str:
    new = iter(numbers)
    return re.sub(r"^\d$", lambda _: str(next(new)), FRAMES, flags=re.MULTILINE)


RATES = {
    "in the file": (FRAMES.replace(":DEGREES", ":DEGREES\n:SAMPLES-PER-SECOND 60"), 60, None),
    "every fourth": (numbered(1, 5, 9), 30, "numbered in steps of 4"),
    "from a thousand": (numbered(1000, 1001, 1002), 120, None),
    "a gap": (numbered(1, 2, 7), 120, "frame numbers do not go up by one in 1 places"),
    "backwards": (numbered(1, 2, 1), 120, "frame numbers do not go up by one in 1 places"),
}  # fmt: skip


@pytest.mark.parametrize("name", RATES)
def test_frame_rates_and_odd_numbers_of_frames(name: str, read) -> None:
    frames, fps, says = RATES[name]
    clip = read(frames=frames)
    assert clip.fps == pytest.approx(fps)
    assert (says is None) or (says in " ".join(clip.notes))
    np.testing.assert_allclose(places(clip), JOINTS, atol=1e-14)


def by_definition(skeleton: Skeleton, clip: Clip) -> np.ndarray:
    """joint_positions computed another way: L = C M C^-1 per bone and frame, rotations as quaternions."""

    def turn(angles: list[tuple[str, float]]) -> np.ndarray:
        out = np.array([1.0, 0, 0, 0])
        for axis, degrees in angles:  # about fixed axes: each stands on the left of those before
            half, q = np.radians(degrees) / 2, np.zeros(4)
            q[0], q["xyz".index(axis) + 1] = np.cos(half), np.sin(half)
            out = product(q, out)
        return out

    out = np.empty((len(clip), len(clip.names), 3))
    starts = np.cumsum([0, *map(len, clip.channels)])
    for frame, row in enumerate(clip.motion):
        turns, back = [], np.array([1, -1, -1, -1])
        for joint, (bone, parent) in enumerate(zip(skeleton.bones, skeleton.parents, strict=True)):
            numbers = list(zip(clip.channels[joint], row[starts[joint] :], strict=False))[::-1]
            own = turn([(kind[0], value) for kind, value in numbers if kind.endswith("rotation")])
            if parent < 0:
                turns.append(own)
                places = dict(numbers)
                out[frame, 0] = [places[f"{axis}position"] for axis in "xyz"]
                continue
            c = turn(
                list(zip(bone.axis_order, [bone.axis["xyz".index(a)] for a in bone.axis_order], strict=True))
            )
            turns.append(product(turns[parent], product(product(c, own), c * back)))
            along = np.array([0, *(np.array(bone.direction) * bone.length)])
            out[frame, joint] = (
                out[frame, parent] + product(product(turns[joint], along), turns[joint] * back)[1:]
            )
    return out


def random_take(seed: int) -> tuple[str, str]:
    """Five bones with any axes, orders and degrees of freedom, and four frames."""
    rng, orders = np.random.default_rng(seed), ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
    bones, frames = "", [f"{number}\n" for number in range(1, 5)]
    for bone in range(5):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        dof = rng.permutation(["rx", "ry", "rz"])[: rng.integers(0, 4)]
        bones += (
            f"begin\nname b{bone}\ndirection {' '.join(map(repr, direction.tolist()))}\nlength {bone + 1}\n"
        )
        bones += f"axis {' '.join(map(str, rng.integers(-180, 180, 3)))} {orders[rng.integers(6)]}\n"
        bones += f"dof {' '.join(dof)}\nend\n" if len(dof) else "end\n"
        if len(dof):
            for frame in range(4):
                frames[frame] += f"b{bone} {' '.join(map(repr, rng.uniform(-180, 180, len(dof)).tolist()))}\n"
    root = ":root\norder TX RZ TY RX TZ RY\naxis XYZ\nposition 0 0 0\norientation 0 0 0\n"
    tree = ":hierarchy\nbegin\nroot b0 b3\nb0 b1 b2\nb3 b4\nend\n"
    for frame in range(4):
        frames[frame] += f"root {' '.join(map(repr, rng.uniform(-99, 99, 6).tolist()))}\n"
    return f"{root}:bonedata\n{bones}{tree}", "".join(frames)


@pytest.mark.parametrize("seed", range(8))
def test_any_axes_and_orders_as_the_definition_has_it(seed: int, read, tmp_path: Path) -> None:
    clip = read(*random_take(seed))
    np.testing.assert_allclose(
        places(clip), by_definition(read_asf(tmp_path / "arm.asf"), clip), atol=1e-12
    )  # seen: 2e-14


@pytest.mark.parametrize("seed", range(3))
def test_taking_all_frames_at_once_changes_nothing(seed: int, read, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read(*random_take(seed))
    monkeypatch.setattr(amc_frames.Frames, "_all_alike", lambda self: False)
    slow = read(*random_take(seed))
    np.testing.assert_array_equal(fast.motion, slow.motion)
    assert (fast.channels, fast.notes, len(fast)) == (slow.channels, slow.notes, 4)


def test_the_skeleton_of_a_take_is_found(tmp_path: Path) -> None:
    take = tmp_path / "16_03-walk.amc"
    take.write_text(FRAMES)

    def there(*names: str) -> str:
        for old in tmp_path.glob("*.[aA][sS][fF]"):
            old.unlink()
        for name in names:
            (tmp_path / name).write_text(BONES)
        return find_skeleton(take).name

    assert there("any.asf") == "any.asf"
    assert there("any.asf", "._any.asf") == "any.asf"
    assert there("any.asf", "16.asf") == "16.asf"
    assert there("any.asf", "16-jump.ASF") == "16-jump.ASF"
    assert there("16.asf", "Arm.asf") == "Arm.asf"  # the first line of the take names it
    assert there("16.asf", "arm.asf", "16_03-walk.asf") == "16_03-walk.asf"
    with pytest.raises(InputError, match=r"which of 2 .asf files in its folder is its skeleton"):
        there("a.asf", "b.asf")
    with pytest.raises(InputError, match=r"16_03-walk.amc: no .asf file in its folder"):
        there()
    elsewhere = tmp_path / "more"
    elsewhere.mkdir()
    (elsewhere / "s.asf").write_text(BONES)
    np.testing.assert_allclose(places(read_amc(take, elsewhere / "s.asf")), JOINTS, atol=1e-14)


def test_a_skeleton_that_seems_to_be_another_persons_is_a_warning(tmp_path: Path) -> None:
    take, foreign = tmp_path / "09_01.amc", tmp_path / "more" / "91.asf"
    foreign.parent.mkdir()
    take.write_text(FRAMES)
    foreign.write_text(BONES)
    numbers = "the clip is of subject 09, the skeleton 91.asf of subject 91: check them"
    assert foreign_skeleton(take, foreign) == [numbers]
    (tmp_path / "09.asf").write_text(BONES)
    assert foreign_skeleton(take, foreign) == []  # the same bytes
    foreign.write_text(BONES.replace("length 3", "length 4"))
    there = "the skeleton 91.asf was given, and 09.asf lies next to the clip: whose is it?"
    assert foreign_skeleton(take, foreign) == [there]
    for own in ("09.asf", "09-dance.asf", "arm.asf", "09_01.asf"):  # arm: the first line of the take names it
        (foreign.parent / own).write_text(BONES.replace("length 3", "length 4"))
        assert foreign_skeleton(take, foreign.parent / own) == []


BAD = {
    "no skeleton": (("hello", FRAMES), "arm.asf: line 1: 'hello' before any keyword"),
    "two of a name": ((BONES.replace("name fore", "name upper"), FRAMES), "line 35: a bone needs a name"),
    "no name": ((BONES.replace("name fore", "name"), FRAMES), "a bone needs a name of its own, found ''"),
    "called root": ((BONES.replace("name fore", "name Root"), FRAMES), "a bone needs a name of its own"),
    "direction": ((BONES.replace("direction 1 0 0", "direction 1 0"), FRAMES), "direction takes 3 numbers"),
    "glued": ((BONES.replace("direction 1 0 0", "direction 1-0 0 0"), FRAMES), "'1-0': numbers glued"),
    "length": ((BONES.replace("length 3", "length -3"), FRAMES), "bone fore is -3 long"),
    "length of words": ((BONES.replace("length 3", "length three"), FRAMES), "'three' is not a number"),
    "unit": ((BONES.replace("length 0.45", "length 0"), FRAMES), "line 6: a unit of length that"),
    "angle": ((BONES.replace("angle deg", "angle grad"), FRAMES), "angle grad: write deg or rad"),
    "dof": ((BONES.replace("dof rx\n", "dof rw\n"), FRAMES), "'rw' must be different ones of tx"),
    "dof twice": ((BONES.replace("dof rx\n", "dof rx rx\n"), FRAMES), "'rx rx' must be different"),
    "axis": ((BONES.replace("90  XYZ", "90 XYY"), FRAMES), "axis order 'xyy' must be XYZ in some order"),
    "no end": ((BONES.replace("  end\n  begin\n     id 2", "begin"), FRAMES), "'begin' where end is exp"),
    "no begin": ((BONES.replace("begin\n     id 2", "id 2"), FRAMES), "line 27: 'id' where begin is"),
    "cut": ((BONES[:500], FRAMES), "no bones below the root, or the file is cut short"),
    "no tree": ((BONES[: BONES.index(":hier")], FRAMES), "no bones below the root"),
    "two parents": ((BONES.replace("fore hand", "fore hand upper"), FRAMES), "'upper' hangs from two"),
    "a loop": ((BONES.replace("fore hand", "fore root"), FRAMES), "bone 'root' is not described"),
    "unknown": ((BONES.replace("fore hand", "fore fist"), FRAMES), "bone 'fist' is not described"),
    "no frames": ((BONES, ":DEGREES\n"), "arm.amc: line 1: no frames; is it an .amc file?"),
    "empty": ((BONES, ""), "arm.amc: the file is empty"),
    "other skeleton": ((BONES, FRAMES.replace("fore", "tibia")), "line 7: 'tibia' is no bone of"),
    "more numbers": ((BONES, FRAMES.replace("fore 90", "fore 90 1")), "line 11: 2 numbers for fore, whi"),
    "less numbers": ((BONES, FRAMES.replace("upper 90 0 90", "upper 90 0")), "line 14: 2 numbers for upper"),
    "cut short": ((BONES, FRAMES[:-7]), "line 14: the last frame, 3, has no fore; copy"),
    "twice": ((BONES, FRAMES.replace("fore 90", "fore 90\nfore 90")), "line 12: bone fore twice in frame 2"),
    "before": ((BONES, FRAMES.replace("\n1\n", "\n")), "line 4: bone root before the number of a frame"),
    "nan": ((BONES, FRAMES.replace("fore 90", "fore nan")), "line 11: nan is no length or angle"),
    "a comma": ((BONES, FRAMES.replace("fore 90", "fore 9,5")), "line 11: '9,5': a decimal comma"),
    "rate": ((BONES, FRAMES.replace(":DEGREES", ":SAMPLES-PER-SECOND 0")), "line 3: 0 samples per second"),
    "stretch": ((BONES.replace("dof rx\n", "dof rx l\n"), re.sub(r"fore (\d+)", r"fore \1 1", FRAMES)),
                "arm.amc: bone fore changes by l; only rotations"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line_with_file_and_place(name: str, read) -> None:
    texts, expected = BAD[name]
    with pytest.raises(InputError) as caught:
        read(*texts)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_stretch_of_nothing_is_none(read) -> None:
    frames = FRAMES.replace("fore 0", "fore 0 0").replace("fore 90", "fore 90 0")
    np.testing.assert_allclose(
        places(read(BONES.replace("dof rx\n", "dof rx l\n"), frames)), JOINTS, atol=1e-14
    )


def test_one_frame_that_lacks_bones_is_whole(read) -> None:
    assert len(read(frames=":FULLY-SPECIFIED\n1\nroot 0 0 0 0 0 0\n")) == 1


def test_bones_without_a_place_in_the_tree_are_left_out_and_said(read) -> None:
    clip = read(BONES.replace("    fore hand\n", ""))
    assert clip.names == ("root", "upper", "fore")
    assert clip.notes[0] == "bones not in the hierarchy left out: hand"


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_raise_nothing_else(seed: int, read) -> None:
    """Bytes changed, cut out and doubled in both files: a clip whose joints are finite, or an InputError."""
    rng = np.random.default_rng(seed)
    pieces = ("", "nan", "9" * 400, "-", "\n", ":", "begin", "end", "#", "root", "1e999", "\x00", "(")
    for _ in range(20):
        texts = [BONES, FRAMES]
        which = rng.integers(2)
        for _ in range(rng.integers(1, 4)):
            text = texts[which]
            a = int(rng.integers(0, len(text)))
            b = a + int(rng.integers(0, 40))
            put = (pieces[rng.integers(len(pieces))], text[a:b] * 2)[rng.integers(2)]
            texts[which] = text[:a] + put + text[b:]
        try:
            clip = read(*texts)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert np.isfinite(places(clip)).all()
