"""One run of a sweep: a configuration in, trained weights in memory, and what they reach elsewhere."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilift.errors import InputError
from minilift.lift.build import build_model, build_trainer, fingerprint
from minilift.lift.lifter import Lifter
from minilift.ops.threads import limited, team
from minilift.poses.poses import load_poses
from minilift.studies.runs.evaluations import Evaluation, measure
from minilift.studies.runs.key import TRAINING, Run
from minilift.studies.runs.store import Record, Store
from minilift.train.progress import Diverged
from minilift.train.trainer import Trainer


def execute(run: Run, evaluations: Sequence[Evaluation], threads: int, folder: Path) -> Record:
    """Train, measure and keep the record in the folder of results; on at most `threads` threads.

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
    settings, began = run.settings, time.monotonic()
    data = load_poses(settings.data, need_3d=True)
    if tuple(fingerprint(data)) != run.data:
        raise InputError(f"{settings.data}: was changed while the study ran; start it again")
    training = build_trainer(settings, build_model(settings, run.block), data, None, None, quiet=True)
    trainer = training.trainer
    results, diverged = {}, False
    try:
        if not training.fit():
            raise KeyboardInterrupt
        results = _measured(trainer, run, evaluations)
        diverged = None in results.values()
    except Diverged:
        diverged = True
    state = trainer.progress
    record = {
        "key": run.key, "training": TRAINING, "seed": settings.seed, "data": list(run.data),
        "config": settings.acting(), "block": str(run.block or ""), "epochs": settings.epochs,
        "diverged": diverged, "best_epoch": state.best_epoch, "history": state.history,
        "results": {} if diverged else results,
        "seconds": round(time.monotonic() - began, 2), "machine": _machine(trainer.network.device),
    }  # fmt: skip
    return record, bool(trainer.signal)


def _measured(trainer: Trainer, run: Run, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Of the weights of the best validation epoch, by the keys of the evaluations."""
    model = build_model(run.settings, run.block)
    model.load_state_dict(trainer.best_weights)
    lifter = Lifter(model)
    return {part.key: measure(lifter, part.load()) for part in evaluations}


def _machine(device: str) -> dict[str, Any]:
    import numpy

    return {
        "processor": platform.machine(), "system": platform.system(), "device": device,
        "threads": team().size, "python": platform.python_version(), "numpy": numpy.__version__,
    }  # fmt: skip
