"""What a Trainer tells its listeners, and the event files for TensorBoard, read back."""

from __future__ import annotations

import csv
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import make_poses
from test_cli import SMALL, Capture, Patch, folder, with_data

from minilift import Adam, LiftModel, evaluate
from minilift.cli.train import main as train
from minilift.lift.training import lift_training
from minilift.nn import losses
from minilift.show.runs.events import EventFiles, scalars
from minilift.show.runs.logs import read_log

__all__ = ["folder", "with_data"]  # fixtures of test_cli
EVENTS = [*SMALL, "--tensorboard", "runs/events"]


def needs_tensorboard() -> Any:
    reason = "event files need: pip install 'minilift[tensorboard]'"
    return pytest.importorskip("tensorboardX.proto.event_pb2", reason=reason)


def events(path: Path) -> list[Any]:
    """A file of TFRecords: eight bytes of length, four of a checksum, the event, four of its checksum."""
    content, found, at = path.read_bytes(), [], 0
    while at < len(content):
        (size,) = struct.unpack_from("<Q", content, at)
        found.append(needs_tensorboard().Event.FromString(content[at + 12 : at + 12 + size]))
        at += 12 + size + 4
    return found


def curves(name: str = "runs/events") -> dict[str, dict[int, float]]:
    """{tag: {step: value}}, as TensorBoard has them: a START takes back what was there from its step on."""
    found: dict[str, dict[int, float]] = {}
    for path in sorted(Path(name).iterdir(), key=lambda path: path.stat().st_mtime_ns):
        for event in events(path):
            if event.session_log.status == 1:
                found = {tag: {s: v for s, v in c.items() if s < event.step} for tag, c in found.items()}
            for value in event.summary.value:
                curve = found.setdefault(value.tag, {})
                assert event.step not in curve, "a point twice"
                curve[event.step] = value.simple_value
    return found


def log() -> list[dict[str, str]]:
    with open("log.csv") as file:
        return list(csv.DictReader(file))


def agree(found: dict[str, dict[int, float]], tag: str, column: str) -> None:
    expected = {int(row["epoch"]): float(row[column]) for row in log()}
    assert found[tag] == pytest.approx(expected, rel=1e-6)


def test_a_run_is_read_back(with_data: Path) -> None:
    needs_tensorboard()
    assert train([*EVENTS, "--loss", "mse"]) == 0
    found = curves()
    columns = {
        f"{kind}/{name}": f"{name}_{kind}" for kind in ("loss", "mpjpe") for name in ("train", "val", "test")
    }
    columns["learning_rate"] = "lr"
    assert found.keys() == columns.keys()
    for tag, column in columns.items():
        agree(found, tag, column)
    times = [event.wall_time for path in Path("runs/events").iterdir() for event in events(path)]
    assert abs(times[-1] - os.stat("log.csv").st_mtime) < 60
    assert times[-1] > times[-8]  # seven points at an epoch, and the one before was earlier


def test_the_loss_of_other_poses_is_in_the_log(with_data: Path) -> None:
    assert train([*SMALL, "--loss", "mse"]) == 0
    from minilift.lift.lifter import Lifter
    from minilift.poses.poses import load_poses

    model = Lifter.load("liftModel").model
    best = min(log(), key=lambda row: float(row["val_mpjpe"]))
    measured = evaluate(model, load_poses("data_test_lift.pkl"), loss=losses.mse)
    assert float(best["test_loss"]) == pytest.approx(measured.loss, rel=1e-5)
    assert float(best["test_mpjpe"]) == pytest.approx(measured.mpjpe, rel=1e-5)
    assert train(SMALL) == 0  # the loss is the MPJPE
    assert all(row["val_loss"] == row["val_mpjpe"] for row in log())


def test_a_resumed_run_goes_on_at_its_step(with_data: Path) -> None:
    needs_tensorboard()
    assert train(SMALL) == 0  # without events at first
    assert train(["--resume", "--epochs", "3", "--tensorboard", "runs/events"]) == 0
    (first,) = Path("runs/events").iterdir()
    first.rename(first.with_name(f"{first.name}.first"))  # names have seconds; this test is faster
    assert train(["--resume", "--epochs", "5"]) == 0  # the folder is that of the checkpoint
    assert len(list(Path("runs/events").iterdir())) == 2
    found = curves()
    assert sorted(found["mpjpe/val"]) == [1, 2, 3, 4, 5]
    for tag, column in (("mpjpe/val", "val_mpjpe"), ("loss/train", "train_loss"), ("learning_rate", "lr")):
        agree(found, tag, column)
    agree(found, "loss/val", "val_loss")


def test_the_weights_are_the_same_bits(with_data: Path) -> None:
    needs_tensorboard()
    assert train(EVENTS) == 0
    with_events = Path("liftModel").read_bytes()
    assert train(SMALL) == 0
    assert Path("liftModel").read_bytes() == with_events


def test_without_tensorboard_one_line_before_anything_is_done(
    with_data: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    assert train(EVENTS) == 2
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "minilift train: error: a TensorBoard log needs tensorboardX: pip install 'minilift[tensorboard]'"
    ]
    assert told.out == ""
    assert not Path("log.csv").exists()
    assert train(SMALL) == 0  # and nobody needs it otherwise


def test_a_folder_that_cannot_be_is_one_line(with_data: Path, capsys: Capture) -> None:
    Path("file").write_text("")
    assert train([*SMALL, "--tensorboard", "file/events"]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "file is not a folder" in told


def test_a_folder_that_is_lost_does_not_stop_training(with_data: Path, capsys: Capture) -> None:
    needs_tensorboard()
    found = EventFiles("events")
    row = {"epoch": 1, "lr": 0.1, "train_loss": 0.5, "train_mpjpe": 0.5, "seconds": 1.0}
    Path("events").write_text("")  # a file, where the folder was to be
    found.after_epoch([row])
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "warning: " in told
    assert "training goes on" in told
    Path("events").unlink()
    found.after_epoch([row, {**row, "epoch": 2, "seconds": 2.0}])
    found.close()
    assert curves("events")["mpjpe/train"] == {1: 0.5, 2: 0.5}


def test_the_points_of_a_row_are_its_columns_set_by_set() -> None:
    row = {"epoch": 1, "steps": 9, "lr": 0.25, "train_loss": 1.0, "val_top_5": 3.0, "seconds": 2.0}
    assert scalars(row) == {"learning_rate": 0.25, "loss/train": 1.0, "top_5/val": 3.0}


def test_listeners_are_told_the_rows_of_the_log_after_every_epoch(tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []

    class Ear:
        def after_epoch(self, history: list[dict[str, Any]]) -> None:
            told.append((len(history), history[-1]["epoch"], history[-1]["train_mpjpe"]))

    model = LiftModel(1, 8, device="cpu")
    poses = make_poses(64)
    options: dict[str, Any] = {"epochs": 3, "batch_size": 16, "out": tmp_path, "bar": False}
    lift_training(
        model,
        Adam(model.parameters()),
        None,
        poses,
        poses,
        show=lambda text: None,
        listeners=[Ear()],
        **options,
    ).fit()
    rows = read_log(tmp_path / "log.csv")
    assert told == [(epoch, epoch, rows[epoch - 1]["train_mpjpe"]) for epoch in (1, 2, 3)]
