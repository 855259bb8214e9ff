"""`minilift predict`: keypoints in every form that is taken, joints in every form that is written."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Lifter, LiftModel, load_poses
from minilift.cli.predict import main
from minilift.files import mapped
from minilift.files.mapped import MappedRows
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses import points as points_module
from minilift.poses.points import load_points
from minilift.poses.poses import save_poses

Capture = pytest.CaptureFixture[str]
POSES = make_poses(100, seed=1)
IMAGE = np.asarray(POSES.joint_2d)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights."""
    monkeypatch.chdir(tmp_path)
    model, poses = LiftModel(1, 16), make_poses(100)
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


WRITE: dict[str, Any] = {
    "course.pkl": lambda path: save_poses(path, POSES),
    "course.npz": lambda path: save_poses(path, POSES),
    "without the truth.pkl": lambda path: path.write_bytes(pickle.dumps({"joint_2d_1": IMAGE})),
    "plain.npy": lambda path: np.save(path, IMAGE),
    "flat.npy": lambda path: np.save(path, IMAGE.reshape(100, 30)),
    "doubles.npy": lambda path: np.save(path, IMAGE.astype(np.float64)),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(IMAGE)),
    "one array.npz": lambda path: np.savez(path, IMAGE),
    "one flat array.npz": lambda path: np.savez_compressed(path, keypoints=IMAGE.reshape(100, 30)),
}


@pytest.mark.parametrize("name", WRITE)
def test_every_form_of_input_gives_the_same_joints(name: str, folder: Path, capsys: Capture) -> None:
    WRITE[name](folder / name)
    assert main([name, "-o", "out.npz"]) == 0
    assert capsys.readouterr() == ("wrote 100 poses to out.npz: joint_2d_1, joint_3d\n", "")
    np.testing.assert_array_equal(lifted(), Lifter.load("liftModel").predict(IMAGE))


@pytest.mark.parametrize("array", [IMAGE[3], IMAGE[3].ravel(), IMAGE[3:4]])
def test_a_single_pose(array: np.ndarray, folder: Path) -> None:
    np.save("one.npy", array)
    assert main(["one.npy", "-o", "out.npz"]) == 0
    np.testing.assert_allclose(lifted(), Lifter.load("liftModel").predict(IMAGE)[3:4], atol=1e-6)


def test_the_pair_of_npy_files_under_its_plain_name(folder: Path) -> None:
    save_poses("pair.npy", POSES)
    assert main(["pair.npy", "-o", "out.npz"]) == 0
    assert main(["pair_2d.npy", "-o", "other.npz"]) == 0
    np.testing.assert_array_equal(lifted(), lifted("other.npz"))


def test_every_form_of_output(folder: Path, capsys: Capture) -> None:
    save_poses("poses.npz", POSES)
    expected = Lifter.load("liftModel").predict(IMAGE)
    for name in ("out.pkl", "out.npz"):
        assert main(["poses.npz", "--out", name]) == 0
        found = load_poses(name)
        np.testing.assert_array_equal(found.joint_2d, IMAGE)
        np.testing.assert_array_equal(found.joint_3d, expected)
    capsys.readouterr()
    assert main(["poses.npz", "-o", "new/out.npy"]) == 0
    assert capsys.readouterr().out == f"wrote 100 poses to {Path('new/out.npy')}: joint_3d\n"
    np.testing.assert_array_equal(np.load("new/out.npy"), expected)


def test_flags_reach_the_lifter(folder: Path) -> None:
    np.save("a.npy", IMAGE)
    lifter = Lifter.load("liftModel")
    for flags, options in (
        (["--flip"], {"flip": True}),
        (["--project"], {"project": True}),
        (["--flip", "--project", "--device", "cpu"], {"flip": True, "project": True}),
    ):
        assert main(["a.npy", "-o", "out.npz", "--force", *flags]) == 0
        np.testing.assert_array_equal(lifted(), lifter.predict(IMAGE, **options))
        assert not np.array_equal(lifted(), lifter.predict(IMAGE))


def test_missing_keypoints_are_lifted_on_request_only(folder: Path, capsys: Capture) -> None:
    gaps = IMAGE.copy()
    gaps[7, 2] = gaps[9, 3, 0] = np.nan
    np.save("a.npy", gaps)
    assert main(["a.npy", "-o", "out.npz", "--missing"]) == 0
    np.testing.assert_array_equal(lifted(), Lifter.load("liftModel").predict(gaps, missing=True))
    capsys.readouterr()
    assert main(["a.npy", "-o", "other.npz"]) == 2
    assert "a.npy: row 7 has NaN for a keypoint; repair it, or give --missing" in capsys.readouterr().err
    assert not Path("other.npz").exists()


def test_a_pose_of_which_nothing_was_seen_is_not_made_up(folder: Path, capsys: Capture) -> None:
    points = IMAGE.copy()
    points[[3, 8]], points[5] = np.nan, 0.0
    np.save("a.npy", points)
    assert main(["a.npy", "-o", "out.npz", "--missing"]) == 0
    assert np.flatnonzero(np.isnan(lifted()).any(axis=(1, 2))).tolist() == [3, 8]
    assert capsys.readouterr().err.splitlines() == [
        "warning: poses without any keypoint: 2; their joints are NaN",
        "warning: poses with all keypoints in one place: 1; mark what was not seen by NaN",
    ]


def test_pixels_are_not_taken_for_a_camera_with_focal_length_1(folder: Path, capsys: Capture) -> None:
    np.save("a.npy", 500 + 300 * IMAGE)
    assert main(["a.npy", "-o", "out.npz"]) == 2
    assert "a.npy: half of the coordinates are larger than 5" in (told := capsys.readouterr().err)
    assert "these look like pixels; subtract the middle of the hips" in told
    assert not Path("out.npz").exists()


def test_nothing_is_replaced_unasked(folder: Path, capsys: Capture) -> None:
    np.save("a.npy", IMAGE)
    Path("out.npz").write_bytes(b"precious")
    assert main(["a.npy", "-o", "out.npz"]) == 2
    assert "out.npz: exists already; choose another --out, or --force" in capsys.readouterr().err
    assert Path("out.npz").read_bytes() == b"precious"
    assert main(["a.npy", "-o", "out.npz", "--force"]) == 0
    assert len(lifted()) == len(IMAGE)


@pytest.mark.parametrize("flags", [[], ["--flip"]])
def test_what_to_expect_comes_with_weights_that_know(flags: list[str], folder: Path, capsys: Capture) -> None:
    lifter = with_trust()
    save_poses("poses.npz", POSES)
    assert main(["poses.npz", "-o", "out.npz", *flags]) == 0
    told = capsys.readouterr().out
    trust = lifter.trust(IMAGE)
    with np.load("out.npz") as found:
        np.testing.assert_allclose(found["expected_error"], trust.expected_error, rtol=1e-5)
        np.testing.assert_array_equal(found["unlike"], trust.unlike)
        assert found["unlike"].dtype == bool
    assert f"expected error {trust.expected_error.mean():.4f} units; {trust.unlike.mean():.1%}" in told
    assert "--preset" not in told


def test_people_unlike_the_training_data_are_told_of(folder: Path, capsys: Capture) -> None:
    with_trust()
    np.save("far.npy", IMAGE * 3)
    assert main(["far.npy", "-o", "out.npz"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"\d+\.\d% of the poses are unlike the training data\n.*--preset anyone", told)


def test_a_trust_file_of_other_weights_is_a_warning(folder: Path, capsys: Capture) -> None:
    with_trust()
    Lifter(LiftModel(1, 16, seed=5)).save("liftModel")
    np.save("a.npy", IMAGE)
    assert main(["a.npy", "-o", "out.npz"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("warning: liftModel.trust.npz: was made for other weights")
    assert told.err.count("\n") == 1
    assert told.out == "wrote 100 poses to out.npz: joint_2d_1, joint_3d\n"


@pytest.mark.parametrize("name", ["big.npy", "big.npz"])
def test_large_files_are_lifted_in_parts(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more rows than a part holds are ever read at once, and the bytes are the same."""
    many = np.tile(IMAGE, (5, 1, 1))
    np.save(name, many) if name.endswith("y") else np.savez(name, joint_2d_1=many)
    assert main([name, "-o", "whole.npz"]) == 0
    monkeypatch.setattr("minilift.poses.read.course.LARGE", 1000)
    monkeypatch.setattr(points_module, "LARGE", 1000)
    assert isinstance(load_points(name), MappedRows)
    sizes: list[int] = []
    read = MappedRows._read

    def counted(self: MappedRows, numbers: np.ndarray) -> np.ndarray:
        sizes.append(len(numbers))
        return read(self, numbers)

    monkeypatch.setattr(MappedRows, "_read", counted)
    monkeypatch.setattr(mapped.chunks, "__defaults__", (128,))
    assert main([name, "-o", "parts.npz"]) == 0
    assert max(sizes) == 128
    np.testing.assert_allclose(lifted("parts.npz"), lifted("whole.npz"), atol=1e-6)


# ---- what cannot be --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: INPUT, -o/--out; see minilift predict --help"),
        (["a.npy"], "the following arguments are required: -o/--out"),
        (["a.npy", "-o", "a.npy"], "--out a.npy: would overwrite what is read; choose another name"),
        (["pair.npy", "-o", "pair_2d.npy"], "--out pair_2d.npy: would overwrite what is read"),
        (["a.npy", "-o", "./liftModel.npz", "--weights", "liftModel.npz"], "--out ./liftModel.npz: would"),
        (["a.npy", "-o", "liftModel.trust.npz"], "--out liftModel.trust.npz: would overwrite"),
        (["a.npy", "-o", "out.txt"], "--out out.txt: the name must end in .pkl, .pickle, .npz, .npy"),
        (["a.npy", "-o", "out"], "--out out: the name must end in .pkl, .pickle, .npz, .npy"),
        (["a.npy", "-o", "made.npz"], "made.npz: a folder, where a file is to be written"),
        (["a.npy", "-o", "a.npy/out.npz"], "a.npy is not a folder; choose another output folder"),
        (["none.npy", "-o", "out.npz"], "none.npy: no such file; check the name"),
        (["none.pkl", "-o", "out.npz"], "none.pkl: no such file"),
        (["a.npy", "-o", "out.npz", "--weights", "none"], "none: no such file"),
        (["a.npy", "-o", "out.npz", "--weights", "a.npy"], "a.npy: "),
        (["a.npy", "-o", "out.npz", "--device", "tpu"], "--device tpu: unknown; use cpu, gpu"),
        (["a.npy", "-o", "out.npz", "--flop"], "--flop: no such option; did you mean --flip?"),
        (["deep.npy", "-o", "out.npz"], "deep.npy: the array has shape (100, 15, 3), expected (N, 15, 2)"),
        (["coco.npy", "-o", "out.npz"], "coco.npy: the array has 17 joints, expected 15"),
        (["words.npy", "-o", "out.npz"], "words.npy: the array holds <U1 values; store numbers"),
        (["infinite.npy", "-o", "out.npz"], "infinite.npy: the array has infinity in row 5"),
        (["two.npz", "-o", "out.npz"], "two.npz: no key joint_2d_1, found a, b; name the 2D points"),
        (["rubbish.npy", "-o", "out.npz"], "rubbish.npy: is a text file that begins"),
        (["a.npy", "-o", "out.npz", "--missing", "--weights", "ray"], "--missing: ray puts joints onto the"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    words: list[str], told: str, folder: Path, capsys: Capture
) -> None:
    infinite = IMAGE.copy()
    infinite[5, 0, 0] = np.inf
    arrays = {"a": IMAGE, "pair_2d": IMAGE, "deep": POSES.joint_3d, "coco": np.zeros((9, 17, 2))}
    for name, array in {**arrays, "words": np.array(["x"]), "infinite": infinite}.items():
        np.save(f"{name}.npy", array)
    np.savez("two.npz", a=IMAGE, b=IMAGE)
    Path("rubbish.npy").write_bytes(b"nothing of the kind")
    Path("made.npz").mkdir()
    Path("liftModel.npz").write_bytes(Path("liftModel").read_bytes())
    Lifter(LiftModel(1, 16, head="ray")).save("ray")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("minilift predict: error: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
