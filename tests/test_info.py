"""`minilift info` tells what any file is, what is in it and what is left out; and the machine without one."""

from __future__ import annotations

import gzip
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bvh_texts import TWO
from conftest import make_poses
from raw_files import npz
from video_files import picture, write_video

from minilift.cli.info import main as info
from minilift.cli.train import main as train
from minilift.files.checkpoint import save_checkpoint
from minilift.files.weights import save_state_dict
from minilift.lift.model import LiftModel
from minilift.poses.poses import save_poses, save_scale

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a short training run leaves behind."""
    place = tmp_path_factory.mktemp("run")
    save_poses(place / "train.pkl", make_poses(2000))
    save_poses(place / "test.npz", make_poses(100, seed=1))
    save_scale(place / "test_scale.npy", np.full(100, 3.5))
    flags = ["--hidden", "16", "--epochs", "2", "--blocks", "1", "--device", "cpu", "--val-fraction", "0.3"]
    flags += ["--out", str(place)]
    assert train([*flags, "--data", str(place / "train.pkl"), "--test", str(place / "test.npz")]) == 0
    return place


def told(capsys: Capture, *files: Path | str) -> list[dict[str, Any]]:
    assert info([*map(str, files), "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [one["file"] for one in found] == [str(file) for file in files]
    return found


def test_every_file_of_a_run(run: Path, capsys: Capture) -> None:
    names = ("liftModel", "checkpoint.npz", "liftModel.trust.npz", "log.csv", "train.pkl", "test.npz")
    capsys.readouterr()
    weights, checkpoint, trust, log, poses, test = told(capsys, *(run / name for name in names))
    assert weights["kind"] == "weights of a lifter"
    assert (weights["blocks"], weights["width"], weights["head"]) == (1, 16, "xyz")
    assert weights["parameters"] == 31 * 16 + 2 * 17 * 16 + 2 * 2 * 16 + 17 * 45
    assert (weights["found under"], weights["not used"]) == ("the top of the file", [])
    assert "res-block_0.4 (Linear)" in weights["text"]
    assert checkpoint["kind"].startswith("a training checkpoint")
    assert (checkpoint["epochs done"], checkpoint["of"]) == (2, 2)
    assert checkpoint["settings"]["hidden"] == 16
    assert checkpoint["needs"] == [str(run / "train.pkl"), str(run / "test.npz")]
    assert checkpoint["best"] == log["best val_mpjpe"]
    assert checkpoint["best epoch"] == log["best epoch"]
    assert trust["fits liftModel"] is True
    assert (log["epochs"], log["columns"][0]) == (2, "epoch")
    assert (poses["kind"], test["kind"]) == ("a set of 2,000 poses", "a set of 100 poses")
    assert "test_scale.npy: 3.500 to 3.500 m per unit" in test["text"]
    assert info([str(run / name) for name in names]) == 0
    text = capsys.readouterr().out
    for name, words in zip(names, (weights, checkpoint, trust, log, poses, test), strict=True):
        assert f"{run / name}: {words['kind']}" in text


def test_trust_of_other_weights_is_told(run: Path, folder: Path, capsys: Capture) -> None:
    save_state_dict(folder / "w", LiftModel(1, 16, seed=5).state_dict())
    (folder / "w.trust.npz").write_bytes((run / "liftModel.trust.npz").read_bytes())
    (folder / "alone.npz").write_bytes((run / "liftModel.trust.npz").read_bytes())
    other, alone = told(capsys, "w.trust.npz", "alone.npz")
    assert other["fits w"] is False
    assert alone["fits the weights next to it"] is None


def test_weights_among_other_things(folder: Path, capsys: Capture) -> None:
    state, average = LiftModel(2, 8).state_dict(), LiftModel(2, 8, seed=1).state_dict()
    content = {
        "ema": average,
        "model": {f"module.{k}": v for k, v in state.items()},
        "epoch": 3,
        "a\n": {1: 2},
    }
    (folder / "w").write_bytes(pickle.dumps(content))
    (found,) = told(capsys, "w")
    assert found["found under"] == "model.module"
    assert found["would fit too"] == ["'ema'"]
    assert found["not used"] == [f"ema (dict of {len(state)})", "epoch 3", "a\\n (dict of 1)"]
    assert info(["w"]) == 0
    assert "  not used       ema (dict of 32)\n                 epoch 3\n" in capsys.readouterr().out


def test_weights_of_other_networks(folder: Path, capsys: Capture) -> None:
    save_state_dict(folder / "w.safetensors", {"fc.weight": np.ones((3, 4), np.float32), "n": np.array(3)})
    half = LiftModel(1, 8).state_dict()
    del half["output.bias"]
    save_state_dict(folder / "half", half)
    other, broken = told(capsys, "w.safetensors", "half")
    assert other["kind"] == broken["kind"] == "weights of another network"
    assert other["arrays"] == ["n int64 ()", "fc.weight float32 (3, 4)"]
    assert other["parameters"] == 12
    assert "no matrix 'hidden1.weight'" in other["no lifter"]
    assert broken["no lifter"] == "'output.bias' is missing"


def test_arrays_clips_and_poses_in_npy(folder: Path, capsys: Capture) -> None:
    save_poses(folder / "a_2d.npy", make_poses(30))
    np.save(folder / "b.npy", np.arange(6).reshape(2, 3))
    np.save(folder / "c_scale.npy", np.array([2.5, 3.5]))
    (folder / "d.npz").write_bytes(npz({"x": np.ones(3), "meta": np.ones(2)}))
    (folder / "e.bvh").write_text(TWO)
    pair, plain, scale, arrays, clip = told(capsys, "a_3d.npy", "b.npy", "c_scale.npy", "d.npz", "e.bvh")
    assert pair["kind"] == "a set of 30 poses"
    assert (plain["kind"], plain["shape"], plain["range"]) == ("an array of NumPy", "(2, 3)", "0 to 5")
    assert scale["kind"].startswith("metres per unit")
    assert arrays["arrays"] == ["x float64 (3,)", "meta float64 (2,)"]
    assert clip["kind"] == "a motion clip (.bvh)"
    assert clip["as poses"].startswith("cannot be used: ")


def test_photos_and_videos(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("av", reason="reading videos needs av")
    image = pytest.importorskip("PIL.Image", reason="reading photos needs pillow")
    image.fromarray(picture(0)).save("a.jpg")
    write_video(folder / "b.mp4", frames=12, rate=25)
    (folder / "c.npz").write_bytes(npz(dict.fromkeys(("keypoints", "kept", "detector"), np.ones(1))))
    photo, video, kept = told(capsys, "a.jpg", "b.mp4", "c.npz")
    assert (photo["kind"], photo["size"]) == ("a photo", "64x48 pixels, upright")
    assert (video["kind"], video["frames"], video["frames per second"]) == ("a video", 12, 25)
    assert video["more"] == "minilift predict b.mp4"
    assert kept["kind"] == "what a detector found in a photo or video"
    (folder / "b.mp4").write_bytes(b"\0" * 4 + b"ftyp" + b"x" * 99)
    assert info(["b.mp4"]) == 2
    assert capsys.readouterr().err.startswith("minilift info: error: b.mp4: ")


def test_what_a_checkpoint_of_nonsense_says_is_not_trusted(folder: Path, capsys: Capture) -> None:
    for settings in (None, 3, [1], {"config": 3}, {"config": {"data": ["a"]}}):
        meta = {"settings": settings, "progress": {"best": float("nan"), "epoch": {"a": float("inf")}}}
        save_checkpoint(folder / "c.npz", {"network.a": np.ones(3)}, meta)
        (found,) = told(capsys, "c.npz")
        assert found["best"] is None
        assert info(["c.npz"]) == 0
        assert "epochs done" in capsys.readouterr().out


BAD: dict[str, tuple[bytes, str]] = {
    "gzip": (gzip.compress(b"a"), "bad: is a gzip-compressed file, not a file that minilift reads; unpack"),
    "html": (b"<!DOCTYPE html><html></html>", "bad: is an HTML page, not a file that minilift reads"),
    "text": (b"hello", "bad: is a text file that begins 'hello', not a file that minilift reads; "),
    "random": (np.random.default_rng(0).bytes(99), "bad: is not a file that minilift reads; name another"),
    "empty": (b"", "bad: the file is empty"),
    "code": (b"cos\nsystem\n(S'touch was_run'\ntR.", "bad: "),
    "code in binary": (b"\x80\x02cos\nsystem\nU\x01a\x85R.", "bad: refused: it asks to load 'os.system'"),
    "no arrays": (pickle.dumps({"a": 1}), "bad: holds no tensors of numbers, found a 1"),
    "damaged zip": (npz({"a": np.ones(99)})[:-30], "bad: is a damaged or incomplete zip file"),
    "half a clip": (b"HIERARCHY\nROOT a\n{\n", "bad: line 3: "),
    "half a log": (b"epoch,loss\n1,x\n", "bad: is not a table of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line(name: str, folder: Path, capsys: Capture) -> None:
    content, expected = BAD[name]
    (folder / "bad").write_bytes(content)
    np.save(folder / "good.npy", np.ones(3))
    assert info(["bad", "good.npy"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("minilift info: error: ")
    assert expected in err
    assert err.count("\n") == 1
    assert "good.npy: " in out  # the others are told all the same
    assert sorted(path.name for path in folder.iterdir()) == ["bad", "good.npy"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nothere"], "nothere: no such file"),
        (["."], ".: is a folder; name a file in it"),
        (["--jsno"], "--jsno: no such option; did you mean --json?"),
        (["--json", "nothere"], "nothere: no such file"),
    ],
)
def test_bad_calls(words: list[str], expected: str, folder: Path, capsys: Capture) -> None:
    assert info(words) == 2
    out, err = capsys.readouterr()
    assert expected in err
    assert err.count("\n") == 1
    assert out.strip() in ("", "[]")


def test_the_machine(capsys: Capture) -> None:
    assert info([]) == 0
    assert re.search(r"^cpu .* threads?$", capsys.readouterr().out, re.MULTILINE)
    assert info(["--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found.keys() >= {"cpu", "NumPy", "gpu", "auto"}


def test_the_help_fits_a_screen(capsys: Capture) -> None:
    assert info(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
