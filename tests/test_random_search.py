"""Random search: what is drawn, that it can be gone on with, and that validation alone chooses."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_experiments import TINY, Capture, folder, made, people, records

from minilift.cli.study import main
from minilift.lift.settings import TrainSettings
from minilift.studies.designs.random_search import DEFAULT_RANGES, random_search, read_ranges
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.results.best import best_of
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.key import Run

__all__ = ["folder", "made", "people"]  # fixtures of test_experiments
FLAGS = [*TINY, "--set", "epochs=2", "--seeds", "1", "--jobs", "1", "--threads", "1"]
RANGES = ["--range", "lr=1e-3..1e-2:log", "--range", "dropout=0,0.1"]


def drawn(*texts: str, number: int = 400, seed: int = 0) -> list[TrainSettings]:
    (group,) = random_search("same-people", {}, read_ranges(texts), number, seed)
    return [variant.settings for variant in group.variants]


def test_values_are_spread_as_the_range_says() -> None:
    found = drawn("lr=1e-4..1e-1:log", "noise=0..0.5", "epochs=3..6", "hidden=8,16", "batch_size=2..2048:log")
    lr, noise = (np.array([getattr(config, name) for config in found]) for name in ("lr", "noise"))
    for values, low, high in ((np.log10(lr), -4, -1), (noise, 0, 0.5)):
        assert low <= values.min() < values.max() <= high
        # a uniform mean is off by more than four standard deviations once in 16,000
        assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * len(values))
        assert np.histogram(values, 4, (low, high))[0].min() > 60  # of 100
    epochs = [config.epochs for config in found]
    assert set(epochs) == {3, 4, 5, 6}
    assert min(epochs.count(n) for n in (3, 4, 5, 6)) > 60
    assert 140 < sum(config.hidden == 8 for config in found) < 260
    sizes = np.log2([config.batch_size for config in found])
    assert sizes.min() >= 1
    assert sizes.max() <= 11
    assert abs(np.mean(sizes) - 6) < 0.7
    assert len(set(found)) == 400


def test_more_points_of_a_seed_are_the_same_and_others() -> None:
    ten, twenty = drawn(*DEFAULT_RANGES, number=10), drawn(*DEFAULT_RANGES, number=20)
    assert twenty[:10] == ten
    assert not set(drawn(*DEFAULT_RANGES, number=10, seed=1)) & set(twenty)


def test_points_are_different_ones() -> None:
    assert len(set(drawn("blocks=1..3", "flip=0,0.5", number=6))) == 6


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--range", "lr=0..1:log"], "--range lr=0: must be more than 0"),
        (["--range", "noise=0..1:log"], "--range noise=0..1:log: give A less than B, and more than 0"),
        (["--range", "dropout=0.5..0.1"], "--range dropout=0.5..0.1: give A less than B"),
        (["--range", "dropout=0..2"], "--range dropout=2: must be at least 0 and at most 1"),
        (["--range", "head=ray..xyz"], "head is no number; list its values with commas"),
        (["--range", "lr"], "--range lr=: not a number"),
        (["--range", "lrr=1..2"], "no setting of a study"),
        (["--range", "val_fraction=0.1,0.2"], "give --set val_fraction=0.1,0.2"),
        (["--range", "lr=1,2", "--range", "lr=3,4"], "lr is given twice"),
        (["--range", "lr=1,2", "--set", "lr=3"], "lr=3: is drawn from a range"),
        (["--range", "blocks=1,2"], "--random 3: the ranges seem to have 2 points"),
        (["--grid", "lr=1,2"], "--grid: does not go with --random 3"),
        (["--study", "lr"], "--study: does not go with --random 3"),
        (["--epochs", "3"], "--epochs: does not go with --random 3"),
        (["--search-seed", "-1"], "--search-seed -1: must be at least 0"),
    ],
)
def test_wrong_flags_are_one_line(flags: list[str], expected: str, folder: Path, capsys: Capture) -> None:
    assert main(["--random", "3", *flags]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert expected in told


def test_ranges_without_random_are_told(folder: Path, capsys: Capture) -> None:
    assert main(RANGES) == 2
    assert "give --random N, too" in capsys.readouterr().err


def test_a_setting_that_is_given_is_not_drawn_by_default(folder: Path, capsys: Capture) -> None:
    assert main([*FLAGS, "--random", "4", "--list"]) == 0
    told = capsys.readouterr().out
    assert "lr " in told
    assert "hidden 16" in told.splitlines()[0]
    assert "hidden 256" not in told
    assert "blocks 2" not in told


def test_a_search_goes_on_and_chooses_by_validation(folder: Path, made: list[Run], capsys: Capture) -> None:
    assert main([*FLAGS, *RANGES, "--random", "3"]) == 0
    assert main([*FLAGS, *RANGES, "--random", "5"]) == 0
    told = capsys.readouterr().out
    assert "5 runs, 3 of them done" in told
    assert len(made) == 5
    found = list(records().values())
    best = sorted(min(row["val_mpjpe"] for row in record["history"]) for record in found)
    last = told[told.rindex("**5 points") :]
    rows = [re.fullmatch(r"\| lr .*, dropout .* \| (0\.\d{5}) \|", line) for line in last.splitlines()]
    assert [row[1] for row in rows if row] == [f"{error:.5f}" for error in best]
    first = next(r for r in found if min(row["val_mpjpe"] for row in r["history"]) == best[0])
    (figures,) = first["results"].values()
    assert f"MPJPE of the first: test, mm {figures['plain']['mpjpe_mm']:.2f}. Nothing was chosen by" in last
    assert "Of 5" not in last


def test_only_whole_points_are_compared_and_ten_are_shown() -> None:
    evaluation = Evaluation("test", "x.pkl", slice(None), None, "e")
    variants = [Variant(f"point {i}", TrainSettings(lr=0.1 + i)) for i in range(14)]

    def record(errors: list[float], on_test: float, diverged: bool = False) -> dict[str, Any]:
        history = [{"epoch": i + 1, "val_mpjpe": error} for i, error in enumerate(errors)]
        figures = {"e": {"plain": {"mpjpe": on_test}}}
        return {"history": history, "results": {} if diverged else figures, "diverged": diverged}

    found: dict[Any, Any] = {}
    for i, variant in enumerate(variants):  # the later, the better by validation and the worse on the test
        for seed in range(2):
            found[variant, seed] = record([9.0, 0.5 - 0.01 * i + 0.002 * seed, 1.0], float(i))
    found[variants[13], 1] = record([0.1], 0.0, diverged=True)
    found[variants[12], 0] = None
    text = best_of(Group("t", tuple(variants), compared=False), found, [evaluation], range(2), "mpjpe")
    lines = text.splitlines()
    assert lines[2] == f"| point 11 | {0.391:.5f} ± {np.std([0.39, 0.392], ddof=1):.5f} |"
    assert [line.split(" | ")[0] for line in lines[2:12]] == [f"| point {i}" for i in range(11, 1, -1)]
    assert "The best 10 of 12 points" in lines[13]
    assert "2 of 14 points diverged or have not been run" in lines[13]
    assert "MPJPE of the first: test, units 11.00000 ± 0.00000." in lines[15]
    nothing = best_of(Group("t", tuple(variants[13:])), found, [evaluation], range(2), "mpjpe")
    assert nothing.startswith("No point to choose. 1 of 1 points")
