"""The studies of the original report: what they vary, which runs they share, and what their text says."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from test_experiments import Capture, folder, made, people, records

from minilift.cli.settings import read_train
from minilift.cli.study import main
from minilift.lift.model import LiftModel
from minilift.lift.settings import TrainSettings
from minilift.optim import Adam, StepLR
from minilift.studies.designs.report import FACTORS, REPORT, SOUND, report, steps_until_gone
from minilift.studies.results.columns import columns_table
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.key import Run

__all__ = ["folder", "made", "people"]  # fixtures of test_experiments
SOUND_FLAGS = ["--lr", "0.002", "--dropout", "0.1", "--flip", "0"]
SMALL = ["--set", "hidden=8", "--set", "device=cpu", "--seeds", "1", "--jobs", "1", "--threads", "1"]


def test_each_study_changes_its_setting_and_nothing_else() -> None:
    values: dict[str, list[Any]] = {
        "dropout": [0.0, 0.5, 0.9999], "lr": [0.001, 0.1, 1.0], "hidden": [256, 512, 1024],
        "blocks": [1, 2, 3],
    }  # fmt: skip
    groups = report("report", {}, {})
    assert len(groups) == len(values)
    for group, (name, expected) in zip(groups, values.items(), strict=True):
        for column, flags in ((REPORT, ["--preset", "course"]), (SOUND, SOUND_FLAGS)):
            configs = [v.settings for v in group.variants if v.column == column]
            assert [getattr(config, name) for config in configs] == expected
            base = read_train([*flags, "--epochs", "5"]).settings.acting()
            assert all({**config.acting(), name: base[name]} == base for config in configs)


def test_it_is_what_is_run_where_nothing_is_said(folder: Path, capsys: Capture) -> None:
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    assert main(["--study", "report", "--list"]) == 0
    assert told == capsys.readouterr().out
    assert main(["--epochs", "2", "--dry-run"]) == 0
    assert "60 runs, 0 of them done; 120 epochs to train" in capsys.readouterr().out


def test_the_base_point_is_one_run() -> None:
    groups = report("report", {}, {})
    keys = {
        column: [Run(v.settings, (1,)).key for g in groups for v in g.variants if v.column == column]
        for column in (REPORT, SOUND)
    }
    assert [len(found) for found in keys.values()] == [12, 12]
    # dropout 0.5, lr 0.1, width 1024, blocks 2 of the report; of the sound schedule, with another dropout
    # and another rate, the last two only
    assert [len(set(found)) for found in keys.values()] == [9, 11]


@pytest.mark.parametrize("name", FACTORS)
def test_a_study_alone_is_that_of_the_report(name: str) -> None:
    (group,) = report(name, {}, {})
    assert group in report("report", {}, {})
    (longer,) = report(name, {"batch_size": "16"}, {"epochs": "7"})
    assert {(v.settings.batch_size, v.settings.epochs) for v in longer.variants} == {(16, 7)}


@pytest.mark.parametrize(("gamma", "expected"), [("0.3", 800), ("0.5", 1400)])
def test_steps_until_the_rate_is_gone_against_the_schedule_itself(gamma: str, expected: int) -> None:
    config = read_train(["--preset", "course", "--gamma", gamma]).settings
    optimiser = Adam(LiftModel(1, 8, device="cpu").parameters(), config.lr)
    scheduler = StepLR(optimiser, config.step_size, config.gamma, per="batch")
    steps = 0
    while optimiser.lr >= 0.01 * config.lr:
        scheduler.step()
        steps += 1
    assert steps_until_gone(config) == steps == expected


def record(errors: list[float], rates: list[float], best: int, mm: float) -> dict[str, Any]:
    history = [
        {"epoch": i + 1, "lr": lr, "val_mpjpe": error}
        for i, (lr, error) in enumerate(zip(rates, errors, strict=True))
    ]
    figures = {"plain": {"mpjpe_mm": mm}}
    return {"history": history, "best_epoch": best, "diverged": False, "results": {"e": figures}}


def test_the_table_and_its_text_against_numbers_of_our_own() -> None:
    (group,) = report("dropout", {}, {})
    evaluation = Evaluation("test", "x.pkl", slice(None), "x_scale.npy", "e")
    found: dict[Any, Any] = {}
    for i, variant in enumerate(group.variants):
        for seed in range(2):
            if variant.column == REPORT:
                made_ = record([0.5, 0.49 + 0.01 * seed], [8e-7, 1e-9], 1 + seed, 60.0 + i + seed)
            else:
                made_ = record([0.5, 0.1], [0.002, 1e-8], 2, 20.0 + i)
            found[variant, seed] = made_
    text = columns_table(group, found, [evaluation], range(2), "mpjpe").splitlines()
    assert text[0] == (
        "|  | report's settings: test, mm | last rate | best epoch "
        "| sound schedule: test, mm | last rate | best epoch |"
    )
    mean, spread = statistics.mean([62.0, 63.0]), statistics.stdev([62.0, 63.0])
    assert text[3] == (
        f"| dropout 0.5 | {mean:.2f} ± {spread:.2f} | 1.0e-09 | 1 to 2 | 23.00 ± 0.00 | 1.0e-08 | 2 |"
    )
    assert "takes 99 % of the rate away in 800 batches, and leaves 8e-06 of it" in text[-1]
    assert "changes by (2.0 % at most)" in text[-1]
    assert text[-1].endswith(FACTORS["dropout"].measured)
    slow = group.variants[0]
    found[slow, 0] = record([0.5, 0.4], [0.05, 1e-9], 2, 60.0)
    text = columns_table(group, found, [evaluation], range(2), "mpjpe").splitlines()
    assert text[-1].startswith("Here the report's settings do not freeze")
    lost = {**record([], [], 0, 0.0), "diverged": True, "results": {}}
    text = columns_table(group, dict.fromkeys(found, lost), [evaluation], range(2), "mpjpe").splitlines()
    assert text[2] == "| dropout 0 | diverged | - | - | diverged | - | - |"
    assert text[-1] == "No run with the report's settings has an epoch yet."


def test_the_studies_on_tiny_data(folder: Path, made: list[Run], capsys: Capture) -> None:
    flags = [*SMALL, "--set", "batch-size=4", "--set", "step-size=10", "--epochs", "2"]
    page = Path("page.md")
    page.write_text("<!-- table: dropout -->\n<!-- end -->\n")
    assert main(["--study", "dropout", *flags, "--table", "page.md"]) == 0
    told = capsys.readouterr().out
    assert len(made) == 6
    assert "**Dropout: the report's settings and a sound schedule, 2 epochs**" in told
    assert "takes 99 % of the rate away in 40 batches" in told
    assert "| dropout 0.9999 | " in page.read_text()
    # 304 poses, 76 batches of 4 an epoch, a drop of 0.3 after every ten of 152
    row = next(line for line in told.splitlines() if line.startswith("| dropout 0.5 "))
    assert row.split(" | ")[2] == f"{0.1 * 0.3 ** (152 // 10):.1e}"
    (of_base,) = [r for r in records().values() if r["config"]["dropout"] == 0.5 and r["config"]["lr"] == 0.1]
    assert row.split(" | ")[3] == str(of_base["best_epoch"])
    assert main(["--study", "report", *flags]) == 0
    # As the width is given, no study shares a run with that of widths; of the report's own settings the
    # other three share their base; those of the sound schedule, with another dropout and rate, share none
    assert len(made) == len(records()) == 3 + 2 + 2 + 3 + 4 * 3


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--study", "report", "--epochs", "1", "2"], "--epochs 1 2: --study report has one number"),
        (["--study", "lr", "--set", "lr=1"], "lr=1: the study lr varies it; leave it out"),
        (["--study", "width", "--epochs", "1", "--set", "epochs=2"], "--epochs says it too"),
    ],
)
def test_wrong_flags_are_one_line(flags: list[str], expected: str, folder: Path, capsys: Capture) -> None:
    assert main(flags) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert expected in told


def test_the_reports_own_numbers() -> None:
    config = next(v.settings for v in report("lr", {}, {})[0].variants if v.label == "lr 0.1")
    assert isinstance(config, TrainSettings)
    assert (config.batch_size, config.betas, config.dropout, config.epochs) == (32, (0.5, 0.999), 0.5, 5)
