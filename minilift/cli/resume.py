"""The settings of a run that is gone on with: those of its checkpoint, and what may change."""

from __future__ import annotations

import argparse
from dataclasses import Field, fields, replace
from typing import Any

from minilift.cli.config import TrainConfig, name_of, shown
from minilift.errors import InputError
from minilift.train.trainer import of_kind

# What checkpoints of earlier versions lack, and had
NEWER = {
    "tf32": False, "clip": 0.0, "warm_up": 0.05, "head": "xyz", "flip": 0.0, "noise": 0.0, "yaw": 0.0,
    "tilt": 0.0, "distance": 0.0, "body": 0.0, "mix": 0.0, "synthetic": 0.0, "joint_dropout": 0.0, "plot": "",
    "tensorboard": "", "patience": 0, "min_delta": 0.0, "poses": 0,
}  # fmt: skip

# What a resumed run may change: where things are, and how long it goes on
MAY_CHANGE = (
    "data", "test", "out", "device", "tf32", "epochs", "plot", "tensorboard", "patience", "min_delta",
)  # fmt: skip


def resumed(settings: Any, given: dict[str, Any]) -> TrainConfig:
    """The settings of an interrupted run, with those of the command line that may change.

    Raises InputError for a flag that would make it another run, and for a file that no run has written.
    """
    try:
        found = {**NEWER, **settings["config"], "betas": tuple(settings["config"]["betas"])}
        for f in fields(TrainConfig):
            _check_value(f, found[f.name])
        config = TrainConfig(**found)
    except (TypeError, KeyError, ValueError, argparse.ArgumentTypeError) as problem:
        raise InputError(
            f"checkpoint.npz: its settings are not of this version ({problem}); start anew"
        ) from None
    for name, value in given.items():
        if name not in MAY_CHANGE and value != getattr(config, name):
            flag = "--" + name.replace("_", "-")
            raise InputError(
                f"{flag} {shown(value)}: the run to resume has {shown(getattr(config, name))}; "
                f"leave the flag out, or start anew without --resume"
            )
    changed = {name: value for name, value in given.items() if name in MAY_CHANGE}
    # The folder is the one that the checkpoint was found in, wherever the run began
    return replace(config, **{"out": TrainConfig.out, **changed})


def _check_value(f: Field[Any], value: Any) -> None:
    """What argparse would say to a value, for one that comes out of a file."""
    if not of_kind(value, f.default) or value not in f.metadata.get("choices", (value,)):
        raise ValueError(f"{name_of(f)} is {value!r}")
    for part in value if isinstance(value, tuple) else (value,):
        f.metadata.get("type", str)(str(part))
