"""One run of a sweep: a configuration in, trained weights in memory, and what they reach elsewhere."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilift.cli.build import build_model, build_trainer, fingerprint
from minilift.errors import InputError
from minilift.lift.lifter import Lifter
from minilift.ops.threads import limited, team
from minilift.poses.poses import load_poses
from minilift.studies.evaluations import Evaluation, measure
from minilift.studies.settings import TRAINING, Run, acting
from minilift.studies.store import Record, Store
from minilift.train.trainer import Diverged, Trainer


def execute(run: Run, evaluations: Sequence[Evaluation], threads: int, folder: Path) -> Record:
    """Train, measure and keep the record in the folder of results; on at most so many threads.

    Training that diverges has a record too, without figures. Raises KeyboardInterrupt where a signal came,
    InputError where the data are not those that the run was planned with.
    """
    with limited(threads):
        record, asked_to_stop = _made(run, evaluations)
    Store(folder).save(record)
    if asked_to_stop:  # in the last epoch: the run is whole, the sweep is not
        raise KeyboardInterrupt
    return record


def _made(run: Run, evaluations: Sequence[Evaluation]) -> tuple[Record, bool]:
    """The record of a run, and whether a signal came while it was trained."""
    config, began = run.config, time.monotonic()
    data = load_poses(config.data, need_3d=True)
    if tuple(fingerprint(data)) != run.data:
        raise InputError(f"{config.data}: was changed while the sweep ran; start it again")
    trainer = build_trainer(config, build_model(config, run.block), data, None, None, quiet=True)
    results, diverged = {}, False
    try:
        if not trainer.fit():
            raise KeyboardInterrupt
        results = _measured(trainer, run, evaluations)
        diverged = None in results.values()
    except Diverged:
        diverged = True
    state = trainer.progress
    record = {
        "key": run.key, "training": TRAINING, "seed": config.seed, "data": list(run.data),
        "config": acting(config), "block": str(run.block or ""), "epochs": config.epochs,
        "diverged": diverged, "best_epoch": state.best_epoch, "history": state.history,
        "results": {} if diverged else results,
        "seconds": round(time.monotonic() - began, 2), "machine": _machine(trainer.model.ops.device),
    }  # fmt: skip
    return record, bool(trainer.signal)


def _measured(trainer: Trainer, run: Run, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Of the weights of the best validation epoch, by the keys of the evaluations."""
    model = build_model(run.config, run.block)
    model.load_state_dict(trainer.best_weights)
    lifter = Lifter(model)
    return {part.key: measure(lifter, part.load()) for part in evaluations}


def _machine(device: str) -> dict[str, Any]:
    import numpy

    return {
        "processor": platform.machine(), "system": platform.system(), "device": device,
        "threads": team().size, "python": platform.python_version(), "numpy": numpy.__version__,
    }  # fmt: skip
