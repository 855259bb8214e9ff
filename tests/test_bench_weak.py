"""python -m bench.weak: rows made once, files without 3D for those that learn without, runs gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses

from bench.weak import run
from bench.weak.__main__ import main
from bench.weak.data import Data
from bench.weak.rows import ROWS
from bench.weak.run import append, key_of, read_records
from bench.weak.table import Results, table
from minilift.cli.settings import read_train
from minilift.lift.recipe import make_settings
from minilift.poses.poses import save_poses
from minilift.poses.views import load_two_views

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    mocap = tmp_path / "shared/data/mocap"
    mocap.mkdir(parents=True)
    for part, n in (("train", 120), ("test", 40)):
        save_poses(mocap / f"data_{part}_lift.pkl", make_poses(n))
    return ["--shared", str(tmp_path / "shared"), "--cache", str(tmp_path / "cache")]


def test_rows_are_made_once(folders: list[str], tmp_path: Path, capsys: Capture) -> None:
    rows = ["--rows", "flat", "mean", "triangulation", "two-view", "--seeds", "3", "--epochs", "1"]
    assert main([*rows, *folders]) == 0
    lines = (tmp_path / "cache/results.jsonl").read_text().splitlines()
    records = {record["row"]: record for record in map(json.loads, lines)}
    assert list(records) == ["flat", "mean", "triangulation", "two-view"]
    assert records["triangulation"]["mpjpe"] < 1e-5 < records["flat"]["mpjpe"]
    assert records["two-view"]["seed"] == 3
    capsys.readouterr()
    # a kill in the middle of the last line
    (tmp_path / "cache/results.jsonl").write_text("\n".join(lines)[:-30])
    assert main([*rows, *folders]) == 0
    told = capsys.readouterr()
    assert told.err.count("done before") == 3
    assert "two-view, seed 3: MPJPE" in told.err
    assert "nothing is left to do" in told.out  # its weights were there
    found = read_records(tmp_path / "cache/results.jsonl")
    assert found[key_of("two-view", 3, 1)]["mpjpe"] == records["two-view"]["mpjpe"]
    assert "| two views, no 3D" in told.out


def test_training_without_3d_has_none(folders: list[str]) -> None:
    data = Data(Path(folders[1]), Path(folders[3]))
    for name in ("two-view", "two-view-noise", "one-view", "supervised-noise"):
        with np.load(data.train_file(ROWS[name])) as file:
            assert ("joint_3d" in file.files) == (name == "supervised-noise")
    truth = np.asarray(data.views("test", 0.003).joint_3d)
    np.testing.assert_array_equal(truth, data.views("test", 0).joint_3d)
    bare = load_two_views(data.train_file(ROWS["two-view"]), divided=False)
    np.testing.assert_array_equal(bare.joint_2d_1, data.views("train", 0).joint_2d_1)


def test_a_killed_run_goes_on(folders: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def stopped(words: list[str]) -> int:
        asked.append(words)
        (Path(words[words.index("--out") + 1]) / "checkpoint.npz").touch()
        return 130

    monkeypatch.setattr(run, "train", stopped)
    for seed in ("1", "1", "2"):
        assert main(["--rows", "two-view", "--seeds", seed, *folders]) == 130
    assert ["--resume" in words for words in asked] == [False, True, False]
    monkeypatch.setattr(run, "key_of", lambda *_: "other flags")
    assert main(["--rows", "two-view", "--seeds", "1", *folders]) == 130
    assert "--resume" not in asked[-1]


def test_supervised_training_has_the_same_steps() -> None:
    weak = make_settings("two-view")
    flags = dict(zip(ROWS["supervised"].flags[::2], ROWS["supervised"].flags[1::2], strict=True))
    assert flags["--hidden"] == str(weak.hidden)
    steps = 1 / weak.batch_size * weak.epochs
    assert int(flags["--epochs"]) / int(flags["--batch-size"]) == steps


def test_the_table_says_what_is_demanded(tmp_path: Path) -> None:
    for name, errors in (("supervised", (0.1, 0.2)), ("two-view", (0.16, 0.18)), ("two-view-noise", (1,))):
        for seed, error in enumerate(errors):
            record = {"mpjpe": error, "pa_mpjpe": 0.1, "seconds": 60, "threads": 1}
            append(tmp_path / "r", {"key": key_of(name, seed, None), **record})
    lines = table(Results(read_records(tmp_path / "r"), [0, 1, 2]), list(ROWS)).splitlines()
    assert len(lines) == 5
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[3][2] == "0.17000 ± 0.01414"
    assert cells[3][5:7] == ["0.16500 (1.1 x supervised)", "NO"]
    assert cells[4][2:7] == ["1.00000", "0.10000", "", "1.15 x supervised-noise", ""]


def test_errors_over_the_share_of_labels(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="charts need matplotlib")
    words = ["--cache", str(tmp_path), "--plot", str(tmp_path / "labels.svg"), "--seeds", "0"]
    assert main(words) == 2
    assert "a run is missing" in capsys.readouterr().err
    for name, error in (("labels-0.01", 0.05), ("supervised", 0.02), ("two-view-labels-0.01", 0.021)):
        record = {"mpjpe": error, "pa_mpjpe": 0.1, "seconds": 60, "threads": 1}
        append(tmp_path / "results.jsonl", {"key": key_of(name, 0, None), **record})
    assert main(words) == 0
    assert "| 0.03750 (0.75 x labels-0.01) | yes" in capsys.readouterr().out
    drawn = (tmp_path / "labels.svg").read_text()
    assert "labels alone" in drawn
    assert "two views without 3D" in drawn


def test_labels_alone_are_those_of_the_others() -> None:
    for share in ("0.01", "0.1"):
        for row in (ROWS[f"{way}labels-{share}"] for way in ("", "two-view-", "one-view-")):
            assert row.with_3d
            assert row.flags[row.flags.index("--labelled") + 1] == share


def test_every_row_is_a_run_that_train_takes() -> None:
    for row in ROWS.values():
        settings = read_train(row.flags).settings
        assert (settings.weak == "none") == ("--weak" not in row.flags)
    assert read_train(ROWS["one-view-find"].flags).settings.acting() == make_settings("one-view").acting()
    assert read_train(ROWS["two-view"].flags).settings == make_settings("two-view", {"divided": "no"})
