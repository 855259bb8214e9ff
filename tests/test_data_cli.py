"""minilift data: synth, split, info and plot, and every way to call them wrongly."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, make_poses

from minilift.cli.data import main
from minilift.poses.poses import Poses, load_poses, load_scale, save_poses, save_scale

SPLIT = ["data_test_lift.pkl", "data_test_scale.npy", "data_train_lift.pkl", "data_train_scale.npy"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(*args):
    return main([str(arg) for arg in args])


def test_synth_then_split_is_ready_for_training(folder, capsys):
    assert run("synth", "-n", 50) == 0
    assert names(folder) == ["poses.pkl", "poses_scale.npy"]
    assert "next: minilift data split poses.pkl\n" in capsys.readouterr().out
    assert run("split", "poses.pkl") == 0
    assert names(folder) == [*SPLIT, "poses.pkl", "poses_scale.npy"]
    assert capsys.readouterr().out.endswith("next: minilift train\n")
    whole = load_poses("poses.pkl", need_3d=True, scale="poses_scale.npy")
    parts = [load_poses(SPLIT[i], True, SPLIT[i + 1]) for i in (2, 0)]
    assert [len(part) for part in parts] == [40, 10]
    scale_of = {pose.tobytes(): scale for pose, scale in zip(whole.joint_3d, whole.scale, strict=True)}
    for part in parts:
        assert [scale_of[pose.tobytes()] for pose in part.joint_3d] == part.scale.tolist()


def test_the_module_runs_from_the_shell(folder):
    """In a process of its own, far from the repository: exit codes, and one line on stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "minilift", "data"]
    done = subprocess.run([*command, "info", "none.pkl"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("minilift data: error: none.pkl: no such file")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("people.npz", ["people.npz", "people_scale.npy"]),
        ("deep/er/a_lift.pkl", ["deep/er/a_lift.pkl", "deep/er/a_scale.npy"]),
        ("folder", ["folder/poses.pkl", "folder/poses_scale.npy"]),
        (".", ["poses.pkl", "poses_scale.npy"]),
    ],
)
def test_synth_out(out, expected, folder):
    assert run("synth", "-n", 3, "--out", out) == 0
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert files == expected
    assert len(load_poses(expected[0], True, expected[1])) == 3


def test_seeds(folder):
    for seed, out in ((1, "a.pkl"), (1, "b.pkl"), (2, "c.pkl")):
        run("synth", "-n", 5, "--seed", seed, "--out", out)
    first, again, other = ((folder / f"{x}.pkl").read_bytes() for x in "abc")
    assert first == again != other


def test_split_without_a_scale_file(folder, capsys):
    save_poses("mine.npz", make_poses(10))
    assert run("split", "mine.npz", "--fraction", 0.7, "--out", "parts") == 0
    assert names(folder / "parts") == [SPLIT[0], SPLIT[2]]
    assert len(load_poses("parts/data_train_lift.pkl")) == 7
    assert "minilift train" in capsys.readouterr().out


def test_split_says_what_it_leaves_out(capsys):
    poses = make_poses(4)
    with open("mine.pkl", "wb") as file:
        pickle.dump({"joint_2d_1": poses.joint_2d, "fps": 30}, file)
    assert run("split", "mine.pkl") == 0
    out = capsys.readouterr().out
    assert "left out, not part of a pose file: fps\n" in out
    assert "have no joint_3d" in out


def test_split_replaces_nothing_without_force(folder, capsys):
    save_poses("mine.pkl", make_poses(10))
    for name in SPLIT:
        (folder / name).write_bytes(b"old")
        assert run("split", "mine.pkl") == 2
        assert f"{name}: exists already; choose another --out, or --force" in capsys.readouterr().err
        assert names(folder) == sorted([name, "mine.pkl"])
        assert (folder / name).read_bytes() == b"old"
        (folder / name).unlink()


def test_force_replaces_and_removes_the_scale_of_other_poses(folder, capsys):
    save_poses("mine.pkl", make_poses(10))
    for name in SPLIT:
        (folder / name).write_bytes(b"old")
    assert run("split", "mine.pkl", "--force") == 0
    assert names(folder) == [SPLIT[0], SPLIT[2], "mine.pkl"]
    assert len(load_poses(SPLIT[2])) == 8
    assert "removed data_test_scale.npy, which belongs to other poses" in capsys.readouterr().out


@pytest.mark.parametrize("out", [".", "link"])
def test_split_never_replaces_its_own_input(out, folder, capsys):
    save_poses("data_train_lift.pkl", make_poses(10))
    save_scale("data_train_scale.npy", np.ones(10))
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    (folder / "link").symlink_to(folder)
    assert run("split", "data_train_lift.pkl", "--force", "--out", out) == 2
    assert "is what is being split; choose another folder with --out" in capsys.readouterr().err
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert names(folder) == [*before, "link"]


WRONG = {
    "synth -n 0": "-n 0: must be at least 1",
    "synth -n -3": "-n -3: must be at least 1",
    "synth -n 3 --seed -1": "--seed -1: must be at least 0",
    "synth -n 3 --out file/poses.pkl": "not a folder; choose another output folder",
    "split none.pkl": "none.pkl: no such file",
    "split .": ".: is a folder without files of poses",
    "split mine.pkl --fraction 1": "--fraction 1: must be more than 0 and less than 1",
    "split mine.pkl --fraction nan": "--fraction nan: must be a finite number",
    "split mine.pkl --seed -1": "--seed -1: must be at least 0",
    "split mine.pkl --fraction 0.01": "fraction 0.01 of 10 poses leaves a part empty",
    "synth -n 3 --free 2": "--free 2: must be at least 0 and at most 1",
    "plot mine.pkl --focal 3": "--image, --focal and --centre: need --row N",
    "info none.bvh": "none.bvh: no such file",
    "split mine.pkl --out file": "not a folder; choose another output folder",
    "split short.pkl": "short_scale.npy: scale has shape (3,) of float32, expected (10,) numbers",
    "plot mine.pkl -n 0": "-n 0: must be at least 1 and at most 200",
    "plot mine.pkl --out file/a.png": "file/a.png",
    "plot flat.pkl": "flat.pkl: no key joint_3d",
    "info file": "file: is a text file that begins '('",
    "info short.pkl": "short_scale.npy: scale has shape (3,)",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_calls_are_one_line_and_write_nothing(command, folder, capsys):
    save_poses("mine.pkl", make_poses(10))
    save_poses("short.pkl", make_poses(10))
    save_scale("short_scale.npy", np.ones(3))
    save_poses("flat.pkl", Poses(make_poses(10).joint_2d))
    (folder / "file").write_bytes(b"(")
    before = names(folder)
    assert run(*command.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("minilift data: error: ")
    assert printed.err.count("\n") == 1
    assert WRONG[command] in printed.err
    assert names(folder) == before


@pytest.mark.parametrize("command", [[], ["synth", "-n", "many"], ["split"], ["spilt", "a.pkl"]])
def test_malformed_commands_exit_2(command, folder):
    assert main(command) == 2
    assert names(folder) == []


@pytest.mark.parametrize("command", ["synth", "clips", "split", "info", "plot"])
def test_help_shows_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"examples:\n  minilift data {command}" in capsys.readouterr().out


def info(capsys, *args):
    assert run("info", *args) == 0
    return capsys.readouterr().out


def test_info_of_a_sound_file(capsys):
    run("synth", "-n", 400)
    capsys.readouterr()
    out = info(capsys, "poses.pkl")
    assert out.startswith("poses.pkl: 400 poses\n")
    assert "joint_2d_1 (400, 15, 2) float32, joint_3d (400, 15, 3) float32" in out
    assert "so the root depth is 1.0000: as expected" in out
    assert "the 2D points are x/-z, y/-z\n" in out
    assert "ignored       none" in out
    assert "duplicates    0\n" in out
    scale = load_scale("poses_scale.npy", 400)
    assert f"poses_scale.npy: {scale.min():.3f} to {scale.max():.3f} m per unit" in out
    shin = next(line for line in out.splitlines() if "left_knee-left_ankle" in line).split()
    assert shin[3] == "0.00%"
    assert 330 < float(shin[4]) < 500  # a person's shin in mm


def test_info_names_what_is_wrong_with_the_2d_points(capsys):
    poses = make_poses(50)
    pixels = poses.joint_2d * (1000, -900) + (320, 240)
    save_poses("pixels.pkl", Poses(pixels.astype(np.float32), poses.joint_3d))
    out = info(capsys, "pixels.pkl")
    assert "the 2D points are NOT x/-z, y/-z" in out
    assert "best fit    2D x = 1000 * x/-z +320, left over" in out
    assert "not normalised: subtract 240, divide by 900\n" in out
    assert "y is flipped: negate it\n" in out
    assert "x is flipped" not in out
    assert "no scale file beside it" in out


def test_info_of_a_file_with_other_poses_keys_and_a_shifted_root(capsys):
    poses = make_poses(6).take(np.array([0, 1, 2, 2, 2]))
    with open("odd.pkl", "wb") as file:
        shifted = {"joint_2d": poses.joint_2d.astype(">f8"), "joint_3d": poses.joint_3d - 0.5, "fps": 30}
        pickle.dump(shifted, file)
    out = info(capsys, "odd.pkl")
    assert "joint_2d (5, 15, 2) >f8" in out
    assert "fps int" in out
    assert "ignored       fps" in out
    assert "duplicates    2\n" in out
    assert "expected (0.0, 0.0, -1.0), off by up to" in out


def test_info_without_3d(capsys):
    save_poses("flat.pkl", Poses(make_poses(5).joint_2d))
    out = info(capsys, "flat.pkl")
    assert "2D y" in out
    assert "3D" not in out
    assert "reprojection" not in out


def test_plot_draws_a_sheet(folder, capsys):
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    save_poses("some.pkl", make_poses(7))
    assert run("plot", "some.pkl", "-n", 3) == 0
    assert capsys.readouterr().out == "wrote poses.png\n"
    assert (folder / "poses.png").read_bytes()[:4] == b"\x89PNG"


def test_plot_draws_one_row_in_detail(folder):
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    save_poses("some_lift.pkl", make_poses(7))
    save_scale("some_scale.npy", np.linspace(2, 3, 7))
    assert run("plot", "some_lift.pkl", "--row", 6, "--out", "pose.svg") == 0
    text = (folder / "pose.svg").read_text()
    for words in ("row 6", "camera and person, 3.00 m apart", "3D from above", "2D keypoints, f = 1"):
        assert f"<!-- {words} -->" in text
    flags = ("--focal", 800, "--centre", 320, 240)
    assert run("plot", "some_lift.pkl", "--row", 0, "--out", "pose.svg", *flags) == 0
    assert "<!-- x [pixels] -->" in (folder / "pose.svg").read_text()
    assert names(folder) == ["pose.svg", "some_lift.pkl", "some_scale.npy"]


def test_plot_lies_over_the_photograph(folder, monkeypatch):
    image_of = pytest.importorskip("PIL.Image", reason="pictures need: pip install 'minilift[plot]'")
    image_of.new("RGB", (64, 48)).save("photo.png")
    drawn = []
    monkeypatch.setattr(
        "minilift.show.people.scene.plot_pose", lambda *pose, **how: drawn.append((pose, how))
    )
    poses = make_poses(3)
    save_poses("some.pkl", poses)
    flags = ("--row", 1, "--out", "a.png", "--focal", 800, "--image", "photo.png")
    assert run("plot", "some.pkl", *flags) == 0
    ((joint_2d, joint_3d, path), how) = drawn[0]
    np.testing.assert_array_equal(joint_2d, poses.joint_2d[1])
    np.testing.assert_array_equal(joint_3d, poses.joint_3d[1])
    assert how["camera"] == (800, 32, 24)
    assert how["image"].shape == (48, 64, 3)
    assert (path, how["metres"]) == ("a.png", None)


@pytest.mark.parametrize(("row", "rows"), [("4", [4]), ("2:5", [2, 3, 4]), (":2", [0, 1]), ("5:", [5, 6])])
def test_plot_turns_a_pose_or_a_sequence(row, rows, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    turned = []
    monkeypatch.setattr("minilift.show.people.turning.plot_turning", lambda *given: turned.append(given))
    poses = make_poses(7)
    save_poses("some.pkl", poses)
    assert run("plot", "some.pkl", "--row", row, "--turn", "a.gif") == 0
    np.testing.assert_array_equal(turned[0][0], poses.joint_3d[rows])
    assert turned[0][1] == "a.gif"
    assert capsys.readouterr().out == "wrote a.gif\n"
    assert run("plot", "some.pkl", "--turn", "a.gif") == 0
    assert turned[1][0].shape == (1, 15, 3)  # one at random


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--row 7", "--row 7: some.pkl has rows 0 to 6"),
        ("--row=-1", "has rows 0 to 6"),
        ("--row 3:3", "has rows 0 to 6"),
        ("--row one", "--row one: give a number, or A:B"),
        ("--row 1:3 --out a.png", "--out a.png: shows one pose"),
        ("--row 1:3", "--out poses.png: shows one pose"),
        ("--turn a.png", "a.png: the name must end in .gif or .mp4"),
        ("--focal 800", "need --row N, --focal F and --out"),
        ("--row 1 --image a.png", "need --row N, --focal F and --out"),
        ("--row 1 --focal 800", "where is the middle? give --centre X Y"),
        ("--row 1 --focal -8 --centre 1 1", "--focal -8: must be more than 0"),
        ("--row 1 --focal 800 --image no.png", "no.png: no such file"),
    ],
)
def test_plot_flags_that_do_not_go_together(flags, words, folder, capsys):
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    save_poses("some.pkl", make_poses(7))
    assert run("plot", "some.pkl", *flags.split()) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert names(folder) == ["some.pkl"]


def test_plot_takes_rows_at_random_and_says_which(monkeypatch):
    sheets = []
    monkeypatch.setattr(
        "minilift.show.people.sheets.plot_poses", lambda *sheet, titles: sheets.append((*sheet, titles))
    )
    poses = make_poses(100)
    save_poses("some.pkl", poses)
    for seed in (0, 0, 1):
        assert run("plot", "some.pkl", "-n", 5, "--seed", seed, "--out", "a.svg") == 0
    for joint_3d, path, titles in sheets:
        rows = [int(title.removeprefix("row ")) for title in titles]
        np.testing.assert_array_equal(joint_3d, poses.joint_3d[rows])
        assert path == "a.svg"
        assert len(set(rows)) == 5
    assert sheets[0][2] == sheets[1][2] != sheets[2][2]
