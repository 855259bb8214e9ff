"""The settings of a run that is resumed: those of its checkpoint, and what may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from minilift.errors import ArgumentError, InputError, shown
from minilift.lift.settings import SETTINGS, VERSION, TrainSettings


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
