"""The study of a block's layers: what it varies, which runs are one, and that a run is what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_experiments import Capture, folder, made, people, records

from minilift import Lifter, LiftModel, cal_mpjpe
from minilift.cli.settings import read_train
from minilift.cli.study import main
from minilift.lift.build import build_model, build_trainer
from minilift.poses.poses import load_poses
from minilift.studies.designs.block import Block
from minilift.studies.designs.layers import CHANGES, layers
from minilift.studies.runs.key import Run

__all__ = ["folder", "made", "people"]  # fixtures of test_experiments
SOUND = ["--lr", "0.002", "--dropout", "0.1", "--flip", "0"]
SMALL = ["--set", "hidden=8", "--set", "device=cpu", "--seeds", "1", "--jobs", "1", "--threads", "1"]


def key(variant: Any) -> str:
    return Run(variant.settings, (1,), variant.block).key


def test_one_thing_changes_at_a_time() -> None:
    blocks, rates, poses = layers({}, {})
    base = blocks.variants[0]
    settings = read_train(["--epochs", "5", "--hidden", "512", *SOUND]).settings.acting()
    assert base.settings.acting() == settings
    assert base.block is None
    assert len({key(variant) for variant in blocks.variants}) == len(CHANGES) + 1
    for variant in blocks.variants[1:]:
        changed = {k for k, v in variant.settings.acting().items() if settings.get(k) != v}
        assert changed or variant.block
        if changed == {"blocks"}:  # as many layers in all
            assert variant.block.layers.split().count("linear") * variant.settings.blocks == 4
        elif changed:
            assert (changed, variant.settings.dropout) in (({"dropout"}, 0.0), ({"dropout"}, 0.5))
    for variant in rates.variants:
        assert {**variant.settings.acting(), "lr": settings["lr"]} == settings
        assert (variant.block is None) == (variant.column == "with batch norm")
    assert {key(v) for v in rates.variants} & {key(v) for v in blocks.variants} == {
        key(base), next(key(v) for v in blocks.variants if v.label == "without batch norm")
    }  # fmt: skip
    steps = {v.settings.poses // v.settings.batch_size * v.settings.epochs for v in poses.variants}
    assert steps == {1000}
    assert all(v.settings.poses % v.settings.batch_size == 0 for v in poses.variants)


WORDS = {"batch norm": "norm", "ReLU": "relu", "dropout": "dropout", "it": "dropout", "the shortcut": ""}


def test_labels_say_what_the_blocks_are() -> None:
    for label, block, _ in CHANGES:
        names = block.layers.split() if block else []
        if label.startswith("without ") and block:
            left_out = {"batch norm": "norm", "ReLU": "relu", "the shortcut": ""}[
                label.removeprefix("without ")
            ]
            assert left_out not in names
            assert block.shortcut == bool(left_out)
        elif block:
            assert len(names) == 4 * {"once": 1, "four": 4}.get(label.split()[1], 2)
            assert {"linear", "norm", "relu", "dropout"} == set(names)
        for one, other in re.findall(r"(batch norm|dropout) (?:behind|in front of) (ReLU|dropout|it)", label):
            first, second = WORDS[one], WORDS[other]
            behind = names.index(first) > names.index(second)
            assert behind == ("behind" in label)


def test_a_block_is_part_of_the_hash_and_the_usual_one_is_not() -> None:
    config = read_train(SOUND).settings
    keys = {
        Run(config, (1,), block).key for block in (None, Block("linear"), Block("linear", shortcut=False))
    }
    assert len(keys) == 3
    assert Run(replace(config, poses=0), (1,)).key == Run(config, (1,)).key


def test_all_of_it_on_tiny_data_and_no_run_twice(folder: Path, made: list[Run], capsys: Capture) -> None:
    page = Path("page.md")
    marks = "".join(f"<!-- table: {name} -->\n<!-- end -->\n" for name in ("dropout", "layers"))
    page.write_text(f"before\n{marks}after\n")
    flags = ["--study", "dropout", "layers", *SMALL, "--set", "batch-size=16", "--epochs", "1"]
    assert main([*flags, "--table", "page.md"]) == 0
    told = capsys.readouterr().out
    text = page.read_text()
    assert text.startswith("before\n<!-- table: dropout -->\n\n**Dropout:")
    first, second = text.split("<!-- table: layers -->\n\n")
    assert first.endswith("\n\n<!-- end -->\n")
    assert second.startswith("**Layers of a block: sound schedule, hidden 8, 1 epoch**")
    assert text.endswith("<!-- end -->\nafter\n")
    for part in text.split("**")[1::2]:
        assert f"**{part}**" in told
    for label, *_ in CHANGES:
        assert f"\n| {label} | " in text
    assert "|  | with batch norm: test, mm | without: test, mm |" in text
    assert "|  | dropout 0: test, mm | dropout 0.1: test, mm | dropout 0.5: test, mm |" in text
    assert "last rate" not in second
    # Rates: one of four is the base's. Dropouts 0 and 0.5 are those of the other study, as all have one width
    assert len(made) == len(records()) == 6 + (1 + len(CHANGES) - 2) + 3 * 2 + 9
    assert main(flags) == 0
    assert len(made) == len(records())


def test_a_run_is_that_of_its_block(folder: Path, made: list[Run]) -> None:
    assert main(["--study", "layers", *SMALL, "--set", "batch-size=64", "--epochs", "2"]) == 0
    block = Block("linear norm relu dropout linear norm relu dropout", shortcut=False)
    (run,) = [run for run in made if run.block == block]
    record = records()[run.key]
    model, data = build_model(run.settings, block), load_poses("data_train_lift.pkl")
    training = build_trainer(run.settings, model, data, None, None, quiet=True)
    assert training.fit()
    assert [row["val_mpjpe"] for row in record["history"]] == [
        row["val_mpjpe"] for row in training.trainer.progress.history
    ]
    model = LiftModel(2, 8, make_block=block)
    model.load_state_dict(training.trainer.best_weights)
    test = load_poses("data_test_lift.pkl")
    expected = cal_mpjpe(Lifter(model).predict(test.joint_2d), test.joint_3d)
    (figures,) = record["results"].values()
    assert figures["plain"]["mpjpe"] == pytest.approx(float(np.asarray(expected)), rel=1e-5)
    assert record["block"] == f"{block.layers}, without shortcut"
    assert {one["block"] for one in records().values()} == {str(run.block or "") for run in made}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["layers", "--set", "lr=1"], "lr=1: the study layers varies it; leave it out"),
        (["layers", "--set", "poses=9"], "poses=9: the study layers varies it"),
        (["layers", "lr", "--epochs", "1", "2"], "--epochs 1 2: --study layers has one number"),
        (["layers", "width", "--grid", "seed=1"], "--grid seed=1: no setting of a study"),
        (
            ["layers", "width", "--preset", "quick"],
            "--preset quick: --study layers width says",
        ),
        (["layers", "--table", "page.md"], "page.md: 0 places for a table"),
    ],
)
def test_wrong_flags_are_one_line(
    flags: list[str], expected: str, folder: Path, made: list[Run], capsys: Capture
) -> None:
    Path("page.md").write_text("<!-- table: report -->\n<!-- end -->\n")
    assert main(["--study", *flags]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert expected in told
    assert not made
