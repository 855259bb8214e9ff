"""The command line is covered: for every subcommand a call that works, bad ones, and help on one screen."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bvh_texts import TWO
from conftest import ROOT, make_poses

from minilift import Lifter, LiftModel
from minilift.cli.main import COMMANDS, main
from minilift.cli.parser import WIDTH
from minilift.poses.poses import save_poses

Capture = pytest.CaptureFixture[str]
SCREEN = 48  # lines
SMALL = ["--hidden", "8", "--epochs", "1", "--blocks", "1", "--device", "cpu"]
GOOD: dict[str, list[str]] = {
    "demo": ["--help"],  # tests/test_demo.py runs it
    "predict": ["data_test_lift.pkl", "-o", "out.npz"],
    "body": ["--height", "1.8"],
    "inspect": ["keypoints.npy", "--json"],
    "train": [*SMALL, "--out", "run"],
    "eval": ["--json", "--device", "cpu"],
    "data": ["synth", "-n", "10", "--out", "people.npz"],
    "data split": ["data_train_lift.pkl", "--out", "parts"],
    "data info": ["data_test_lift.pkl"],
    "data clips": ["--help"],  # tests/test_clips.py and tests/test_data_cli.py run these two
    "data twoview": ["data_test_lift.pkl", "-o", "two.npz"],
    "data plot": ["--help"],
    "data starting": ["--help"],  # tests/test_data_starting.py runs it
    "trust": ["--val-fraction", "0.4"],
    "study": ["--set", "epochs=1", "--list"],
    "plot": ["--help"],  # tests/test_charts.py runs these
    "plot training": ["--help"],
    "plot runs": ["--help"],
    "examples": ["--help"],  # tests/test_examples.py runs them
    "examples fashion-mnist": ["--help"],
    "examples cifar10": ["--help"],
    "examples mnist-conv": ["--help"],
    "examples variable-resolution": ["--help"],
    "examples facial-keypoints": ["--help"],
    "explain": ["keypoints.npy", "--data", "data_train_lift.pkl"],
    "playground": ["--weights", "liftModel", "--only"],
    "export": ["model.onnx"],
    "info": [],
}
# What is wrong, and what the line says of it: the option or the file, the value, the remedy
BAD: dict[str, list[tuple[list[str], str]]] = {
    "demo": [
        (["--out", "liftModel"], "liftModel is not a folder; choose another output folder"),
        (["--seed", "one"], "--seed one: not a whole number"),
        (["--peple", "9"], "--peple: no such option; did you mean --people?"),
    ],
    "predict": [
        (["none.npz", "-o", "out.npz"], "none.npz: no such file"),
        (["keypoints.npy", "-o", "out.npz", "--layout", "coc17"], "--layout coc17: unknown; did you mean"),
        (["data_test_lift.pkl", "-o", "out.txt"], "--out out.txt: the name must end in"),
        (["-"], "-: the standard input is read frame by frame; add --stream"),
        (["data_test_lift.pkl", "--workers", "0"], "--workers 0: must be a number of workers, or an address"),
        (["-", "--stream", "--workers", "2"], "--workers 2: a stream writes no files; leave it out"),
        (["-", "--stream", "--fill", "3"], "--fill 3: looks at frames that are still to come; leave it out"),
    ],
    "body": [
        ([], "nothing to go by; give a CLIP, --measure or --height"),
        (["none.json"], "none.json: no such file"),
        (["--height", "18"], "--height 18.0: must be from 0.3 to 3 metres"),
        (["--measure", "tigh=0.4"], "--measure tigh: unknown; use thigh"),
        (["--measure", "thigh=40"], "--measure 40.0: of thigh must be from 0.05 to 1.5 metres"),
        (["--measure", "thigh"], "--measure thigh: give a name and metres"),
        (["--height", "1.8", "-o", "notes.txt"], "notes.txt: exists; give another name, or --force"),
    ],
    "inspect": [
        (["none.json"], "none.json: no such file"),
        (["keypoints.npy", "--layout", "coc17"], "--layout coc17: unknown; did you mean coco17?"),
        (["keypoints.npy", "--format", "opnpose"], "--format opnpose: unknown; did you mean openpose?"),
        (["keypoints.npy", "--size", "1280"], "--size 1280: give width and height of the pictures"),
    ],
    "train": [
        (["--epochs", "0"], "--epochs 0: must be at least 1"),
        (["--preset", "quik"], "--preset quik: unknown; did you mean quick?"),
        (["--data", "none.pkl"], "none.pkl: no such file"),
        (["--epoch", "3"], "--epoch: no such option; did you mean --epochs?"),
        (["--resume", "--out", "nowhere"], "checkpoint.npz: no such file"),
        (["--device", "gpuu"], "--device gpuu: unknown"),
    ],
    "eval": [
        (["--data", "none.pkl"], "none.pkl: no such file"),
        (["--weights", "notes.txt"], "notes.txt: "),
        (["--fps", "50"], "--fps 50: "),
        (["--baselines", "al"], "--baselines al: unknown; did you mean all?"),
    ],
    "data": [
        ([], "the following arguments are required: COMMAND; see minilift data --help"),
        (["splt"], "'splt': no such command of minilift data; did you mean split?"),
        (["synth", "-n", "0"], "-n 0: "),
        (["synth", "--share", "yoga"], "--share yoga: give NAME=X"),
        (["synth", "--share", "yogi=1"], "there is none of that name; use yoga"),
    ],
    "data split": [
        (["none.pkl"], "none.pkl: no such file"),
        (["data_train_lift.pkl", "--fraction", "2", "--out", "parts"], "--fraction 2"),
        (["data_train_lift.pkl"], "choose another"),
    ],
    "data starting": [
        ([], "the following arguments are required: CMU_FOLDER, -o/--out"),
        (["none", "-o", "made"], "none: no such file"),
        (["notes.txt", "-o", "made"], "notes.txt: is no .tar.xz"),
        (["notes.txt", "-o", "made", "--people", "-1"], "--people -1: "),
    ],
    "data info": [
        ([], "the following arguments are required: FILE; see minilift data info --help"),
        (["none.pkl"], "none.pkl: no such file"),
        (["notes.txt"], "notes.txt: "),
    ],
    "data clips": [
        (["none.bvh"], "none.bvh: no such file"),
        (["two.bvh", "--views", "0"], "0: "),
        (["two.bvh", "--up", "x"], "--up x: unknown; use one of y, z"),
        (["two.bvh"], "two.bvh: "),
    ],
    "data twoview": [
        (["none.pkl", "-o", "two.npz"], "none.pkl: no such file"),
        (["data_test_lift.pkl", "-o", "two.txt"], "two.txt: a file of two views is named"),
        (["data_test_lift.pkl", "-o", "two.npz", "--noise", "-1"], "--noise -1: "),
    ],
    "data plot": [
        (["data_test_lift.pkl", "--row", "999999"], "--row 999999: "),
        (["data_test_lift.pkl", "-n", "0"], "-n 0"),
        (["none.pkl"], "none.pkl: no such file"),
    ],
    "trust": [
        (["--weights", "none"], "none: no such file"),
        (["--val-fraction", "2"], "--val-fraction 2"),
        (["--data", "notes.txt"], "notes.txt: "),
    ],
    "study": [
        (["--set", "lr=0"], "--set lr=0: must be more than 0"),
        (["--preset", "best"], "--preset best: unknown; "),
        (["--study", "ablatoin"], "--study ablatoin: unknown; did you mean ablation?"),
        (
            ["--workers", "tcp://a:1", "--cluster", "tcp://a:1"],
            "--workers tcp://a:1: names the scheduler of --cluster tcp://a:1 again; leave one out",
        ),
    ],
    "plot": [
        (["trainig", "log.csv"], "'trainig': no such command of minilift plot; did you mean training?"),
        ([], "the following arguments are required: COMMAND; see minilift plot --help"),
        (["--wide"], "--wide: no such option; see minilift plot --help"),
    ],
    "plot training": [
        (["none.csv"], "none.csv: no such file"),
        (["log.csv", "--out", "log.csv"], "log.csv: "),
        (["log.csv", "--out", "a.doc"], "a.doc: the name must end in"),
    ],
    "plot runs": [
        (["none.csv"], "none.csv: no such file"),
        (["log.csv", "--column", "speed"], "log.csv: no column 'speed', found epoch"),
        (["log.csv", "--colum", "lr"], "--colum: no such option; did you mean --column?"),
    ],
    "examples": [
        (["fashion"], "did you mean fashion-mnist?"),
        (["faces"], "'faces': no such command of minilift examples"),
        (["--stdy"], "--stdy: no such option"),
    ],
    "examples fashion-mnist": [
        (["--data", "none"], "--data none: no such file or folder"),
        (["--lr", "0"], "--lr 0: must be more than 0"),
        (["--net", "wide"], "--net wide: unknown; did you mean wider?"),
    ],
    "examples mnist-conv": [
        (["--data", "none"], "--data none: no such file or folder"),
        (["--lr", "0"], "--lr 0: must be more than 0"),
        (["--net", "rotations"], "--net rotations: unknown; did you mean rotation?"),
    ],
    "examples variable-resolution": [
        (["--data", "none"], "--data none: no such file or folder"),
        (["--net", "resized-32"], "--net resized-32: unknown; did you mean resized-"),
        (["--batch-size", "0"], "--batch-size 0: must be at least 1"),
    ],
    "examples facial-keypoints": [
        (["--data", "none"], "--data none: no such file or folder"),
        (["--data", "empty"], "empty: neither training.zip nor training.csv is in this folder"),
        (["--epochs", "0"], "--epochs 0: must be at least 1"),
    ],
    "examples cifar10": [
        (["--net", "conv"], "--net conv: unknown; use one of dense"),
        (["--data", "empty"], "empty: is not a folder; give the one that has data_batch_1 in it"),
        (["--trials", "0"], "--trials 0: must be at least 1"),
    ],
    "explain": [
        (["none.npz"], "none.npz: no such file"),
        (
            ["keypoints.npy", "--frame", "99"],
            "--frame 99: there is no one who can be lifted in it; there are",
        ),
        (["keypoints.npy", "--person", "3"], "--person 3: frame 0 has 1, counted from 0"),
        (["keypoints.npy", "--plot", "a.doc"], "cannot draw a.doc: the name must end in"),
        (["keypoints.npy", "--height", "2", "--distance", "3"], "--height 2.0: sets the scale, and so does"),
        (["keypoints.npy", "--data", "notes.txt"], "notes.txt: "),
        (["keypoints.npy", "-k", "0"], "-k 0: must be at least 1"),
    ],
    "playground": [
        (["-o", "page.txt"], "--out page.txt: the name must end in .html or .htm"),
        (["--only"], "--only: there are no --weights to show; name some"),
        (["--weights", "none"], "none: no such file"),
        (["--weights", "notes.txt", "--only"], "notes.txt: "),
    ],
    "export": [
        (["model.pt"], "OUT model.pt: the name must end in .onnx"),
        (["model.onnx", "--weights", "none"], "none: no such file"),
        (["model.onnx", "--licence", "empty"], "empty: the file is empty"),
    ],
    "info": [
        (["none"], "none: no such file"),
        (["--jsn"], "--jsn: no such option; did you mean --json?"),
        (["empty"], "empty: the file is empty"),
        (["--device", "tpu"], "--device tpu: unknown; use cpu, gpu, gpu:1 (the second one) or auto"),
        (["empty", "--device", "gpu"], "--device gpu: tells of this machine, not of files; leave one of"),
    ],
}
CALLS = [(name, *case) for name, cases in BAD.items() for case in cases]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with poses, weights, a log, a clip of two joints, and files of other kinds."""
    monkeypatch.chdir(tmp_path)
    poses, model = make_poses(600), LiftModel(1, 8)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    save_poses("data_train_lift.pkl", poses)
    save_poses("data_test_lift.pkl", make_poses(50, seed=1))
    np.save("keypoints.npy", np.random.default_rng(0).uniform(100, 600, (5, 17, 3)) * [1, 1, 1 / 600])
    Path("log.csv").write_text("epoch,steps,lr,train_loss,val_loss\n1,9,0.1,1,1\n2,18,0.1,1,1\n")
    Path("two.bvh").write_text(TWO)
    Path("notes.txt").write_text("nothing of the kind\n")
    Path("empty").touch()
    return tmp_path


def helped(words: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(words) == 0
    return out.getvalue()


def commands_of(name: str) -> list[str]:
    """The commands below a subcommand, as its help lists them."""
    listed = helped([name, "--help"]).partition("COMMAND\n")[2]
    return re.findall(r"^    ([\w-]+)(?: {2,}|$)", listed, re.MULTILINE)


def test_no_subcommand_is_left_out() -> None:
    below = [f"{name} {command}" for name in COMMANDS for command in commands_of(name)]
    assert {"data split", "data plot", "plot runs"} <= set(below)
    everything = {*COMMANDS, *below} - {"data synth"}  # which stands for data
    assert set(GOOD) == set(BAD) == everything
    assert all(len(cases) >= 3 for cases in BAD.values())


@pytest.mark.parametrize("name", GOOD)
def test_a_good_call(name: str, folder: Path, capsys: Capture) -> None:
    assert main([*name.split(), *GOOD[name]]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


@pytest.mark.parametrize(("name", "words", "told"), CALLS)
def test_a_bad_call_is_one_line_and_changes_nothing(
    name: str, words: list[str], told: str, folder: Path, capsys: Capture
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main([*name.split(), *words]) == 2
    printed = capsys.readouterr()
    assert re.fullmatch("(device: .*\n)?", printed.out)
    assert printed.err.startswith(f"minilift {name.split()[0]}: error: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", GOOD)
def test_help_fits_a_screen_and_has_an_example(name: str) -> None:
    told = helped([*name.split(), "--help"])
    lines = told.splitlines()
    assert max(map(len, lines)) <= WIDTH, max(lines, key=len)
    assert len(lines) <= SCREEN
    assert told.startswith(f"usage: minilift {name}")
    everything = helped([*name.split(), "--help-all"])
    assert max(map(len, everything.splitlines())) <= WIDTH, max(everything.splitlines(), key=len)
    options = set(re.findall(r"^  (?:-\w[ ,].*?)?(--[\w-]+)", told, re.MULTILINE)) - {"--help-all"}
    assert options <= set(re.findall(r"--[\w-]+", everything))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_in_plain_words(name: str) -> None:
    for words in ([name], *([name, command] for command in commands_of(name))):
        told = " ".join(helped([*words, "--help-all"]).split())
        assert not re.search(
            r"\b(beside|nobody|so many|gone on with|goes on with|train\.py|eval\.py)\b", told
        )


def test_help_waits_for_nothing_that_it_does_not_need() -> None:
    """Neither NumPy nor any room but this one: 0.03 s where all of them took 0.4."""
    code = "import sys; from minilift.cli.main import main; main(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = re.findall(r"'(numpy|minilift[\w.]*)'", done.stdout)
    assert set(loaded) == {"minilift", "minilift.cli", "minilift.cli.main", "minilift.errors"}


def test_every_public_name_has_a_home() -> None:
    import minilift

    homes = [name for names in minilift._HOMES.values() for name in names]
    assert sorted(homes) == sorted(minilift.__all__)
    assert set(minilift.__all__) <= set(dir(minilift))
    for name in homes:
        assert getattr(minilift, name) is not None
    with pytest.raises(AttributeError, match="module 'minilift' has no attribute 'Liftre'"):
        _ = minilift.Liftre  # type: ignore[attr-defined]


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    import minilift

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"minilift {minilift.__version__}\n"
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert f"\nversion = {minilift.__version__}\n" in setup


def test_train_and_eval_have_doors_where_nothing_happens_at_import() -> None:
    for name in ("train", "eval"):
        source = (ROOT / f"{name}.py").read_text(encoding="utf-8")
        scope: dict[str, object] = {"__name__": "imported"}
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(source, f"{name}.py", "exec"), scope)
        assert out.getvalue() == ""
        assert callable(scope["main"])
        assert len([line for line in source.splitlines() if line and not line.startswith('"""')]) == 3


def test_data_made_by_one_command_is_read_by_the_next(folder: Path, capsys: Capture) -> None:
    """synth, split, train, predict, eval and info, as a person would go through them."""
    data, test = "work/data_train_lift.pkl", "work/data_test_lift.pkl"
    for words in (
        ["data", "synth", "-n", "600", "--out", "people.npz"],
        ["data", "split", "people.npz", "--out", "work"],
        ["train", "--data", data, "--test", test, "--out", "work", *SMALL],
        ["predict", test, "-o", "work/lifted.npz", "--weights", "work/liftModel"],
        ["eval", "--data", test, "--weights", "work/liftModel"],
        ["info", "work/liftModel", "work/checkpoint.npz", "work/lifted.npz", "work/log.csv"],
    ):  # fmt: skip
        assert main(words) == 0, (words, capsys.readouterr().err)
    with np.load("work/lifted.npz") as found:
        assert found["joint_3d"].shape == (120, 15, 3)
