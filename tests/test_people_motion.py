"""Lifted people as BVH, glTF, TRC and C3D: read back by other code, every joint is where it belongs."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from walkers import in_axes, walkers

from minilift.errors import InputError
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.kinematics import joint_positions
from minilift.poses.write.people import motion as motion_module
from minilift.poses.write.people.bvh import write_bvh, write_rigid_bvh
from minilift.poses.write.people.gltf import write_glb
from minilift.poses.write.people.markers import MARKERS, write_c3d, write_trc
from minilift.poses.write.people.motion import motion_of
from minilift.poses.write.people.rig import NODES, every_frame, joints_of, rig
from minilift.poses.write.people.rows import Written, typed
from minilift.poses.write.people.turns import blend, euler_zxy, frame, matrices, quaternions, swing

MILLIMETRE = 1e-3
NAMES = ("root", *COURSE15.joints)
Writer = Callable[[Path, LiftedPeople], Written]
ALL: tuple[tuple[str, Writer], ...] = (
    ("bvh", write_bvh), ("rigid.bvh", write_rigid_bvh), ("glb", write_glb), ("trc", write_trc),
    ("c3d", write_c3d),
)  # fmt: skip


def clip(frames: int = 40, people: int = 1, **changes: Any) -> LiftedPeople:
    """People whose bones keep their lengths; the last of several lacks frames 120 to 131."""
    found = typed(walkers(frames, max(2, people), **changes))
    if people > 1:
        return found
    one = found.take(found.person == 0)
    return replace(one, person=np.full(len(one), 3))


def shaken(people: LiftedPeople, size: float = 0.02) -> LiftedPeople:
    """The same with bones that change their lengths from frame to frame."""
    rng = np.random.default_rng(5)
    noise = size * rng.standard_normal(people.joint_3d.shape)
    return replace(people, joint_3d=(people.joint_3d + noise).astype(np.float32))


def true_points(people: LiftedPeople, person: int) -> np.ndarray:
    """(f, 16, 3) of one person, root first."""
    rows = people.person == person
    return np.concatenate([people.root[rows][:, None], people.joint_3d[rows]], axis=1).astype(np.float64)


# ---- turns ---------------------------------------------------------------------------------------------


def random_turns(n: int, seed: int = 0) -> np.ndarray:
    q = np.random.default_rng(seed).standard_normal((n, 4))
    return matrices(q / np.linalg.norm(q, axis=1, keepdims=True))


def test_quaternions_and_angles_are_the_rotations() -> None:
    turns = random_turns(500)
    turns = np.concatenate(
        [turns, np.eye(3)[None], np.diag([1.0, -1, -1])[None], np.diag([-1.0, -1, 1])[None]]
    )
    found = quaternions(turns)
    np.testing.assert_allclose(matrices(found), turns, atol=1e-12)
    assert ((found[1:] * found[:-1]).sum(axis=1) >= 0).all()  # each on the side of the one before
    z, x, y = np.radians(euler_zxy(turns)).T
    np.testing.assert_allclose(product(z, x, y), turns, atol=1e-12)


def product(z: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rz Rx Ry, written out."""
    one, none = np.ones_like(x), np.zeros_like(x)
    rz = [np.cos(z), -np.sin(z), none, np.sin(z), np.cos(z), none, none, none, one]
    rx = [one, none, none, none, np.cos(x), -np.sin(x), none, np.sin(x), np.cos(x)]
    ry = [np.cos(y), none, np.sin(y), none, one, none, -np.sin(y), none, np.cos(y)]
    a, b, c = (np.stack(part, axis=1).reshape(-1, 3, 3) for part in (rz, rx, ry))
    return a @ b @ c


@pytest.mark.parametrize("angle", [90.0, -90.0])
def test_angles_where_two_axes_are_one(angle: float) -> None:
    x = np.full(9, np.radians(angle))
    z, y = np.linspace(-3, 3, 9), np.linspace(1, -1, 9)
    turns = product(z, x, y)
    np.testing.assert_allclose(product(*np.radians(euler_zxy(turns)).T), turns, atol=1e-6)


def test_angles_do_not_jump() -> None:
    z = np.linspace(0, 20, 200)
    assert np.abs(np.diff(euler_zxy(product(z, 0.3 * np.sin(z), 2 * z)), axis=0)).max() < 15


def test_swing_is_the_smallest_turn_that_gets_there() -> None:
    start, rest = random_turns(200), np.array([0, -1.0, 0])
    towards = np.random.default_rng(1).standard_normal((200, 3))
    towards[0], towards[1] = start[0] @ rest, -start[1] @ rest  # none, and half a turn
    found = swing(start, rest, towards)
    there = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    np.testing.assert_allclose(found @ rest, there, atol=1e-12)
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (200, 1, 1)), atol=1e-12)
    assert np.linalg.det(found).min() > 0.999
    turned = np.arccos(np.clip((np.trace(found @ start.transpose(0, 2, 1), axis1=1, axis2=2) - 1) / 2, -1, 1))
    between = np.arccos(np.clip((start @ rest * there).sum(axis=1), -1, 1))
    np.testing.assert_allclose(turned, between, atol=1e-6)


def test_frames_of_three_points() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 50, 3))
    b[0], a[1] = a[0], 0  # parallel, and no direction at all
    for axes in ((0, 1), (1, 0)):
        found = frame(a, b, axes)
        np.testing.assert_allclose(
            found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (50, 1, 1)), atol=1e-9
        )
        assert np.linalg.det(found).min() > 0.999
        assert ((found[2:, :, axes[1]] * b[2:]).sum(axis=1) > 0).all()
        along = (found[2:, :, axes[0]] * a[2:]).sum(axis=1)
        np.testing.assert_allclose(along, np.linalg.norm(a[2:], axis=1))


def test_blending_is_even_and_short() -> None:
    q = quaternions(product(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2)))
    share = np.array([0.0, 0.25, 1.0])
    for end in (q[1], -q[1]):
        found = blend(np.tile(q[0], (3, 1)), np.tile(end, (3, 1)), share)
        np.testing.assert_allclose(np.degrees(share), euler_zxy(matrices(found))[:, 0], atol=1e-9)


# ---- the skeleton --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shake", [0.0, 0.05])
def test_the_skeleton_has_its_joints_where_they_are(shake: float) -> None:
    mover = motion_of("a", shaken(clip(), shake)).movers[0]
    rigged = rig(mover)
    found = joints_of(rigged)
    np.testing.assert_allclose(found, mover.points[:, [node.at for node in NODES]], atol=1e-9)
    assert (rigged.off < 1e-5) == (shake == 0)  # float32: bones that keep their lengths need no places


def test_gaps_are_filled_by_turning() -> None:
    mover = motion_of("a", clip(60, 2)).movers[1]
    assert mover.span == len(mover.frames) + 12
    whole = every_frame(rig(mover))
    assert whole.frames.tolist() == list(range(100, 160))
    found = joints_of(whole)
    rows = mover.frames - 100
    np.testing.assert_allclose(found[rows], mover.points[:, [node.at for node in NODES]], atol=1e-6)
    knee = [node.name for node in NODES].index("left_knee")
    thigh = np.linalg.norm(found[:, knee] - found[:, NODES[knee].parent], axis=1)
    np.testing.assert_allclose(thigh, thigh[0], atol=1e-5)
    speed = np.linalg.norm(np.diff(found[18:34], axis=0), axis=2).max()
    assert 0.01 < speed < 0.2  # metres a frame


# ---- BVH -----------------------------------------------------------------------------------------------


def bvh_points(path: Path) -> tuple[np.ndarray, Any]:
    """(f, 16, 3) metres by the project's own reader and kinematics, and the clip."""
    found = read_bvh(path)
    return joint_positions(found, [found.names.index(name) for name in NAMES]) / 100, found


def test_bvh_of_bones_that_keep_their_lengths(tmp_path: Path) -> None:
    people = clip()
    written = write_bvh(tmp_path / "a.bvh", people)
    found, read = bvh_points(tmp_path / "a.bvh")
    assert written.files == (tmp_path / "a.bvh",)
    assert [len(channels) for channels in read.channels] == [6] + [3] * (len(NODES) - 1)
    assert read.fps == pytest.approx(25)
    assert np.abs(found - true_points(people, 3)).max() < 0.01 * MILLIMETRE  # seen: 0.002 mm
    assert written.notes == ("bvh: y up, centimetres",)


def test_bvh_of_bones_that_change_their_lengths(tmp_path: Path) -> None:
    people = shaken(clip())
    written = write_bvh(tmp_path / "a.bvh", people)
    found, read = bvh_points(tmp_path / "a.bvh")
    assert [len(channels) for channels in read.channels] == [6] * len(NODES)
    assert np.abs(found - true_points(people, 3)).max() < 0.01 * MILLIMETRE
    assert "every joint has a position" in written.notes[-1]
    written = write_rigid_bvh(tmp_path / "b.bvh", people)
    found, read = bvh_points(tmp_path / "b.bvh")
    assert {len(channels) for channels in read.channels[1:]} == {3}
    off = np.linalg.norm(found - true_points(people, 3), axis=2).max() * 1000
    assert f"up to {off:.0f} mm off" in written.notes[-1]


def test_bvh_of_several_people_is_a_file_each(tmp_path: Path) -> None:
    people = clip(60, 2)
    written = write_bvh(tmp_path / "walk.bvh", people)
    assert [file.name for file in written.files] == ["walk_person0.bvh", "walk_person1.bvh"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["walk_person0.bvh", "walk_person1.bvh"]
    for person, file in enumerate(written.files):
        found, _ = bvh_points(file)
        assert len(found) == 60
        rows = people.frame[people.person == person] - 100
        assert np.abs(found[rows] - true_points(people, person)).max() < 0.01 * MILLIMETRE
    assert "bvh, person 1: 12 frames without them are filled, turning evenly" in written.notes
    assert "bvh, person 1: begins at frame 100" in written.notes


# ---- glTF ----------------------------------------------------------------------------------------------


def glb_points(path: Path, person: int) -> tuple[np.ndarray, np.ndarray]:
    """Times, and (f, 16, 3), of one person: by pygltflib, and kinematics of nodes and channels."""
    pygltflib = pytest.importorskip("pygltflib")
    document = pygltflib.GLTF2().load(str(path))
    blob = document.binary_blob()
    names = [node.name for node in document.nodes]

    def array(number: int) -> np.ndarray:
        accessor = document.accessors[number]
        assert accessor.componentType == pygltflib.FLOAT
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
        start = document.bufferViews[accessor.bufferView].byteOffset
        return np.frombuffer(blob, "<f4", accessor.count * width, start).reshape(-1, width)

    moves: dict[tuple[int, str], np.ndarray] = {}
    times = np.zeros(0)
    animation = document.animations[0]
    for channel in animation.channels:
        if names[channel.target.node].startswith(f"person{person}_"):
            sampler = animation.samplers[channel.sampler]
            times = array(sampler.input)[:, 0]
            moves[channel.target.node, channel.target.path] = array(sampler.output)
    parents = {child: k for k, node in enumerate(document.nodes) for child in node.children or []}

    def place(k: int) -> tuple[np.ndarray, np.ndarray]:
        node = document.nodes[k]
        still = np.tile(node.translation, (len(times), 1))
        where = moves.get((k, "translation"), still).astype(np.float64)
        turn = matrices(
            moves.get((k, "rotation"), np.tile([0, 0, 0, 1.0], (len(times), 1))).astype(np.float64)
        )
        if k not in parents:
            return where, turn
        before, turned = place(parents[k])
        return before + np.einsum("fij,fj->fi", turned, where), turned @ turn

    return times, np.stack([place(names.index(f"person{person}_{name}"))[0] for name in NAMES], axis=1)


@pytest.mark.parametrize("shake", [0.0, 0.02])
def test_glb_has_everybody_in_place(shake: float, tmp_path: Path) -> None:
    people = shaken(clip(60, 2), shake)
    written = write_glb(tmp_path / "a.glb", people)
    for person in (0, 1):
        times, found = glb_points(tmp_path / "a.glb", person)
        np.testing.assert_allclose(times, (people.frame[people.person == person] - 100) / 25, atol=1e-6)
        assert np.abs(found - true_points(people, person)).max() < 0.1 * MILLIMETRE  # seen: 0.002 mm
    assert written.files == (tmp_path / "a.glb",)


def test_glb_of_one_who_does_not_move(tmp_path: Path) -> None:
    people = clip(4)
    people = replace(people, joint_3d=people.joint_3d - people.root[:, None], root=0 * people.root)
    write_glb(tmp_path / "a.glb", people)
    found = glb_points(tmp_path / "a.glb", 3)[1]
    assert np.abs(found - true_points(people, 3)).max() < 0.1 * MILLIMETRE


def test_glb_is_well_formed(tmp_path: Path) -> None:
    """What Khronos's validator checks first: lengths, alignment, bounds, unit quaternions."""
    write_glb(tmp_path / "a.glb", clip(60, 2))
    raw = (tmp_path / "a.glb").read_bytes()
    magic, version, total, length, kind = struct.unpack_from("<4sIIII", raw)
    assert (magic, version, total, kind) == (b"glTF", 2, len(raw), 0x4E4F534A)
    document = json.loads(raw[20 : 20 + length])
    size, kind = struct.unpack_from("<II", raw, 20 + length)
    assert (kind, size) == (0x004E4942, document["buffers"][0]["byteLength"])
    assert 28 + length + size == len(raw)
    body = raw[28 + length :]
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        if accessor["componentType"] != 5126:
            continue
        found = np.frombuffer(body, "<f4", view["byteLength"] // 4, view["byteOffset"])
        if "min" in accessor:
            rows = found.reshape(accessor["count"], -1)
            assert rows.min(axis=0).tolist() == accessor["min"]
            assert rows.max(axis=0).tolist() == accessor["max"]
    for sampler, channel in zip(
        document["animations"][0]["samplers"], document["animations"][0]["channels"], strict=True
    ):
        if channel["target"]["path"] == "rotation":
            view = document["bufferViews"][document["accessors"][sampler["output"]]["bufferView"]]
            found = np.frombuffer(body, "<f4", view["byteLength"] // 4, view["byteOffset"]).reshape(-1, 4)
            np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert len(document["skins"]) == 2
    assert document["scenes"][0]["nodes"] == [0, 19, 20, 39]


# ---- TRC and C3D ---------------------------------------------------------------------------------------


def read_trc(path: Path) -> tuple[dict[str, str], list[str], np.ndarray, np.ndarray]:
    """Header, markers, frame numbers and times (f, 2), points (f, m, 3): as OpenSim's documentation says."""
    lines = path.read_text().split("\n")
    assert lines[0].split("\t") == ["PathFileType", "4", "(X/Y/Z)", path.name]
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert lines[3].split("\t")[:2] == ["Frame#", "Time"]
    markers = lines[3].split("\t")[2::3]
    count = int(header["NumMarkers"])
    assert lines[4].split("\t")[2:] == [f"{axis}{k}" for k in range(1, count + 1) for axis in "XYZ"]
    assert lines[5] == ""
    assert lines[-1] == ""
    rows = [line.split("\t") for line in lines[6:-1]]
    assert {len(row) for row in rows} == {2 + 3 * count}
    numbers = np.array([[float(cell or "nan") for cell in row] for row in rows])
    return header, [name for name in markers if name], numbers[:, :2], numbers[:, 2:].reshape(-1, count, 3)


def test_trc_has_every_marker(tmp_path: Path) -> None:
    people = clip(60, 2)
    written = write_trc(tmp_path / "walk.trc", people)
    for person, file in enumerate(written.files):
        header, markers, clock, points = read_trc(file)
        assert tuple(markers) == MARKERS
        assert {key: header[key] for key in ("Units", "DataRate", "NumFrames", "OrigDataStartFrame")} == {
            "Units": "m", "DataRate": "25", "NumFrames": "60", "OrigDataStartFrame": "100",
        }  # fmt: skip
        assert clock[:, 0].tolist() == list(range(100, 160))
        np.testing.assert_allclose(clock[:, 1], clock[:, 0] / 25)
        there = np.isin(clock[:, 0], people.frame[people.person == person])
        assert np.abs(points[there] - true_points(people, person)).max() < 0.01 * MILLIMETRE
        assert np.isnan(points[~there]).all()
    assert written.notes[-1] == "trc, person 1: 12 frames without them are gaps"
    assert MARKERS[:4] == ("Hip", "RHip", "RKnee", "RAnkle")


def test_trc_header_is_that_of_pose2sim(tmp_path: Path) -> None:
    real = ROOT.parent / "shared" / "data" / "keypoints" / "writers" / "pose2sim_20_frames_real.trc"
    if not real.is_file():
        pytest.skip("the file that Pose2Sim wrote (not part of the project) is not on this machine")
    write_trc(tmp_path / "a.trc", clip())
    theirs, ours = (file.read_text().split("\n") for file in (real, tmp_path / "a.trc"))
    assert ours[0].split("\t")[:3] == theirs[0].split("\t")[:3]
    assert ours[1].split() == theirs[1].split()
    assert [len(line.split("\t")) for line in ours[2:3]] == [len(line.split("\t")) for line in theirs[2:3]]
    assert ours[3].split("\t")[:6] == [*theirs[3].split("\t")[:2], "Hip", "", "", "RHip"]
    known = {name for name in theirs[3].split("\t") if name}
    assert set(MARKERS) - known == {"Hip", "Spine"}


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_c3d_has_every_marker(axes: str, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    people = in_axes(clip(60, 2), axes)
    written = write_c3d(tmp_path / "walk.c3d", typed(people))
    for person, file in enumerate(written.files):
        found = ezc3d.c3d(str(file))
        point = found["parameters"]["POINT"]
        assert tuple(point["LABELS"]["value"]) == MARKERS
        assert point["UNITS"]["value"] == ["mm"]
        assert point["RATE"]["value"] == [25]
        up = "+Z" if axes == "z-up" else "+Y"
        assert (point["X_SCREEN"]["value"], point["Y_SCREEN"]["value"]) == (["+X"], [up])
        assert found["header"]["points"]["first_frame"] == 100
        points = found["data"]["points"][:3].transpose(2, 1, 0) / 1000
        assert len(points) == 60
        rows = people.frame[people.person == person] - 100
        gone = np.setdiff1d(np.arange(60), rows)
        assert np.abs(points[rows] - true_points(people, person)).max() < 0.1 * MILLIMETRE
        assert np.isnan(points[gone]).all()
        residuals = found["data"]["meta_points"]["residuals"][0].T
        assert (residuals[gone] == -1).all()
        assert (residuals[rows] == 0).all()


# ---- what all of them share ----------------------------------------------------------------------------


def trc_points(path: Path) -> np.ndarray:
    return read_trc(path)[3]


@pytest.mark.parametrize("axes", ["z-up", "camera"])
def test_y_is_up_from_any_axes(axes: str, tmp_path: Path) -> None:
    people = clip()
    written = write_trc(tmp_path / "a.trc", typed(in_axes(people, axes)))
    found, wanted = trc_points(tmp_path / "a.trc"), true_points(people, 3)
    if axes == "camera":
        turn, shift = people.to_camera[:, :3], people.to_camera[:, 3]
        wanted = wanted @ turn.T + shift
        assert any("people lean" in note for note in written.notes)
    assert np.abs(found - wanted).max() < 0.01 * MILLIMETRE


@pytest.mark.parametrize(("name", "write"), ALL)
def test_without_metres_a_stature_is_assumed_and_said(name: str, write: Writer, tmp_path: Path) -> None:
    people = clip(20)
    small = replace(people, unit="root-depth", joint_3d=people.joint_3d / 6.8, root=people.root / 6.8)
    written = write(tmp_path / f"a.{name}", small)
    assert any("people 1.7 m tall" in note for note in written.notes)
    found = motion_of("a", small).movers[0].points
    ratio = np.linalg.norm(found[:, 3] - found[:, 2], axis=1) / np.linalg.norm(
        people.joint_3d[:, 2] - people.joint_3d[:, 1], axis=1
    )
    assert np.ptp(ratio) < 1e-3
    assert 0.85 < ratio.mean() < 1.15  # a body of 1.5 to 1.9 m


@pytest.mark.parametrize(("name", "write"), ALL)
def test_unknown_rate_and_stills_are_said(name: str, write: Writer, tmp_path: Path) -> None:
    people = replace(clip(6), fps=None, stills=True)
    people = replace(people, frame=np.array([3, 50, 51, 800, 900_000_000, 900_000_001]))
    written = write(tmp_path / f"a.{name}", people)
    assert any("30 frames per second assumed" in note for note in written.notes)
    assert any("nothing to do with each other" in note for note in written.notes)


@pytest.mark.parametrize(("name", "write"), ALL)
def test_equal_people_give_equal_bytes_and_rows_without_a_joint_are_gaps(
    name: str, write: Writer, tmp_path: Path
) -> None:
    people = clip(20)
    people.joint_3d[5], people.root[5] = np.nan, np.nan
    one, two = write(tmp_path / "1" / f"a.{name}", people), write(tmp_path / "2" / f"a.{name}", people)
    assert one.files[0].read_bytes() == two.files[0].read_bytes()
    assert b"nan" not in one.files[0].read_bytes().lower()
    assert one.notes == two.notes


@pytest.mark.parametrize(("name", "write"), ALL)
def test_what_cannot_be_written_is_one_line(
    name: str, write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody, file = clip(5), tmp_path / f"a.{name}"
    nobody.joint_3d[:], nobody.root[:] = np.nan, np.nan
    far = replace(clip(2), frame=np.array([0, 10**12]))
    monkeypatch.setattr(motion_module, "MOST_PEOPLE", 2)
    for people, told in ((nobody, "no person with a joint"), (far, "more than"), (clip(5, 3), "3 people")):
        with pytest.raises(InputError, match=told) as problem:
            write(file, people)
        assert str(problem.value).startswith(str(file))
        assert "\n" not in str(problem.value)
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_never_is_whole_has_no_skeleton(tmp_path: Path) -> None:
    people = clip(5)
    people.joint_3d[:, 4] = np.nan
    for write in (write_bvh, write_glb):
        with pytest.raises(InputError, match="nobody has all joints"):
            write(tmp_path / "a", people)
    write_trc(tmp_path / "a.trc", people)
    assert np.isnan(trc_points(tmp_path / "a.trc")[:, 5]).all()
    assert np.isfinite(trc_points(tmp_path / "a.trc")[:, 6]).all()


def test_who_never_is_whole_is_left_out_and_named(tmp_path: Path) -> None:
    people = clip(5, 2)
    people.joint_3d[people.person == 0, 4] = np.nan
    written = write_bvh(tmp_path / "a.bvh", people)
    assert written.files == (tmp_path / "a.bvh",)
    assert "person 0 is left out: never with all joints in one frame" in written.notes


def test_a_body_without_a_bone_has_no_stature(tmp_path: Path) -> None:
    people = replace(clip(5), unit="root-depth")
    people.joint_3d[:] = np.nan
    assert any("1 unit is 1 m" in note for note in write_trc(tmp_path / "a.trc", people).notes)
