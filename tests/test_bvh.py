"""BVH files: what is read, where the joints are, and everything that can be wrong with a file."""

from __future__ import annotations

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from bvh_texts import TWO
from conftest import ROOT

from minilift.errors import InputError
from minilift.poses.read import bvh, text
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.clip import Clip
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.units import UNITS, guess_unit
from minilift.poses.read.kinematics import joint_positions

REAL = ROOT.parent / "shared" / "data" / "bvh"
CLIPS = sorted(path.stem for path in REAL.glob("*.bvh"))


@pytest.fixture
def read(tmp_path: Path):
    def reader(text: str | bytes) -> Clip:
        file = tmp_path / "a.bvh"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_bvh(file)

    return reader


def same(clip: Clip, other: Clip) -> None:
    parts = ("names", "parents", "channels", "frame_time")
    assert [getattr(clip, part) for part in parts] == [getattr(other, part) for part in parts]
    np.testing.assert_array_equal(clip.motion, other.motion)
    np.testing.assert_array_equal(clip.offsets, other.offsets)


def test_a_small_file(read) -> None:
    clip = read(TWO)
    assert (clip.names, clip.parents, len(clip)) == (("Hips", "Chest"), (-1, 0), 2)
    assert clip.channels[1] == ("zrotation", "xrotation", "yrotation")
    assert clip.fps == pytest.approx(30, rel=1e-5)
    assert clip.motion[1].tolist() == [1, 2, 3, 90, 0, 0, 0, 0, -1.5e-14]
    upright, turned = joint_positions(clip)
    np.testing.assert_allclose(upright, [[1, 2, 3], [1, 12, 3]], atol=1e-15)
    np.testing.assert_allclose(turned, [[1, 2, 3], [-9, 2, 3]], atol=1e-14)  # Y turns towards -X
    np.testing.assert_array_equal(joint_positions(clip, [1]), joint_positions(clip)[:, 1:])


SPELT = {
    "CRLF": TWO.replace("\n", "\r\n"),
    "CR": TWO.replace("\n", "\r"),
    "mixed": TWO.replace("\n", "\r\n", 9),
    "tabs and blanks": TWO.replace("  ", "\t").replace("\n", " \t\n").replace("Frames: ", "Frames:\t"),
    "empty lines": TWO.replace("\n", "\n\n"),
    "a byte order mark": "\ufeff" + TWO,
    "no last line end": TWO.rstrip("\n"),
    "small letters": TWO.lower().replace("hips", "Hips").replace("chest", "Chest"),
    "capitals": TWO.replace("Xposition", "XPOSITION").replace("End Site", "END SITE"),
    "braces beside": TWO.replace("\n{", " {").replace("\n  {", "{").replace("}\n}", "} }"),
    "blanks between": TWO.replace(" 0 0 0 ", "   0\t0  0 "),
}


@pytest.mark.parametrize("name", SPELT)
def test_other_spellings_are_the_same_clip(name: str, read) -> None:
    assert SPELT[name] != TWO
    same(read(SPELT[name]), read(TWO))


def test_names_may_have_blanks_and_any_letters(read) -> None:
    assert read(TWO.replace("Chest", "Bip01 L Thigh")).names[1] == "Bip01 L Thigh"
    assert read(TWO.replace("Chest", "左足")).names[1] == "左足"
    assert len(read(TWO.encode().replace(b"Chest", b"\xff\x00")).names) == 2


def product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Of quaternions (w, x, y, z)."""
    w = p[0] * q[0] - p[1:] @ q[1:]
    return np.array([w, *(p[0] * q[1:] + q[0] * p[1:] + np.cross(p[1:], q[1:]))])


def by_quaternions(clip: Clip) -> np.ndarray:
    """joint_positions computed another way: joint by joint and frame by frame, rotations as quaternions."""
    out = np.empty((len(clip), len(clip.names), 3))
    for frame, row in enumerate(clip.motion):
        values, turns = iter(row), {-1: np.array([1.0, 0, 0, 0])}
        places = {-1: np.zeros(3)}
        for joint, parent in enumerate(clip.parents):
            turn, offset = turns[parent], clip.offsets[joint].copy()
            for kind, value in zip(clip.channels[joint], values, strict=False):
                axis = "xyz".index(kind[0])
                if "position" in kind:
                    offset[axis] = value
                else:
                    half, quaternion = np.radians(value) / 2, np.zeros(4)
                    quaternion[0], quaternion[1 + axis] = np.cos(half), np.sin(half)
                    turn = product(turn, quaternion)
            back = turns[parent] * (1, -1, -1, -1)
            moved = product(product(turns[parent], np.array([0, *offset])), back)[1:]
            turns[joint], places[joint] = turn, places[parent] + moved
            out[frame, joint] = places[joint]
    return out


def random_clip(kinds: list[tuple[str, ...]], seed: int) -> Clip:
    """A chain with these channels, and a second branch."""
    rng, joints, width = np.random.default_rng(seed), len(kinds), sum(map(len, kinds))
    parents = tuple(-1 if j == 0 else max(j - 1 - j % 2, 0) for j in range(joints))
    motion = rng.uniform(-400, 400, (5, width))
    names = tuple(f"joint {j}" for j in range(joints))
    return Clip(names, parents, rng.normal(size=(joints, 3)), tuple(kinds), 0.01, motion, 0)


@pytest.mark.parametrize("order", [*itertools.permutations("xyz"), ("x",), ("z", "y"), ("y", "z")])
def test_every_order_of_rotations(order: tuple[str, ...]) -> None:
    turns = tuple(f"{axis}rotation" for axis in order)
    clip = random_clip([turns] * 4, seed=0)
    np.testing.assert_allclose(joint_positions(clip), by_quaternions(clip), atol=1e-12)  # seen: 2e-15


@pytest.mark.parametrize("seed", range(8))
def test_any_channels_in_any_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilift.poses.read.kinematics._AT_ONCE", 2)
    rng = np.random.default_rng(seed)
    kinds = [tuple(rng.permutation(bvh._KINDS)[: rng.integers(0, 7)].tolist()) for _ in range(7)]
    clip = random_clip(kinds, seed)
    expected = by_quaternions(clip)
    np.testing.assert_allclose(joint_positions(clip), expected, atol=1e-10)
    np.testing.assert_allclose(joint_positions(clip, [5, 2]), expected[:, [5, 2]], atol=1e-10)


def test_position_channels_replace_the_offset(read) -> None:
    text = TWO.replace("CHANNELS 3 Zr", "CHANNELS 4 Yposition Zr")
    text = text.replace("3 0 0 0 0", "3 0 0 0 10 0").replace("90 0 0 0", "90 0 0 12 0")
    upright, turned = joint_positions(read(text))
    np.testing.assert_allclose(upright[1], [1, 12, 3], atol=1e-14)  # not 22
    np.testing.assert_allclose(turned[1], [-11, 2, 3], atol=1e-14)


ROW = "1 2 3 0 0 0 0 0 0\n"
BAD = {
    "empty": ("", "the file is empty"),
    "blank": ("\n \n", "line 2: 'the end of the file' where HIERARCHY is expected; is it a BVH file?"),
    "another format": ("PK\x03\x04", "is a damaged or incomplete zip file, not a .bvh file"),
    "binary": (bytes(range(256)) * 99, "where HIERARCHY is expected"),
    "two roots": (TWO.replace("MOTION", "ROOT Other\n{\n}\nMOTION"), "line 16: a second root, 'Other'"),
    "a root within": (TWO.replace("JOINT", "ROOT"), "line 6: a second root, 'Chest'"),
    "no root": ("HIERARCHY\nMOTION\n", "line 2: MOTION before the tree"),
    "a joint as root": (TWO.replace("ROOT", "JOINT"), "line 2: 'JOINT Hips' is not expected here"),
    "cut in the tree": (TWO[:120], "line 6: the file ends before MOTION"),
    "open brace": (TWO.replace("}\nMOTION", "MOTION"), "line 15: MOTION before the tree of joints is closed"),
    "brace too many": (TWO.replace("MOTION", "}\nMOTION"), "line 16: '}' is not expected"),
    "no brace": (TWO.replace("Chest\n  {", "Chest"), "line 7: 'OFFSET 0 10 0' where { is expected"),
    "two braces": (TWO.replace("Hips\n{", "Hips\n{{"), "line 3: '{' where a joint is expected"),
    "joint in an end": (TWO.replace("OFFSET 0 5 0", "JOINT x"), "line 12: 'JOINT x' is not expected"),
    "end of what": (TWO.replace("End Site", "End"), "line 10: 'End' is not expected"),
    "no offset": (TWO.replace("OFFSET 0 10 0", ""), "line 14: joint Chest has no OFFSET"),
    "two offsets": (TWO.replace("OFFSET 0 10 0", "OFFSET 0 1 0\nOFFSET 0 1 0"), "line 9: OFFSET takes three"),
    "short offset": (TWO.replace("OFFSET 0 10 0", "OFFSET 0 10"), "line 8: OFFSET takes three numbers"),
    "offset of words": (TWO.replace("0 10 0", "0 ten 0"), "line 8: 'ten' is not a number"),
    "offset of nan": (TWO.replace("0 10 0", "0 nan 0"), "line 8: nan is no length or angle"),
    "unknown word": (TWO.replace("OFFSET 0 10", "OFSET 0 10"), "line 8: 'OFSET 0 10 0' is not expected"),
    "wrong count": (TWO.replace("CHANNELS 3", "CHANNELS 4"), "line 9: 'CHANNELS 4 zrotation"),
    "count of words": (TWO.replace("CHANNELS 3", "CHANNELS"), "must be a count and as many different"),
    "unknown channel": (TWO.replace("S 3 Zrot", "S 3 Wrot"), "line 9: 'CHANNELS 3 wrotation"),
    "channel twice": (TWO.replace("S 3 Zrot", "S 3 Yrot"), "line 9: 'CHANNELS 3 yrotation"),
    "channels twice": (TWO.replace("CHANNELS 3", "CHANNELS 1 Xrotation\nCHANNELS 3"), "line 10: CHANN"),
    "nothing moves": (
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n}\nMOTION\nFrames: 1\nFrame Time: 1\n",
        "line 8: no joint has channels",
    ),
    "no frames line": (TWO.replace("Frames: 2", "Frame: 2"), "line 17: expected 'Frames: NUMBER', found"),
    "frames of words": (TWO.replace("Frames: 2", "Frames: two"), "line 17: expected 'Frames: NUMBER'"),
    "negative frames": (TWO.replace("Frames: 2", "Frames: -2"), "line 17: expected 'Frames: NUMBER'"),
    "no frames": (TWO.replace("Frames: 2", "Frames: 0"), "line 18: no frames"),
    "no time": (TWO.replace("Frame Time", "Time"), "line 18: expected 'Frame Time: SECONDS', found 'Time: 0"),
    "time of nothing": (TWO.replace("0.0333333", "0"), "line 18: Frame Time: 0 is neither seconds nor"),
    "time of nan": (TWO.replace("0.0333333", "nan"), "line 18: nan is no length"),
    "ends at MOTION": (TWO[: TWO.index("Frames")], "line 16: expected 'Frames: NUMBER', found 'the end of"),
    "fewer frames": (TWO.replace(ROW, ""), "line 19: 2 frames are announced, 1 are there"),
    "more frames": (TWO + ROW, "line 21: more frames than the 2 announced"),
    "many announced": (TWO.replace("Frames: 2", "Frames: 999999999"), "at most 33554432 together are read"),
    "short row": (TWO.replace(ROW, "1 2 3\n"), "line 19: 3 numbers for 9 channels"),
    "long row": (TWO.replace(ROW, ROW.strip() + " 7 8\n"), "line 19: more numbers for 9 channels"),
    "cut row": (TWO[:-20], "line 20: 3 numbers for 9 channels"),
    "word in a row": (TWO.replace(ROW, ROW.replace("3", "x3")), "line 19: 'x3' is not a number"),
    "nan in a row": (TWO.replace(ROW, ROW.replace("3", "NaN")), "line 19: NaN is no length or angle"),
    "inf in a row": (TWO.replace(ROW, ROW.replace("3", "-inf")), "line 19: -inf is no length"),
    "huge": (TWO.replace(ROW, ROW.replace("3", "1e300")), "line 19: 1e300 is no length"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line_with_file_and_place(name: str, read) -> None:
    text, expected = BAD[name]
    with pytest.raises(InputError) as caught:
        read(text)
    message = str(caught.value)
    assert "a.bvh: " in message
    assert expected in message
    assert "\n" not in message


def test_channels_after_a_child_are_refused(read) -> None:
    late = TWO.replace("  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n", "")
    with pytest.raises(InputError, match="line 14: CHANNELS twice, or after a child"):
        read(late.replace("  }\n}", "  }\n  CHANNELS 1 Xrotation\n}"))


def test_what_is_not_a_file(tmp_path: Path) -> None:
    for path, expected in ((tmp_path, "is a folder"), (tmp_path / "none.bvh", "no such file")):
        with pytest.raises(InputError, match=expected):
            read_bvh(path)


def chain(depth: int) -> str:
    links = "JOINT x\n{\nOFFSET 0 1 0\nCHANNELS 1 Zrotation\n" * (depth - 1)
    root = "ROOT x\n{\nOFFSET 0 0 0\nCHANNELS 1 Zrotation\n"
    motion = "MOTION\nFrames: 1\nFrame Time: 1\n" + " 0" * depth
    return "HIERARCHY\n" + root + links + "}\n" * depth + motion


def test_deep_trees_and_their_limit(read) -> None:
    np.testing.assert_allclose(joint_positions(read(chain(1000)))[0, -1], [0, 999, 0], atol=1e-9)
    with pytest.raises(InputError, match="line 4002: more than 1000 joints"):
        read(chain(1001))


def test_files_that_are_too_large(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LARGEST_CLIP", len(TWO) - 1)
    with pytest.raises(InputError, match="larger than 0 MB; cut the clip"):
        read(TWO)


def test_a_small_file_takes_little_memory(read) -> None:
    """Whatever it announces: here 16 million frames, of which two are there."""
    tracemalloc.start()
    with pytest.raises(InputError, match="16000000 frames are announced, 2 are there"):
        read(TWO.replace("Frames: 2", "Frames: 16000000"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_raise_nothing_else(seed: int, read) -> None:
    """Bytes changed, cut out, doubled and swapped: a clip, whose joints are finite, or an InputError."""
    rng, good = np.random.default_rng(seed), TWO.encode()
    pieces = [
        b"{",
        b"}",
        b"\n",
        b" ",
        b"nan",
        b"1e999",
        b"-",
        b"\xff",
        b"\0",
        b"JOINT a",
        b"End Site",
        b"9" * 400,
    ]
    for _ in range(25):
        text = good
        for _ in range(rng.integers(1, 4)):
            a, b = sorted(rng.integers(0, len(text) + 1, 2).tolist())
            b = min(b, a + int(rng.integers(0, 60)))
            put = (b"", text[a:b] * 2, pieces[rng.integers(len(pieces))], rng.bytes(3))[rng.integers(4)]
            text = text[:a] + put + text[b:]
        try:
            clip = read(text)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert np.isfinite(joint_positions(clip)).all()


@pytest.mark.skipif(not CLIPS, reason="the BVH clips (for local testing only) are not on this machine")
@pytest.mark.parametrize("name", CLIPS)
def test_real_clips(name: str) -> None:
    """Two other programs agree on what is expected; float32, metres, the root first."""
    path = REAL / f"{name}.bvh"
    clip = read_bvh(path)
    found = find_joints(path, clip.names, clip.parents, clip.offsets)
    joints = found.place(joint_positions(clip, found.rows))
    joints *= UNITS[guess_unit(path, joints)]
    expected = np.load(REAL / f"{name}_expected.npy")
    np.testing.assert_allclose(joints, expected[:, 1:], atol=1e-5)  # worst seen: 2.4e-7
    np.testing.assert_allclose(joints[:, [0, 3]].mean(axis=1), expected[:, 0], atol=1e-5)
