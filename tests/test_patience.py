"""Early stopping: when patience ends, what a stopped run says, and how it goes on."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from test_cli import SMALL, Capture, fails, folder, with_data

from minilift.cli.train import main as train
from minilift.lift.settings import TrainSettings
from minilift.train.patience import epochs_without_gain

__all__ = ["folder", "with_data"]  # fixtures of test_cli
LONG = [*SMALL, "--epochs", "6", "--patience", "2", "--min-delta", "10"]


@pytest.mark.parametrize(
    ("errors", "min_delta", "expected"),
    [
        ([], 0.0, 0),
        ([5.0], 0.0, 0),
        ([5.0, 5.0], 0.0, 1),  # as good is no better
        ([5.0, 4.0, 4.5, 4.2], 0.0, 2),
        ([5.0, 4.0, 4.5, 3.9], 0.0, 0),
        ([5.0, 3.9, 3.5], 1.0, 1),
        ([5.0, 4.5, 4.0], 1.0, 2),  # not by more than 1
        ([5.0, 4.5, 3.9], 1.0, 0),  # small steps that add up
        ([5.0, 6.0, 7.0, 8.0], 1.0, 3),
    ],
)
def test_epochs_without_gain(errors: list[float], min_delta: float, expected: int) -> None:
    assert epochs_without_gain(errors, min_delta) == expected


def epochs() -> list[int]:
    with open("log.csv") as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def test_a_run_stops_and_says_so(with_data: Path, capsys: Capture) -> None:
    assert train(LONG) == 0
    told = capsys.readouterr().out
    assert epochs() == [1, 2, 3]
    assert (
        "stopped early: no better validation MPJPE by more than 10 units in 2 epochs, after epoch 3 of 6\n"
        in told
    )
    assert "best validation MPJPE" in told
    assert "next: minilift eval" in told


def test_the_weights_are_those_of_the_best_epoch_until_then(with_data: Path) -> None:
    assert train([*SMALL, "--epochs", "3", "--scheduler", "none"]) == 0
    three = Path("liftModel").read_bytes()
    assert train([*LONG, "--scheduler", "none"]) == 0
    assert epochs() == [1, 2, 3]
    assert Path("liftModel").read_bytes() == three


def test_a_stopped_run_is_finished_until_patience_is_given(with_data: Path, capsys: Capture) -> None:
    assert train(LONG) == 0
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in with_data.iterdir()}
    assert train(["--resume"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == (
        "stopped early: no better validation MPJPE by more than 10 units in 2 epochs; "
        "continue with --patience 0 --min-delta 0, or a larger patience"
    )
    assert {path.name: path.read_bytes() for path in with_data.iterdir()} == before
    assert train(["--resume", "--patience", "4"]) == 0
    assert epochs() == [1, 2, 3, 4, 5]
    assert train(["--resume", "--patience", "0", "--min-delta", "0"]) == 0
    assert epochs() == [1, 2, 3, 4, 5, 6]


def test_a_resumed_run_has_the_bits_of_one_that_never_stopped(with_data: Path) -> None:
    assert train([*SMALL, "--epochs", "6"]) == 0
    whole = Path("liftModel").read_bytes()
    assert train(LONG) == 0
    assert train(["--resume", "--patience", "0", "--min-delta", "0"]) == 0
    assert Path("liftModel").read_bytes() == whole


def test_patience_that_does_not_end_changes_nothing(with_data: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--epochs", "4"]) == 0
    whole = Path("liftModel").read_bytes()
    capsys.readouterr()
    assert train([*SMALL, "--epochs", "4", "--patience", "4"]) == 0
    assert Path("liftModel").read_bytes() == whole
    assert "stopped early" not in capsys.readouterr().out


def test_min_delta_needs_patience(with_data: Path, capsys: Capture) -> None:
    fails(
        train([*SMALL, "--min-delta", "0.1"]),
        capsys,
        "--min-delta 0.1: needs patience, which is 0",
        "--patience 5",
    )


def test_settings_are_told_where_they_act() -> None:
    assert "patience" not in TrainSettings().describe()
    assert "patience 3, min delta 0.001" in TrainSettings(patience=3, min_delta=0.001).describe()
