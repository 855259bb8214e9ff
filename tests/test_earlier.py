"""Checkpoints of earlier versions: they are resumed to the bits of a run that never stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cli import SMALL, Capture, fails, folder, with_data

from minilift import LiftModel
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint, save_checkpoint
from minilift.lift.resume import upgraded

__all__ = ["folder", "with_data"]  # fixtures of test_cli
STEADY = [*SMALL, "--scheduler", "none", "--dropout", "0.3"]  # the same rates, however long the run


def as_in_version_0() -> None:
    """Write the checkpoint anew, as the program before the settings had a version did."""
    arrays, meta = load_checkpoint("checkpoint.npz")
    calls = [value for name, value in arrays.items() if name.endswith(".calls")]
    found = {name: value for name, value in arrays.items() if not name.endswith(".calls")}
    found = {
        f"model.{name.removeprefix('network.')}" if name.startswith("network.") else name: value
        for name, value in found.items()
    }
    found["model.dropout.calls"] = np.array(calls, np.int64)
    assert len(calls) == 2
    meta["progress"] |= {"sums": [0.0, 0.0]}
    del meta["settings"]["version"]
    for row in meta["progress"]["history"]:
        del row["val_loss"], row["test_loss"]
    save_checkpoint("checkpoint.npz", found, meta)


@pytest.mark.parametrize("more", [[], ["--no-standardise"]])
def test_a_run_is_resumed_to_the_same_bits(more: list[str], with_data: Path) -> None:
    assert train([*STEADY, *more, "--epochs", "4", "--out", "whole"]) == 0
    assert train([*STEADY, *more, "--epochs", "2"]) == 0
    as_in_version_0()
    assert train(["--resume", "--epochs", "4"]) == 0
    assert Path("liftModel").read_bytes() == Path("whole/liftModel").read_bytes()
    (ours, _), (whole, _) = load_checkpoint("checkpoint.npz"), load_checkpoint("whole/checkpoint.npz")
    assert ours.keys() == whole.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


def test_a_begun_epoch_keeps_its_sums() -> None:
    model = LiftModel(1, 8)
    old = {"epoch": 0, "batch": 3, "sums": [1.5, 0.5], "best": math.inf}
    _, meta = upgraded({"model.hidden1.bias": np.zeros(8)}, {"progress": old}, model)
    assert meta["progress"]["sums"] == {"loss": 1.5, "mpjpe": 0.5}
    assert math.isnan(meta["progress"]["best"])
    _, meta = upgraded({"model.hidden1.bias": np.zeros(8)}, {"progress": {**old, "batch": 0}}, model)
    assert meta["progress"]["sums"] == {}


def test_a_checkpoint_of_today_is_left_as_it_is(with_data: Path) -> None:
    assert train(SMALL) == 0
    arrays, meta = load_checkpoint("checkpoint.npz")
    found, told = upgraded(arrays, meta, LiftModel(1, 16))
    assert found.keys() == arrays.keys()
    assert json.dumps(told) == json.dumps(meta)


@pytest.mark.parametrize(
    "damage",
    [
        {"progress": None},
        {"progress": {"sums": [1.0], "batch": 1}},
        {"progress": {"sums": "no"}},
        {"settings": {"config": {}}},
    ],
)
def test_a_damaged_one_is_one_line(damage: dict[str, Any], with_data: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    as_in_version_0()
    arrays, meta = load_checkpoint("checkpoint.npz")
    save_checkpoint("checkpoint.npz", arrays, {**meta, **damage})
    capsys.readouterr()
    fails(train(["--resume", "--epochs", "4"]), capsys, "checkpoint.npz", "start anew")


def test_a_number_of_calls_too_few_is_one_line(with_data: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    as_in_version_0()
    arrays, meta = load_checkpoint("checkpoint.npz")
    save_checkpoint("checkpoint.npz", {**arrays, "model.dropout.calls": np.zeros(1, np.int64)}, meta)
    capsys.readouterr()
    fails(train(["--resume", "--epochs", "4"]), capsys, "checkpoint.npz", "res-block_0.7.calls")
