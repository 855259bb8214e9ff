"""One run: a row with a seed, trained and measured, or gone on with where it was killed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from bench.weak.data import Data
from bench.weak.rows import ROWS, Row
from minilift import Lifter
from minilift.cli.train import main as train
from minilift.errors import InputError
from minilift.evaluation.baselines import FlatPose, MeanPose
from minilift.files import read_bytes, write_atomically
from minilift.ops.threads import team
from minilift.poses.metrics import joint_errors, pa_mpjpe
from minilift.poses.views import TwoViews, triangulated

Record = dict[str, Any]


def key_of(name: str, seed: int, epochs: int | None) -> str:
    """What tells a run from others: its row with all its flags, and its seed."""
    row = ROWS[name]
    return json.dumps([name, list(row.flags), row.noise, seed if row.flags else 0, epochs])


def read_records(path: Path) -> dict[str, Record]:
    """Results by their keys; a line that a kill cut short is left out."""
    found: dict[str, Record] = {}
    if path.exists():
        for line in read_bytes(path).decode("utf-8", "replace").splitlines():
            try:
                record = json.loads(line)
                found[record["key"]] = record
            except (ValueError, KeyError, TypeError):
                continue
    return found


def append(path: Path, record: Record) -> None:
    """One line, in one write and behind a line that a kill cut short: several processes may do it."""
    with open(path, "ab+") as file:
        file.seek(0, os.SEEK_END)
        cut = file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
        file.write((b"\n" if cut else b"") + json.dumps(record).encode() + b"\n")


def execute(name: str, seed: int, data: Data, epochs: int | None = None) -> Record:
    """Train and measure. Raises InputError, and KeyboardInterrupt where a signal stopped training."""
    row = ROWS[name]
    test = data.views("test", row.noise)
    if row.flags:
        folder = data.cache / "runs" / f"{name}-{seed}"
        lifter = _trained(row, seed, data, folder, key_of(name, seed, epochs), epochs)
        seconds, found = _seconds(folder), lifter.predict(np.asarray(test.joint_2d_1))
    else:
        seconds, found = 0.0, _baseline(name, data, row, test)
    truth = np.asarray(test.joint_3d)
    return {
        "key": key_of(name, seed, epochs), "row": name, "seed": seed,
        "mpjpe": float(joint_errors(found, truth).mean()), "pa_mpjpe": float(np.mean(pa_mpjpe(found, truth))),
        "seconds": round(seconds), "threads": team().size, "epochs": epochs,
    }  # fmt: skip


def _trained(row: Row, seed: int, data: Data, folder: Path, key: str, epochs: int | None) -> Lifter:
    marked, made = folder / "key.json", folder / "liftModel"
    begun = marked.exists() and read_bytes(marked) == key.encode() and (folder / "checkpoint.npz").exists()
    if begun:
        words = ["--resume", "--out", str(folder)]
    else:
        folder.mkdir(parents=True, exist_ok=True)
        words = [*row.flags, *(["--epochs", str(epochs)] if epochs else [])]
        words += ["--data", str(data.train_file(row)), "--out", str(folder), "--seed", str(seed)]
        words += ["--device", "cpu"]
        (folder / "checkpoint.npz").unlink(missing_ok=True)
        write_atomically(marked, lambda file: file.write(key.encode()))
    status = train(words)
    if status > 128:
        raise KeyboardInterrupt
    if status or not made.exists():
        raise InputError(f"{folder}: training failed; see above")
    return Lifter.load(made, "cpu")


def _seconds(folder: Path) -> float:
    last = read_bytes(folder / "log.csv").decode().splitlines()[-1]
    return float(last.rpartition(",")[2])


def _baseline(name: str, data: Data, row: Row, test: TwoViews) -> np.ndarray:
    kind = name.removesuffix("-noise")
    if kind == "triangulation":
        return triangulated(test)
    if kind == "flat":
        return FlatPose().predict(np.asarray(test.joint_2d_1))
    train_views = data.views("train", row.noise)
    assert train_views.joint_3d is not None
    mean = MeanPose().fit(train_views.joint_2d_1, train_views.joint_3d)
    return mean.predict(np.asarray(test.joint_2d_1))
