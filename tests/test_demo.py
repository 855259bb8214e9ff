"""`minilift demo`: a lifter from nothing, its error, a picture; and a folder that the other commands read."""

from __future__ import annotations

import io
import os
import re
import signal
from contextlib import redirect_stdout
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from minilift import Lifter
from minilift.cli import demo as demo_module
from minilift.cli.demo import main
from minilift.cli.eval import main as evaluate
from minilift.cli.predict import main as predict
from minilift.poses.people.synth import synthesize
from minilift.show.people.sketch import sketch_lift

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
SMALL = ["--people", "5000", "--epochs", "1", "--hidden", "16", "--device", "cpu"]
FILES = [
    "checkpoint.npz", "data_test_lift.pkl", "data_test_scale.npy", "data_train_lift.pkl",
    "data_train_scale.npy", "demo.txt", "liftModel", "liftModel.trust.npz", "log.csv", "minilift-demo.svg",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which a small demo was run without matplotlib, and what it printed."""
    place = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
        patch.chdir(place)
        patch.setattr(demo_module, "installed", lambda name: False)
        assert main(SMALL) == 0
    return place / "minilift-demo", out.getvalue()


def test_it_says_what_it_does_and_what_it_found(made: tuple[Path, str], monkeypatch: Patch) -> None:
    folder, told = made
    monkeypatch.chdir(folder)
    assert told.startswith("making 5,000 synthetic people\nthe starting weights, which come with minilift, ")
    assert "\ntraining a small lifter on 4,500 of them; 500 are" in told
    found = {name: float(mm) for name, mm in re.findall(r"^  (\S.*\S) +(\d+\.\d) mm$", told, re.MULTILINE)}
    simpler = ["mean pose", "flat pose, at the root's z", "linear regression"]
    assert list(found) == [*simpler, "the starting weights", "this lifter"]
    off = f"are {found['the starting weights']} mm off on 500 of them"
    assert f"the starting weights, which come with minilift, {off}\n" in told
    assert found["the starting weights"] < found["mean pose"]
    assert found["this lifter"] < found["mean pose"]
    assert (folder / "demo.txt").read_text().strip() in told
    assert re.search(r"^done in \d+ s; the picture is minilift-demo.minilift-demo\.svg$", told, re.MULTILINE)
    assert "pip install 'minilift[plot]'" in told


def test_eval_and_predict_read_its_folder(
    made: tuple[Path, str], monkeypatch: Patch, tmp_path: Path, capsys: Capture
) -> None:
    folder, told = made
    monkeypatch.chdir(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert evaluate([]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for name, of_eval in (("this lifter", "average MPJPE"), ("linear regression", "linear regression")):
        mm = re.search(rf"{of_eval} +[\d.]+ +(\d+\.\d) ", printed.out)
        assert mm
        assert f"{name:26} {mm[1]:>6s} mm" in told
    for command in re.findall(r"minilift predict (\S+ -o \S+)", told):
        words = command.split()
        assert predict([*words[:2], str(tmp_path / words[2])]) == 0


def test_the_picture_without_matplotlib_is_one_that_a_browser_shows(made: tuple[Path, str]) -> None:
    tree = ElementTree.parse(made[0] / "minilift-demo.svg").getroot()
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    words = [text.text or "" for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"input: 2D keypoints", "3D from the right", "truth"} <= set(words)
    assert [word.partition(":")[0] for word in words if word.endswith(" mm")] == list(demo_module.DRAWN)
    # 15 bones: of the input, and in two views of the prediction and of the truth; three lines of the legend
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}path"))) == 3 * 15 * 5 + 3


def test_every_line_of_a_sketch_lies_in_its_cell(tmp_path: Path) -> None:
    people = synthesize(3)
    sketch_lift(people.joint_2d, people.joint_3d, people.joint_3d, tmp_path / "a.svg", ["<a>", "b", "c"])
    tree = ElementTree.parse(tmp_path / "a.svg").getroot()
    paths = [path.get("d") or "" for path in tree.iter("{http://www.w3.org/2000/svg}path")]
    ends = np.array([re.findall(r"[\d.-]+", d) for d in paths if "L" in d], float).reshape(3, 3, -1, 2)
    assert ends.shape[2] in (30, 50)
    for row in range(3):
        cells = ends.reshape(3, -1, 2)[row]
        assert (cells[:, 1] > 64 + 220 * row).all()
        assert (cells[:, 1] < 64 + 220 * (row + 1)).all()
        assert cells[:, 0].min() > 0
        assert cells[:, 0].max() < 660


def test_a_second_run_replaces_the_first_with_the_same(
    made: tuple[Path, str], monkeypatch: Patch, capsys: Capture
) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    folder = made[0]
    before = (folder / "liftModel").read_bytes()
    assert main([*SMALL, "--out", str(folder)]) == 0
    assert (folder / "liftModel").read_bytes() == before
    assert "minilift-demo.png\n" in capsys.readouterr().out
    assert (folder / "minilift-demo.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert Lifter.load(folder / "liftModel").model.hidden_layer == 16


def test_ctrl_c_stops_it_and_it_can_be_run_again(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    step = demo_module.build_trainer

    def interrupted(*given: object, **options: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return step(*given, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(demo_module, "build_trainer", interrupted)
        assert main(SMALL) == 130
    assert "stopped" in capsys.readouterr().err
    demo_module._check_folder(Path("minilift-demo"))  # raises nothing: it is one of a demo


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--out", "mine"], "mine: holds other files; choose a new folder with --out"),
        (["--out", "."], ".: holds other files; choose a new folder with --out"),
        (["--out", "file"], "file: file is not a folder; choose another output folder"),
        (["--out", "file/below"], "file is not a folder; choose another output folder"),
        (["--people", "10"], "--people 10: must be at least 5000 and at most 1e+06"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--epochs", "few"], "--epochs few: not a whole number"),
        (["--device", "gpu:x"], "--device gpu:x"),
        (["--outt", "x"], "--outt: no such option; did you mean --out?"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    words: list[str], told: str, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for name in ("mine/liftModel", "file"):
        Path(name).write_text("mine")
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("minilift demo: error: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "liftModel", "mine"]


def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    assert main(SMALL) == 2
    told = "minilift-demo: Permission denied; choose an output folder that can be written"
    assert capsys.readouterr().err == f"minilift demo: error: {told}\n"
