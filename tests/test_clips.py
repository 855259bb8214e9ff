"""minilift data clips: frames, cameras, files, and every way to call it wrongly."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from asf_texts import BONES, FRAMES
from bvh_texts import BANDAI, POSER, TWO, person

from minilift import Lifter, LiftModel
from minilift.cli.data import main
from minilift.cli.eval import main as evaluate
from minilift.errors import InputError
from minilift.poses.clips.cameras import seen
from minilift.poses.clips.frames import Choices, load_clip, moved, rest_pose
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import load_poses, load_scale
from minilift.poses.read.joints.maps import JointMap


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bvh").write_text(person(POSER, frames=12))
    (tmp_path / "walks").mkdir()
    (tmp_path / "walks" / "b.BVH").write_text(person(BANDAI, frames=9, seed=1, first=60, fps=120))
    return tmp_path


def run(*args: object) -> int:
    return main(["clips", *map(str, args)])


def made(name: str = "poses.pkl") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    poses = load_poses(name, need_3d=True)
    scale = load_scale(name.replace(".pkl", "_scale.npy").replace(".npz", "_scale.npy"), len(poses))
    return np.asarray(poses.joint_2d), np.asarray(poses.joint_3d), scale


def turned(joint_3d: np.ndarray, joints: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The cameras (N, 3, 3) that show `joints` (metres from the mid-hip) as joint_3d, by least squares."""
    out = []
    for seen_3d, true, metres in zip(joint_3d.astype(float), joints, scale, strict=True):
        camera, residual, rank, _ = np.linalg.lstsq(true, (seen_3d - (0, 0, -1)) * metres, rcond=None)
        assert rank == 3
        assert residual.max() < 1e-10
        out.append(camera.T)
    return np.array(out)


def test_cameras_are_rotations_within_the_ranges() -> None:
    Path("long.bvh").write_text(person(POSER, frames=300))
    assert run("long.bvh", "--views", 4, "--elevation", 5, 20, "--distance", 3, 4) == 0
    _, joint_3d, scale = made()
    joints = np.tile(load_clip("long.bvh", Choices()).joints, (4, 1, 1))
    cameras = turned(joint_3d, joints, scale)
    np.testing.assert_allclose(
        cameras @ cameras.transpose(0, 2, 1), np.tile(np.eye(3), (1200, 1, 1)), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.det(cameras), 1, atol=1e-5)  # nobody is mirrored
    np.testing.assert_allclose(cameras[:, 0, 1], 0, atol=1e-5)  # no roll
    elevation = np.degrees(np.arcsin(cameras[:, 2, 1]))  # a camera above sees what is up nearer to it
    azimuth = np.degrees(np.arctan2(-cameras[:, 0, 2], cameras[:, 0, 0]))
    for found, low, high in ((elevation, 5, 20), (azimuth, -180, 180), (scale, 3, 4)):
        width = high - low
        assert low - 1e-3 <= found.min() < low + 0.02 * width
        assert high - 0.02 * width < found.max() <= high + 1e-3
        assert abs(found.mean() - (low + high) / 2) < 0.05 * width
    assert len(np.unique(scale)) == 1200


def test_files_keep_the_conventions_and_the_bodies(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("a.bvh", "walks", "--views", 2, "--out", "cmu.npz") == 0
    out = capsys.readouterr().out
    assert "1 clip: skeleton Poser and DAZ, unit centimetres, guessed from the legs" in out
    assert "bones in cm: thigh 40.0, shin 40.0, hips 18.0, upper arm 28.0, forearm 25.0\n" in out
    assert "left out the first frames where they are a rest pose" in out
    assert "walks/b.BVH (1, 0." in out
    assert "kept 20 of 21 frames, 30 (1 clip), 120 (1 clip) per second; 2 views\n" in out
    assert "wrote 40 poses to cmu.npz and cmu_scale.npy\nnext: minilift data info cmu.npz\n" in out
    joint_2d, joint_3d, scale = made("cmu.npz")
    assert joint_2d.dtype == joint_3d.dtype == np.float32
    np.testing.assert_allclose(joint_2d, joint_3d[..., :2] / -joint_3d[..., 2:], atol=1e-6)
    np.testing.assert_allclose(joint_3d[:, [0, 3]].mean(axis=1), np.tile((0, 0, -1), (40, 1)), atol=1e-6)
    metres = COURSE15.bone_lengths(joint_3d) * scale[:, None]
    np.testing.assert_allclose(
        metres[:, [1, 2, 11]], np.tile((0.4, 0.4, np.hypot(0.25, 0.01)), (40, 1)), atol=1e-5
    )
    assert main(["info", "cmu.npz"]) == 0
    told = capsys.readouterr().out
    assert "so the root depth is 1.0000: as expected" in told
    assert "the 2D points are x/-z, y/-z\n" in told


def test_left_is_left_and_up_is_up() -> None:
    """Seen from in front, the person's left hand is on the right of the image."""
    joints = load_clip("a.bvh", Choices()).joints.mean(axis=0)
    assert (
        joints[COURSE15.index("left_shoulder"), 0] > 0.1 > -0.1 > joints[COURSE15.index("right_shoulder"), 0]
    )
    assert joints[COURSE15.index("head"), 1] > 0.4
    assert joints[COURSE15.index("left_ankle"), 1] < -0.7


def test_a_file_whose_up_is_z(capsys: pytest.CaptureFixture[str]) -> None:
    """The same person, written in axes X forward, Y left, Z up: they go round by one place."""
    onto = {"X": "Y", "Y": "Z", "Z": "X"}
    text = re.sub("[XYZ](?=rotation|position)", lambda axis: onto[axis[0]], person(POSER))
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("OFFSET"):
            x, y, z = line.split()[1:]
            lines[number] = f"OFFSET {z} {x} {y}"
    Path("z.bvh").write_text("\n".join(lines))
    there = load_clip("z.bvh", Choices(up="z")).joints
    np.testing.assert_allclose(there, load_clip("a.bvh", Choices()).joints, atol=1e-12)
    assert run("z.bvh", "--out", "z.pkl") == 0
    told = capsys.readouterr().out
    assert "warning: the axis z seems to point up: along it the neck is 100%" in told
    assert "if it does, give --up z (z.bvh)\n" in told
    assert run("z.bvh", "--up", "z", "--force", "--out", "z.pkl") == 0
    assert "warning" not in capsys.readouterr().out


def test_the_same_seed_the_same_bits_and_nothing_else_matters() -> None:
    def bits(*args: object) -> list[bytes]:
        assert run(*args, "--out", "x.npz", "--force") == 0
        return [pose.tobytes() for pose in made("x.npz")[1]]

    alone = bits("a.bvh", "--views", 3)
    assert bits("a.bvh", "--views", 3) == alone
    assert not set(bits("a.bvh", "--views", 3, "--seed", 1)) & set(alone)
    assert bits("a.bvh") == alone[:12]
    assert bits("walks", "a.bvh", "--views", 3)[-36:] == alone
    assert bits("a.bvh", "--views", 3, "--every", 5) == [
        alone[12 * v + f] for v in range(3) for f in (0, 5, 10)
    ]
    assert bits("a.bvh", "./a.bvh", ".", "--views", 3)[:36] == alone
    assert len(bits("a.bvh", "./a.bvh", ".")) == 20  # each file once
    assert run("a.bvh", "--views", 3, "--out", "y.npz") == run(
        "a.bvh", "--views", 3, "--out", "x.npz", "--force"
    )
    for end in (".npz", "_scale.npy"):
        assert Path(f"x{end}").read_bytes() == Path(f"y{end}").read_bytes()


def test_one_camera_for_each_view_of_a_clip_goes_along(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("a.bvh", "walks", "--views", 2, "--every", 3, "--camera", "clip", "--keep-first") == 0
    clips = np.load("poses_clips.npy")
    assert clips.tolist() == [0] * 4 + [1] * 4 + [2] * 3 + [3] * 3
    _, joint_3d, scale = made()
    joints = np.concatenate([np.tile(load_clip(name, Choices(every=3, keep_first=True)).joints, (2, 1, 1))
                             for name in ("a.bvh", "walks/b.BVH")])  # fmt: skip
    cameras = turned(joint_3d, joints, scale)
    for clip in range(4):
        own = cameras[clips == clip]
        np.testing.assert_allclose(own, np.tile(own[0], (len(own), 1, 1)), atol=1e-5)
        assert len(np.unique(scale[clips == clip])) == 1
    assert len(np.unique(scale)) == 4
    out = capsys.readouterr().out
    assert "next: minilift eval --data poses.pkl --clips poses_clips.npy --fps F\n" in out
    assert run("a.bvh", "--every", 3, "--camera", "clip", "--force") == 0
    assert "--clips poses_clips.npy --fps 10\n" in capsys.readouterr().out
    assert run("a.bvh", "--force") == 0
    assert not Path("poses_clips.npy").exists()  # they were of other poses


def test_eval_takes_what_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    Lifter(LiftModel(hidden_layer=16)).save("liftModel")
    run("a.bvh", "--views", 2, "--camera", "clip", "--out", "cmu.npz")
    capsys.readouterr()
    assert evaluate(["--data", "cmu.npz", "--clips", "cmu_clips.npy", "--fps", "30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["velocity_error"] > 0
    assert found["mpjpe_mm"] > 0


def still(frames: int = 20, speed: float = 0.01) -> np.ndarray:
    """A pose that moves to the right by `speed` metres a frame."""
    pose = np.random.default_rng(0).normal(size=(15, 3))
    return pose + np.arange(frames)[:, None, None] * (speed, 0, 0)


def test_what_is_a_rest_pose() -> None:
    assert rest_pose(still(), 30) == (0, 0)
    assert rest_pose(still(speed=0), 30) == (0, 0)
    assert rest_pose(still(1), 30) == rest_pose(still(2, 9), 30) == (0, 0)  # nothing to compare with
    for jump, is_rest in ((0.2, True), (0.06, True), (0.04, False)):  # steps of 1 cm; 5 of them is usual
        joints = still()
        joints[0] -= (jump - 0.01, 0, 0)
        assert rest_pose(joints, 30) == ((1, pytest.approx(jump)) if is_rest else (0, 0))
    slow = still(speed=0.001)
    slow[0] += (0, 0.02, 0)  # 20 times a step, but nothing
    assert rest_pose(slow, 30) == (0, 0)
    stops = still(speed=0.001)
    stops[:5] += np.linspace(0.4, 0, 6)[:5, None, None]  # comes to rest within five frames
    assert rest_pose(stops, 30) == (0, 0)


def test_frames_before_a_jump_that_nobody_makes_are_no_movement() -> None:
    """As in CMU's 16_15.bvh: a rest pose, then two frames whose left arm is not solved yet."""
    joints = still(speed=0.001)
    joints[0] += 0.15
    joints[:3, 9:12] += (0, 0.4, 0)
    count, far = rest_pose(joints, 120)
    assert (count, far) == (3, pytest.approx(0.08, abs=0.002))
    assert rest_pose(joints, 30)[0] == 1  # at this rate it may have been a wave of the arm
    late = still(40, speed=0.001)
    late[:20] += 0.3  # a jump within the clip is no matter of its start
    assert rest_pose(late, 120) == (0, 0)


def test_near_duplicates_go() -> None:
    joints = still(20, 0.01)
    assert moved(joints, 0.0251).tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert moved(joints[:1], 9).tolist() == [0]
    some = np.cumsum(np.random.default_rng(1).normal(size=(50, 15, 3)) * 0.01, axis=0)
    kept = moved(some, 0.04)
    assert 5 < len(kept) < 45
    for last, row in pairwise(kept):
        far = [np.sqrt(((some[i] - some[last]) ** 2).sum(1)).mean() for i in range(last + 1, row + 1)]
        assert max(far[:-1], default=0) < 0.04 <= far[-1]
    assert run("a.bvh", "--min-move", 0.03) == 0
    assert len(made()[0]) < 12


def test_a_map_and_a_unit(capsys: pytest.CaptureFixture[str]) -> None:
    names = {joint: f"j{row}" for row, joint in enumerate(COURSE15.joints)}
    mine = JointMap("mine", names)
    Path("m.bvh").write_text(person(mine, cm=3))
    Path("m.json").write_text(json.dumps({**names, "metres_per_file_unit": 1 / 300}))
    assert run("m.bvh") == 2
    assert "m.bvh: no right hip among its 16 joints" in capsys.readouterr().err
    assert run("m.bvh", "--map", "m.json") == 0
    assert (
        "skeleton m.json, unit 0.00333333 m, from the map\n  bones in cm: thigh 40.0"
        in capsys.readouterr().out
    )
    assert run("m.bvh", "--map", "m.json", "--unit", 0.005, "--force") == 0
    assert "unit 0.005 m\n  bones in cm: thigh 60.0" in capsys.readouterr().out


WRONG = {
    "none.bvh": "none.bvh: no such file",
    "empty": "empty: no .bvh or .amc files in this folder; name one that has some",
    "a.bvh two.bvh": "two.bvh: no right hip among its 2 joints (its joints: Hips, Chest)",
    "bad.bvh": "bad.bvh: line 1: 'x' where HIERARCHY is expected",
    "a.bvh --views 0": "--views 0: must be at least 1",
    "a.bvh --every -1": "--every -1: must be at least 1",
    "a.bvh --seed -1": "--seed -1: must be at least 0",
    "a.bvh --min-move nan": "--min-move nan: must be a finite number, and at least 0",
    "a.bvh --elevation 20 10": "--elevation 20 10: give two angles from -90 to 90, in order",
    "a.bvh --elevation -10 95": "--elevation -10 95: give two angles",
    "a.bvh --elevation nan 3": "--elevation nan 3: give two angles",
    "a.bvh --distance 0 6": "--distance 0 6: give two lengths in metres, in order",
    "a.bvh --distance 5 4": "--distance 5 4: give two lengths",
    "a.bvh --distance 0.5 4": "a.bvh: a joint is 0.8",
    "a.bvh --unit 0": "--unit 0: must be more than 0 and at most 1000",
    "a.bvh --unit inf": "--unit inf: must be",
    "a.bvh --unit 1": "a.bvh: right_hip-right_knee is 40 m long where a unit is 1 m, which is no person's",
    "a.bvh --unit 0.00001": "a.bvh: left_elbow-left_wrist is 0.025 cm long where a unit is 1e-05 m",
    "a.bvh --map twice.json": "twice.json: 'twice.json' names rShin for right_knee and right_ankle",
    "a.bvh --fps 0": "--fps 0: must be at least 1",
    "a.bvh --up x": "--up x: unknown; use one of y, z",
    "arm.amc --skeleton none.asf": "none.asf: no such file",
    "arm.amc": "arm.amc: no .asf file in its folder; put the skeleton of this take there, or name it",
    "old_clips.npy": "old_clips.npy: the file is empty",
    "poses.npz": "poses.npz: is a .npz of poses, not a motion-capture clip; name a clip (.bvh, .amc)",
    "arm.txt": "arm.txt: is the skeleton of clips, not one of them; name the .amc that moves it",
    "notes": "notes: is a text file that begins 'of a walk', not a motion-capture clip; name a clip",
    "a.bvh --map two.bvh": "two.bvh: not JSON",
    "a.bvh --camera clip --min-move 0.1": "leave one of them out",
    "a.bvh --out a.txt": "a pose file is named .pkl or .pickle",
    "a.bvh --out bad.bvh/x.pkl": "not a folder; choose another output folder",
    "a.bvh --out old.pkl": "old_clips.npy: exists already; choose another --out, or --force",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_calls_are_one_line_and_write_nothing(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    (folder / "two.bvh").write_text(TWO)
    (folder / "bad.bvh").write_text("x")
    (folder / "arm.amc").write_text(FRAMES)
    (folder / "arm.txt").write_text(BONES)
    (folder / "notes").write_text("of a walk")
    (folder / "poses.npz").write_bytes(b"PK\x03\x04")
    twice = {**POSER.joints, "right_ankle": "rShin"}
    (folder / "twice.json").write_text(json.dumps(twice))
    (folder / "old_clips.npy").write_bytes(b"")
    before = sorted(folder.rglob("*"))
    assert run(*command.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("minilift data: error: ")
    assert printed.err.count("\n") == 1
    assert WRONG[command] in printed.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("seed", range(10))
def test_damaged_clips_raise_nothing_else(seed: int, folder: Path) -> None:
    """As in test_bvh.py, to the end: poses that a camera sees, or an InputError."""
    rng, good = np.random.default_rng(seed), person(POSER, frames=3).encode()
    for _ in range(10):
        a, b = sorted(rng.integers(0, len(good), 2).tolist())
        put = (b"", b"nan", b"9" * 9, b"-", b"0", b"\n", b"}", rng.bytes(2))[rng.integers(8)]
        (folder / "x.bvh").write_bytes(good[:a] + put + good[min(b, a + int(rng.integers(0, 9))) :])
        try:
            joint_3d, _ = seen(load_clip("x.bvh", Choices()), 0, Choices())
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert np.isfinite(joint_3d).all()
            assert joint_3d[..., 2].max() < 0
