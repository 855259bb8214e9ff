"""The charts of a study: which are drawn, and that they hold the figures of the records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from test_experiments import TINY, Capture, Patch, folder, made, people, records

from minilift.cli.settings import read_train
from minilift.cli.study import main
from minilift.studies.results import charts
from minilift.studies.runs.key import Run

__all__ = ["folder", "made", "people"]  # fixtures of test_experiments
FLAGS = ["--set", "device=cpu", "--set", "hidden=8", "--seeds", "2", "--jobs", "1", "--threads", "1"]
Drawn = dict[str, tuple[Any, dict[str, str]]]


@pytest.fixture
def drawn(monkeypatch: Patch) -> Drawn:
    """What the charts were made of, by their names."""
    found: Drawn = {}

    def note(data: Any, path: Path, **options: str) -> None:
        found[path.name] = data, options

    monkeypatch.setattr(charts, "plot_sweep", note)
    monkeypatch.setattr(charts, "plot_epochs", note)
    monkeypatch.setattr(charts, "check_picture", lambda path: None)
    return found


def test_a_study_is_drawn_from_its_records(folder: Path, drawn: Drawn) -> None:
    assert main(["--study", "dropout", *FLAGS, "--epochs", "2", "--charts", "c"]) == 0
    data, options = drawn["dropout-test.png"]
    assert options == {"setting": "dropout", "quantity": "MPJPE [mm], test"}
    assert list(data) == ["report's settings", "sound schedule"]
    for column, batch in zip(data, (32, 256), strict=True):
        assert list(data[column]) == [0.0, 0.5, 0.9999]
        for value, errors in data[column].items():
            of_value = [
                next(iter(record["results"].values()))["plain"]["mpjpe_mm"]
                for record in sorted(records().values(), key=lambda record: record["seed"])
                if (record["config"]["dropout"], record["config"]["batch_size"]) == (value, batch)
            ]
            assert errors == of_value
            assert len(errors) == 2
    rows, options = drawn["dropout-epochs.png"]
    assert list(rows) == ["report's settings", "sound schedule"]
    for row, batch in zip(rows.values(), (32, 256), strict=True):
        assert list(row) == ["learning rate", "training MPJPE [units]", "validation MPJPE [units]"]
        for curves in row.values():
            assert list(curves) == ["dropout 0", "dropout 0.5", "dropout 0.9999"]
            assert [len(of_seeds) for of_seeds in curves.values()] == [2] * 3
        (history,) = (
            record["history"] for record in records().values()
            if (record["config"]["dropout"], record["config"]["batch_size"]) == (0.5, batch)
            and record["seed"] == 1
        )  # fmt: skip
        for told, column in (("training", "train_mpjpe"), ("validation", "val_mpjpe")):
            curve = row[f"{told} MPJPE [units]"]["dropout 0.5"][1]
            assert curve == {1: history[0][column], 2: history[1][column]}
        rates = row["learning rate"]["dropout 0.5"][1]
        assert [rates[1.0], rates[2.0]] == [line["lr"] for line in history]
        assert (min(rates), max(rates)) == (0, 2)
    assert len(drawn) == 2


@pytest.mark.parametrize(
    "flags", [["scheduler=none"], ["scheduler=step", "step-size=1"], ["scheduler=cosine"]]
)
def test_rates_between_the_epochs_are_those_of_the_schedule(flags: list[str], folder: Path) -> None:
    words = [word for flag in [*flags, "epochs=3", "lr=0.01"] for word in ("--set", flag)]
    assert main([*TINY, *words, "--seeds", "1", "--jobs", "1"]) == 0
    (record,) = records().values()
    config = read_train(["--" + flag for flag in [*flags, "epochs=3", "lr=0.01"]]).settings
    rates = charts._rates(config, record["history"])
    assert [rates[epoch] for epoch in (1.0, 2.0, 3.0)] == [line["lr"] for line in record["history"]]
    assert rates[0.0] == 0.01
    steps = record["history"][0]["steps"]
    first = {round(time * steps): rate for time, rate in rates.items() if time < 1}
    assert sorted(first) == list(range(steps))  # fewer than RATES_SHOWN: every one of them
    if flags[0] == "scheduler=step":
        assert set(first.values()) == {0.01}
    if flags[0] == "scheduler=cosine":
        assert len(set(first.values())) == steps


def test_a_grid_is_drawn_by_labels_without_what_diverged(folder: Path, drawn: Drawn) -> None:
    flags = [*FLAGS, "--set", "epochs=1", "--set", "scheduler=none", "--set", "standardise=no"]
    assert main([*flags, "--grid", "lr=1e30,0.01", "--charts", "c"]) == 0
    data, _ = drawn["preset-same-people-test.png"]
    assert list(data) == ["lr 0.01"]
    assert list(drawn["preset-same-people-epochs.png"][0][""]["learning rate"]) == ["lr 0.01"]


def test_the_files(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="charts need: pip install 'minilift[plot]'")
    flags = ["--study", "lr", *FLAGS, "--epochs", "2", "--charts", "new/c"]
    assert main(flags) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "wrote 2 charts into new/c"
    names = sorted(path.name for path in Path("new/c").iterdir())
    assert names == ["learning-rate-epochs.png", "learning-rate-test.png"]
    before = {name: Path("new/c", name).read_bytes() for name in names}
    assert main(flags) == 0
    assert {name: Path("new/c", name).read_bytes() for name in names} == before
    assert main([*flags, "--format", "svg"]) == 0
    assert sorted(path.suffix for path in Path("new/c").iterdir()) == [".png", ".png", ".svg", ".svg"]


def test_what_cannot_be_drawn_is_said_before_anything_is_run(
    folder: Path, made: list[Run], capsys: Capture, monkeypatch: Patch
) -> None:
    assert main([*TINY, "--random", "3", "--charts", "c"]) == 2
    assert "--charts c: draws studies and grids; leave it or --random 3 out" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["--study", "lr", *FLAGS, "--charts", "c"]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "matplotlib" in told
    assert not made
