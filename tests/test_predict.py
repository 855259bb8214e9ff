"""`minilift predict`: keypoints in every form that is taken, people in every form that is written."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import clip_files
import numpy as np
import pytest
from conftest import make_poses
from keypoint_tables import person

from minilift import Lifter, LiftModel
from minilift.cli.predict import main
from minilift.cli.predict.outputs import FORMATS
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import save_poses
from minilift.poses.read.keypoints import blocks
from minilift.poses.write.people.npz import read_people

Capture = pytest.CaptureFixture[str]
POSES = make_poses(100, seed=1)
IMAGE = np.asarray(POSES.joint_2d)
KEYS = {
    "joint_3d", "joint_2d", "frame", "person", "confidence", "mask", "expected_error", "unlike",
    "joint_names", "axes", "unit", "layout", "format",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights."""
    monkeypatch.chdir(tmp_path)
    model, poses = LiftModel(1, 16, head="ray"), make_poses(100)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    return tmp_path


def with_trust() -> Lifter:
    poses = make_poses(900)
    found = fit_trust(Lifter.load("liftModel"), poses.take(slice(0, 600)), poses.take(slice(600, 900)))
    found.save(trust_path("liftModel"))
    return Lifter.load("liftModel")


def lifted(name: str = "out.npz") -> np.ndarray:
    with np.load(name) as found:
        return np.asarray(found["joint_3d"])


def clip(frames: int = 6) -> tuple[np.ndarray, np.ndarray]:
    xy = clip_files.in_layout("coco17", clip_files.people(frames))
    return xy, np.full(xy.shape[:2], 0.9)


def frames_of_openpose(name: str = "walk", frames: int = 6) -> Path:
    clip_files.openpose(Path(name), *clip(frames))
    return Path(name)


# ---- the course's files --------------------------------------------------------------------------------
WRITE: dict[str, Any] = {
    "course.pkl": lambda path: save_poses(path, POSES),
    "course.npz": lambda path: save_poses(path, POSES),
    "without the truth.pkl": lambda path: path.write_bytes(pickle.dumps({"joint_2d_1": IMAGE})),
    "plain.npy": lambda path: np.save(path, IMAGE),
    "flat.npy": lambda path: np.save(path, IMAGE.reshape(100, 30)),
    "doubles.npy": lambda path: np.save(path, IMAGE.astype(np.float64)),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(IMAGE)),
}


@pytest.mark.parametrize("name", WRITE)
def test_every_form_of_the_courses_files_gives_the_same_joints(name: str, folder: Path) -> None:
    WRITE[name](folder / name)
    assert main([name, "-o", "out.npz"]) == 0
    np.testing.assert_array_equal(lifted(), Lifter.load("liftModel").predict(IMAGE))
    with np.load("out.npz") as found:
        assert found.files[0] == "joint_3d"
        assert set(found.files) >= KEYS
        assert (str(found["unit"]), str(found["axes"]), str(found["layout"])) == (
            "root-depth",
            "camera",
            "course15",
        )
        assert found["joint_names"].tolist() == list(COURSE15.joints)


def test_the_pair_of_npy_files_under_its_plain_name(folder: Path) -> None:
    save_poses("pair.npy", POSES)
    assert main(["pair.npy", "-o", "out.npz"]) == 0
    assert main(["pair_2d.npy", "-o", "other.npz"]) == 0
    np.testing.assert_array_equal(lifted(), lifted("other.npz"))


def test_flags_reach_the_lifter(folder: Path) -> None:
    np.save("a.npy", IMAGE)
    lifter = Lifter.load("liftModel")
    assert main(["a.npy", "-o", "out.npz", "--flip"]) == 0
    np.testing.assert_array_equal(lifted(), lifter.predict(IMAGE, flip=True))
    assert not np.array_equal(lifted(), lifter.predict(IMAGE))


# ---- a detector's --------------------------------------------------------------------------------------
def test_two_lines_say_what_was_found_and_assumed(folder: Path, capsys: Capture) -> None:
    frames_of_openpose()
    assert main(["walk", "--to", "npz", "--check"]) == 0
    told = capsys.readouterr()
    first, second, *_, check, last = told.out.splitlines()
    assert first == "walk: openpose, coco17 (17 joints), 6 frames, 1 person"
    assert "camera: assumed, focal length" in second
    assert "scale: 1 is the median distance of the first person" in second
    assert re.match(
        r"check: the 3D joints, projected, lie \d\S* px from the 2D ones on average; of one person", check
    )
    assert last == "wrote walk_3d.npz"
    assert told.err == ""


def test_by_default_there_is_a_file_of_numbers_and_a_page(folder: Path) -> None:
    frames_of_openpose()
    assert main(["walk"]) == 0
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        "liftModel",
        "walk_3d.npz",
        "walk_3d.html",
    }


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written(name: str, folder: Path, capsys: Capture) -> None:
    frames_of_openpose()
    if FORMATS[name].library:
        pytest.importorskip(str(FORMATS[name].library))
    if name == "overlay":
        assert main(["walk", "--to", name, "-o", "out/"]) == 2
        told = "--size WxH: is needed for out/walk.mp4, of whose pictures the size is not known; give "
        assert f"{told}--size 1280x720, or --media FILE" in capsys.readouterr().err
    size = ["--size", "1920x1080"]
    assert main(["walk", "--to", name, "-o", "out/", "--height", "1.7", "--axes", "y-up", *size]) == 0
    written = re.findall(r"^wrote (.*)$", capsys.readouterr().out, re.MULTILINE)[0].split(", ")
    assert written
    assert all(Path(path).stat().st_size > 100 for path in written)
    assert main(["walk", "--to", name, "-o", "out/"]) == 2 or FORMATS[name].name in (
        "bvh",
        "bvh-rigid",
        "trc",
        "c3d",
    )


def test_people_come_back_as_python_has_them(folder: Path) -> None:
    from minilift.lift.clip.lift import lift_keypoints
    from minilift.poses.read.keypoints.load import load_keypoints

    frames_of_openpose()
    assert main(["walk", "-o", "out.npz"]) == 0
    ours = lift_keypoints(load_keypoints("walk"), Lifter.load("liftModel"))
    theirs = read_people("out.npz")
    for field in ("joint_3d", "joint_2d", "frame", "person", "confidence", "state"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))


def test_several_clips_and_a_bad_one(folder: Path, capsys: Capture) -> None:
    """The rest are done; the bad one is named at the end."""
    frames_of_openpose("one")
    frames_of_openpose("two")
    Path("bad.json").write_text('{"people": [')
    assert main(["one", "bad.json", "two", "-o", "out/", "--to", "npz"]) == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["one.npz", "two.npz"]
    assert capsys.readouterr().err.startswith("not done: bad.json: ")


def test_one_bad_file_of_a_folder(folder: Path, capsys: Capture) -> None:
    walk = frames_of_openpose(frames=30)
    (walk / f"walk_{7:012d}_keypoints.json").write_text('{"version": 1.3, "people": [{')
    assert main(["walk", "-o", "out.npz"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("not done: ")
    assert "walk_000000000007_keypoints.json: is broken JSON at line 1, column 30" in told
    with np.load("out.npz") as found:
        assert found["frame"].tolist() == [n for n in range(30) if n != 7]


def test_files_that_a_shell_writes_out_are_one_clip(folder: Path, capsys: Capture) -> None:
    walk = frames_of_openpose()
    files = sorted(map(str, walk.iterdir()))
    assert main([*files, "-o", "out.npz"]) == 0
    assert "6 frames" in capsys.readouterr().out
    assert main(["walk", "-o", "other.npz"]) == 0
    np.testing.assert_array_equal(lifted(), lifted("other.npz"))


def test_gaps_filled_and_movements_smoothed(folder: Path, capsys: Capture) -> None:
    walk = frames_of_openpose(frames=20)
    (walk / f"walk_{7:012d}_keypoints.json").unlink()
    assert main(["walk", "-o", "out.npz", "--fill", "3", "--smooth", "one-euro", "--fps", "30"]) == 0
    told = capsys.readouterr().out
    assert "1 frame of people filled" in told
    assert "smoothed by one-euro" in told
    with np.load("out.npz") as found:
        assert found["frame"].tolist() == list(range(20))
        assert found["mask"][7].all()
        assert not found["mask"][6].any()


def test_a_camera_file_is_used(folder: Path, capsys: Capture) -> None:
    frames_of_openpose()
    about = {"fx": 1536.0, "fy": 1536.0, "cx": 640.0, "cy": 360.0, "width": 1280, "height": 720}
    Path("camera.json").write_text(json.dumps(about))
    assert main(["walk", "-o", "out.npz", "--camera", "camera.json", "--size", "1280x720"]) == 0
    assert main(["walk", "-o", "other.npz", "--size", "1280x720"]) == 0
    np.testing.assert_allclose(lifted(), lifted("other.npz"), atol=1e-6)
    capsys.readouterr()
    assert main(["walk", "-o", "third.npz", "--camera", "camera.json", "--size", "640x480"]) == 2
    assert "1280x720" in (told := capsys.readouterr().err)
    assert "640x480" in told


# ---- trust ---------------------------------------------------------------------------------------------
def test_what_to_expect_comes_with_weights_that_know(folder: Path, capsys: Capture) -> None:
    lifter = with_trust()
    save_poses("poses.npz", POSES)
    assert main(["poses.npz", "-o", "out.npz"]) == 0
    told = capsys.readouterr().out
    trust = lifter.trust(IMAGE)
    with np.load("out.npz") as found:
        np.testing.assert_allclose(found["expected_error"], trust.expected_error, rtol=1e-5)
        np.testing.assert_array_equal(found["unlike"], trust.unlike)
    assert (
        f"expected error {trust.expected_error.mean():.4f} of the distance; {trust.unlike.mean():.1%}" in told
    )
    assert "--preset" not in told


def test_people_unlike_the_training_data_are_told_of(folder: Path, capsys: Capture) -> None:
    with_trust()
    np.save("far.npy", IMAGE * 10)
    assert main(["far.npy", "-o", "out.npz"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"\d+\.\d% of the poses are unlike the training data\n.*--weights starting", told)


def test_a_trust_file_of_other_weights_is_a_warning(folder: Path, capsys: Capture) -> None:
    with_trust()
    Lifter(LiftModel(1, 16, seed=5)).save("liftModel")
    np.save("a.npy", IMAGE)
    assert main(["a.npy", "-o", "out.npz"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("warning: liftModel.trust.npz is not of these weights")
    assert told.err.count("\n") == 1


# ---- large files ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["big.npy", "big.npz"])
def test_large_files_are_lifted_in_parts(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xy, score = clip(40)
    many = np.concatenate([xy, score[..., None]], axis=2).astype(np.float32)
    np.save(name, many) if name.endswith("y") else np.savez(name, keypoints=many)
    assert main([name, "-o", "whole.npz", "--body", "none"]) == 0
    monkeypatch.setattr(blocks, "LARGE", 1000)
    monkeypatch.setattr("minilift.cli.predict.clips.LARGE", 1000)
    monkeypatch.setattr(blocks.load_blocks, "__defaults__", (None, 16))
    assert main([name, "-o", "parts.npz", "--body", "none"]) == 0
    with np.load("whole.npz") as whole, np.load("parts.npz") as parts:
        for field in ("joint_2d", "frame", "person", "mask"):
            np.testing.assert_array_equal(whole[field], parts[field])
        # how far away people are is judged by the first part alone; along their rays they are the same
        shapes = [
            (found["joint_3d"] - found["root"][:, None])
            / np.linalg.norm(found["root"], axis=1)[:, None, None]
            for found in (whole, parts)
        ]
        np.testing.assert_allclose(*shapes, atol=1e-5)


@pytest.mark.parametrize("flag", [["--person", "0"], ["--fill", "3"], ["--smooth", "one-euro"]])
def test_what_needs_a_whole_clip_is_refused_for_a_large_one(
    flag: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    xy, score = clip(40)
    np.save("big.npy", np.concatenate([xy, score[..., None]], axis=2).astype(np.float32))
    monkeypatch.setattr(blocks, "LARGE", 1000)
    monkeypatch.setattr("minilift.cli.predict.clips.LARGE", 1000)
    monkeypatch.setattr(blocks.load_blocks, "__defaults__", (None, 16))
    assert main(["big.npy", "-o", "all.npz", *flag]) == 0  # not too large for these
    monkeypatch.setattr("minilift.cli.predict.clips._LARGEST_WHOLE", 1000)
    assert main(["big.npy", "-o", "out.npz", *flag]) == 2
    assert f"error: {' '.join(flag)}: needs a whole clip in memory" in capsys.readouterr().err
    assert not Path("out.npz").exists()


def test_memory_does_not_grow_with_the_clip(folder: Path) -> None:
    """Four times as many people, not four times the memory: peaks of whole processes."""
    peaks = []
    for n in (30_000, 120_000):
        xy, score = clip(100)
        many = np.concatenate([xy, score[..., None]], axis=2).astype(np.float32)
        np.save("big.npy", np.tile(many, (n // 100, 1, 1)))
        code = (
            "import resource, sys; from minilift.cli.predict import clips, main;"
            "from minilift.poses.read.keypoints import blocks;"
            "blocks.LARGE = clips.LARGE = 1 << 20; blocks.load_blocks.__defaults__ = (None, 8192);"
            "code = main(['big.npy', '-o', 'big.npz', '--force', '--size', '1280x720']);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024); sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] < peaks[0] + 25, peaks  # MB; measured: 93 and 99


# ---- what cannot be ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: INPUT; see minilift predict --help"),
        (
            ["a.npy", "-o", "liftModel.npz", "--weights", "liftModel.npz"],
            "--out liftModel.npz: would overwrite",
        ),
        (["pair.npy", "-o", "pair_2d.npz", "--weights", "pair_2d.npz"], "--out pair_2d.npz: would overwrite"),
        (["a.npy", "-o", "out.txt"], "--out out.txt: the name must end in .npz"),
        (["a.npy", "-o", "made.npz/"], "made.npz"),
        (
            ["a.npy", "walk", "-o", "out.npz"],
            "--out out.npz: is one file, and there are 2 clips",
        ),
        (["a.npy", "-o", "a.npy/out.npz"], "a.npy is not a folder; choose another output folder"),
        (["none.npy", "-o", "out.npz"], "none.npy: no such file; check the name"),
        (["a.npy", "-o", "out.npz", "--weights", "none"], "none: no such file"),
        (["a.npy", "-o", "out.npz", "--device", "tpu"], "--device tpu: unknown; use cpu, gpu"),
        (["a.npy", "-o", "out.npz", "--flop"], "--flop: no such option; did you mean --flip?"),
        (["a.npy", "--to", "bhv"], "--to bhv: unknown; did you mean bvh?"),
        (["deep.npy", "-o", "out.npz"], "3D already"),
        (["words.npy", "-o", "out.npz"], "words.npy: "),
        (["walk", "-o", "out.npz", "--layout", "body25"], "--layout body25: has 25 joints, and walk has 17"),
        (["walk", "-o", "out.npz", "--person", "9"], "--person 9: is not there, but person 0 (6 frames)"),
        ([""], "an input without a name was given"),
        (
            ["walk", "-o", "out.npz", "--size", "320x240"],
            "--size 320x240: 100% of the joints lie",
        ),
        (["walk", "-o", "out.npz", "--confidence", "2"], "--confidence 2.0: no joint scores above 0."),
        (["walk", "-o", "out.npz", "--height", "17"], "--height 17.0: must be from 0.3 to 3"),
        (["walk", "-o", "out.npz", "--height", "1.7", "--distance", "3"], "--height 1.7: "),
        (["walk", "-o", "out.npz", "--distance", "away.csv"], "away.csv: no such file"),
        (["walk", "-o", "out.npz", "--distance", "-3"], "--distance -3: must be more than 0"),
        (["walk", "-o", "out.npz", "--focal", "900", "--fov", "60"], "--fov 60.0: says what --focal"),
        (["walk", "-o", "out.npz", "--camera", "none.yml"], "none.yml: no such file"),
        (["walk", "-o", "out.npz", "--level"], "--level: has no ground in the axes of the camera"),
        (["rubbish.npy", "-o", "out.npz"], "rubbish.npy: "),
        (["empty", "-o", "out.npz"], "empty: no file in it"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    words: list[str], told: str, folder: Path, capsys: Capture
) -> None:
    for name, array in {
        "a": IMAGE,
        "pair_2d": IMAGE,
        "deep": POSES.joint_3d,
        "words": np.array(["x"]),
    }.items():
        np.save(f"{name}.npy", array)
    frames_of_openpose()
    Path("rubbish.npy").write_bytes(b"nothing of the kind")
    Path("made.npz").mkdir()
    Path("empty").mkdir()
    for name in ("liftModel.npz", "pair_2d.npz"):
        Path(name).write_bytes(Path("liftModel").read_bytes())
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    found = main(words)
    printed = capsys.readouterr()
    if words[-1:] == ["made.npz/"]:
        assert found == 0  # a folder that has such a name
        return
    assert found == 2, printed
    assert printed.err.startswith("minilift predict: error: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_nothing_is_replaced_unasked(folder: Path, capsys: Capture) -> None:
    np.save("a.npy", IMAGE)
    Path("out.npz").write_bytes(b"precious")
    assert main(["a.npy", "-o", "out.npz"]) == 2
    assert "out.npz: exists already; choose another --out, or --force" in capsys.readouterr().err
    assert Path("out.npz").read_bytes() == b"precious"
    assert main(["a.npy", "-o", "out.npz", "--force"]) == 0
    assert len(lifted()) == len(IMAGE)


def test_rays_that_stand_on_their_heads_are_suspicious(folder: Path, capsys: Capture) -> None:
    told = "heads are below hips: y seems to point down; write y upwards"
    image = np.asarray(synthesize(40, seed=1).joint_2d)
    for name, points in (("up", image), ("down", image * np.array([1, -1], np.float32))):
        np.save(f"{name}.npy", points)
        assert main([f"{name}.npy", "--to", "npz"]) == 0
        assert (told in capsys.readouterr().err) == (name == "down")
        assert any(told in line for line in np.load(f"{name}_3d.npz")["warnings"]) == (name == "down")


def test_what_is_suspicious_is_in_file_and_page_too(folder: Path, capsys: Capture) -> None:
    array = np.array([person(frame) for frame in range(12)])
    array[..., 1] = 800 - array[..., 1]
    np.save("up.npy", array)
    assert main(["up.npy", "--size", "1000x800", "--layout", "coco17", "--to", "npz", "json", "html"]) == 0
    told = "heads are below hips: y seems to point up"
    assert f"warning: up: {told}" in capsys.readouterr().err
    assert any(told in line for line in np.load("up_3d.npz")["warnings"])
    assert any(told in line for line in json.loads(Path("up_3d.json").read_text())["warnings"])
    assert told in Path("up_3d.html").read_text().partition('aria-label="Warnings"')[2][:300]
