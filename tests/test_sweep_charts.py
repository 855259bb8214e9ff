"""The charts of a study: which are drawn, and that they hold the figures of the records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from test_experiments import TINY, Capture, Patch, folder, made, people, records

from minilift.experiments import charts
from minilift.experiments.__main__ import main
from minilift.experiments.settings import Run

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
    monkeypatch.setattr(charts, "plot_runs", note)
    monkeypatch.setattr(charts, "check_picture", lambda path: None)
    return found


def test_a_study_is_drawn_from_its_records(folder: Path, drawn: Drawn) -> None:
    assert main(["--study", "dropout", *FLAGS, "--epochs", "2", "--charts", "c"]) == 0
    data, options = drawn["dropout-test.svg"]
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
    for column in ("reports-settings", "sound-schedule"):
        for name in ("val-mpjpe", "train-mpjpe", "lr"):
            logs, options = drawn[f"dropout-{column}-epochs-{name}.svg"]
            assert options["column"] == name.replace("-", "_")
            assert list(logs) == ["dropout 0", "dropout 0.5", "dropout 0.9999"]
            assert [len(log) for runs in logs.values() for log in runs] == [2] * 6
    of_report, _ = drawn["dropout-reports-settings-epochs-lr.svg"]
    assert of_report["dropout 0"][0][0]["lr"] == pytest.approx(0.1)  # nine batches: no drop yet
    assert len(drawn) == 7


def test_a_grid_is_drawn_by_labels_without_what_diverged(folder: Path, drawn: Drawn) -> None:
    flags = [*FLAGS, "--set", "epochs=1", "--set", "scheduler=none", "--set", "standardise=no"]
    assert main([*flags, "--grid", "lr=1e30,0.01", "--charts", "c"]) == 0
    data, _ = drawn["preset-default-test.svg"]
    assert list(data) == ["lr 0.01"]
    assert list(drawn["preset-default-epochs-lr.svg"][0]) == ["lr 0.01"]


def test_the_files(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="charts need: pip install 'minilift[plot]'")
    flags = ["--study", "lr", *FLAGS, "--epochs", "2", "--charts", "new/c"]
    assert main(flags) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "wrote 7 charts into new/c"
    names = sorted(path.name for path in Path("new/c").iterdir())
    assert names == [
        *(f"learning-rate-reports-settings-epochs-{row}.svg" for row in ("lr", "train-mpjpe", "val-mpjpe")),
        *(f"learning-rate-sound-schedule-epochs-{row}.svg" for row in ("lr", "train-mpjpe", "val-mpjpe")),
        "learning-rate-test.svg",
    ]
    before = {name: Path("new/c", name).read_bytes() for name in names}
    assert main(flags) == 0
    assert {name: Path("new/c", name).read_bytes() for name in names} == before


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
