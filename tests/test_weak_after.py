"""What comes after training without 3D: the next command, and when to trust such weights."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses
from test_two_view_loss import two_views

from minilift import load_poses
from minilift.cli.eval import main as evaluate
from minilift.cli.predict import main as predict
from minilift.cli.train import main as train
from minilift.cli.trust import main as trust
from minilift.files.npz import read_npz
from minilift.poses.info import warn_of_conventions
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, save_poses
from minilift.poses.views.write import save_two_views

Capture = pytest.CaptureFixture[str]
TINY = ["--epochs", "1", "--hidden", "8", "--blocks", "0", "--batch-size", "100"]
N = 420


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flat = make_poses(N)
    save_poses("one.npz", Poses(flat.joint_2d, None))
    save_poses("known.npz", flat)
    save_two_views("two.npz", replace(two_views(N), joint_3d=None))


def last_line(capsys: Capture, *words: str) -> str:
    assert train([*TINY, *words]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: ")]
    return lines[-1].removeprefix("next: ")


@pytest.mark.parametrize("way", ["one", "two"])
def test_without_3d_the_next_is_to_lift_and_errors_want_others(way: str, capsys: Capture) -> None:
    told = last_line(capsys, "--weak", f"{way}-view", "--data", f"{way}.npz", "--out", "a b")
    lift, _, measure = told.partition("; and of others whose 3D is known, how far off joints are: ")
    words = shlex.split(lift)
    assert words[:3] == ["minilift", "predict", f"{way}.npz"]
    assert predict(words[2:]) == 0
    assert load_arrays("joints.npz")
    words = shlex.split(measure.replace("POSES", "known.npz"))
    assert words[:2] == ["minilift", "eval"]
    assert evaluate(words[2:]) == 0


def load_arrays(name: str) -> bool:
    return "joint_3d" in read_npz(name, Path(name).read_bytes())


@pytest.mark.parametrize("way", ["one", "two"])
def test_where_test_poses_have_3d_they_are_next(way: str, capsys: Capture) -> None:
    save_poses("data_test_lift.pkl", load_poses("known.npz"))
    told = last_line(capsys, "--weak", f"{way}-view", "--data", f"{way}.npz")
    assert told == "minilift eval"
    save_poses("data_test_lift.pkl", load_poses("one.npz"))
    told = last_line(capsys, "--weak", f"{way}-view", "--data", f"{way}.npz")
    assert told.startswith("minilift predict data_test_lift.pkl -o joints.npz; ")


def test_trust_of_both_views_is_learned_of_triangulated_joints(capsys: Capture) -> None:
    assert train([*TINY, "--weak", "two-view", "--data", "two.npz", "--val-fraction", "0.5"]) == 0
    by_training = Path("liftModel.trust.npz").read_bytes()
    Path("liftModel.trust.npz").unlink()
    capsys.readouterr()
    assert trust(["--data", "two.npz", "--val-fraction", "0.5"]) == 0
    assert "two.npz: no joint_3d; triangulated from both views" in capsys.readouterr().out
    found = Path("liftModel.trust.npz").read_bytes()
    for name, array in read_npz("a", by_training).items():
        np.testing.assert_array_equal(array, read_npz("b", found)[name], err_msg=name)


def test_trust_without_3d_asks_for_others(capsys: Capture) -> None:
    assert train([*TINY, "--weak", "one-view", "--data", "one.npz", "--out", "a"]) == 0
    assert "fit one with minilift trust --weights a/liftModel --data POSES, of" in capsys.readouterr().out
    assert trust(["--weights", "a/liftModel", "--data", "one.npz"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "one.npz: no key joint_3d, against which errors are measured; give others whose 3D is" in error
    assert trust(["--weights", "a/liftModel", "--data", "known.npz", "--val-fraction", "0.5"]) == 0
    assert Path("a/liftModel.trust.npz").exists()


def test_images_alone_are_looked_at_for_their_conventions(capsys: Capture) -> None:
    points = np.asarray(synthesize(40, seed=1).joint_2d)
    for given, told in (
        (points, ""),
        (points * [1, -1], "heads are below hips in most of the poses: y seems to point down"),
        (points + 0.1, "the middle of the hips is not at (0.0, 0.0)"),
    ):
        warn_of_conventions("images.npz", Poses(given.astype(np.float32), None))
        error = capsys.readouterr().err
        assert error.startswith(f"warning: images.npz: {told}") if told else not error
