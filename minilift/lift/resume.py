"""A run that is resumed: its settings, and checkpoints of earlier versions in the form of this one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import ArgumentError, InputError, shown
from minilift.lift.model import LiftModel
from minilift.lift.settings import SETTINGS, VERSION, TrainSettings
from minilift.nn import Dropout


def resumed(stored: Any, given: Mapping[str, Any], path: Path | str = "checkpoint.npz") -> TrainSettings:
    """The settings of an interrupted run, with those of `given` that a resumed run may change.

    `stored` is what the checkpoint at `path` keeps (TrainSettings.as_stored), also of earlier versions.
    Raises ArgumentError for a change that would make it another run, and InputError for a file that no run
    has written.
    """
    try:
        settings = TrainSettings(**_of_this_version(stored))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise InputError(f"{path}: its settings are not of this version ({problem}); start anew") from None
    for name, value in given.items():
        if not SETTINGS[name].resumable and value != getattr(settings, name):
            has = shown(getattr(settings, name))
            raise ArgumentError(name, value, f"the run to resume has {has}; leave it out, or start a new run")
    # The folder is the one that the checkpoint was found in, wherever the run began
    return replace(settings, **{"out": TrainSettings.out, **given})


def _of_this_version(stored: Any) -> dict[str, Any]:
    """Every setting by name; those that came later have what older runs had in their place."""
    version, config = stored.get("version", 0), dict(stored["config"])
    if not isinstance(version, int) or version > VERSION:
        raise TypeError(f"version {version}, newer than {VERSION}")
    names = [f.name for f in fields(TrainSettings)]
    later = {name: SETTINGS[name].before for name in names if SETTINGS[name].since > version}
    if lost := [name for name in names if name not in {**later, **config}]:
        raise KeyError(lost[0])
    return {**later, **config}


def began_with(stored: Mapping[str, Any]) -> str:
    """The library of products that a run has used, which to go on with gives the same bits."""
    return "mkl" if stored.get("blas") == "mkl" else "openblas"


def upgraded(
    arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any], model: LiftModel
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and meta of a checkpoint as Trainer.restore takes them; those of today come back as they are.

    Until version 1 the network was called `model`, the calls of all its dropouts were one array, the sums of
    a begun epoch were two numbers (loss, MPJPE), and the best error was infinite before there was one. What
    is malformed is left so: Trainer.restore says what is wrong with it.
    """
    if not any(name.startswith("model.") for name in arrays):
        return dict(arrays), dict(meta)
    layers = [name for name, module in model.modules() if isinstance(module, Dropout)]
    found: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        if name == "model.dropout.calls":
            calls = zip(layers, value.reshape(-1), strict=False)
            found |= {f"network.{layer}.calls": np.array(count) for layer, count in calls}
        else:
            found["network." + name.removeprefix("model.") if name.startswith("model.") else name] = value
    progress = meta.get("progress")
    if not isinstance(progress, Mapping):
        return found, dict(meta)
    progress = dict(progress)
    sums = progress.get("sums")
    if isinstance(sums, list | tuple) and len(sums) == 2:
        progress["sums"] = dict(zip(("loss", "mpjpe"), sums, strict=True)) if progress.get("batch") else {}
    if progress.get("best") == math.inf:
        progress["best"] = math.nan
    return found, {**meta, "progress": progress}
