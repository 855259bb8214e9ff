"""The settings of a run in a sweep: words as train.py takes them, what of them acts, and their hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from minilift.cli.config import ONLY_WITH, TrainConfig, parse_train
from minilift.cli.resume import NEWER
from minilift.errors import InputError
from minilift.studies.designs.block import Block

# Of what a training run computes. Raise it when a change to the code makes the same settings give another
# result by more than rounding: every run of the version before is then made again.
TRAINING = 1

YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
Words = Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """One training: settings, seed included, the fingerprint of its data, and blocks that are not usual."""

    config: TrainConfig
    data: tuple[int, ...]
    block: Block | None = None

    @property
    def key(self) -> str:
        """What tells it from every other run: 16 digits over all that acts on its weights."""
        what = [TRAINING, acting(self.config), self.data]
        what += [] if self.block is None else [asdict(self.block)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def acting(config: TrainConfig) -> dict[str, Any]:
    """The settings that act on the weights, fit for JSON.

    Without those that only another choice would bring to life, and without newer settings that leave things
    as they were before they came: old results stay good. The device, which moves roundings, is left out too.
    """
    found = {}
    for f in fields(config):
        value = getattr(config, f.name)
        other, values = ONLY_WITH.get(f.name, (f.name, (value,)))
        silent = f.metadata["group"] == "files" or f.name == "device"
        unchanged = f.name in NEWER and value == NEWER[f.name]
        if not silent and not unchanged and getattr(config, other) in values:
            found[f.name] = list(value) if isinstance(value, tuple) else value
    return found


def make_config(preset: str, words: Words) -> TrainConfig:
    """A preset with some settings changed, read and checked as train.py does. Raises InputError."""
    argv = ["--preset", preset]
    for name, text in words.items():
        argv += _flag(name, text)
    return parse_train(argv)[0]


def read_setting(flag: str, text: str) -> tuple[str, str]:
    """NAME=VALUE of a flag, checked. Raises InputError for an unknown name and for a value out of bounds."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    known = [f.name for f in fields(TrainConfig) if f.metadata["group"] != "files" and f.name != "seed"]
    if not equals or name not in known:
        problem = "give NAME=VALUE" if not equals else f"no setting of a sweep; use one of {', '.join(known)}"
        raise InputError(f"{flag} {text}: {problem}")
    try:
        parse_train(_flag(name, value))
    except InputError as problem:
        why = re.sub(r"^--\S+( \S+)?: ", "", str(problem))
        raise InputError(f"{flag} {text}: {why}") from None
    return name, value


def read_settings(flag: str, texts: Sequence[str]) -> dict[str, str]:
    """Several of them, each name once."""
    found: dict[str, str] = {}
    for name, value in (read_setting(flag, text) for text in texts):
        if name in found:
            raise InputError(f"{flag} {name}={value}: {name} is given twice; leave one out")
        found[name] = value
    return found


def read_axes(texts: Sequence[str]) -> dict[str, list[str]]:
    """NAME=VALUE,VALUE,... of every --grid, checked."""
    axes: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if name in axes:
            raise InputError(f"--grid {text}: {name} is given twice; put all its values into one")
        parts = [value.strip() for value in values.split(",")]
        if len(set(parts)) < len(parts):
            raise InputError(f"--grid {text}: a value comes twice; leave one out")
        axes[name] = [read_setting("--grid", f"{name}{equals}{value}")[1] for value in parts]
    return axes


def _flag(name: str, text: str) -> list[str]:
    """The words of train.py's command line for a setting; two values are written with a space between."""
    flag, text = name.replace("_", "-"), text.strip()
    if not isinstance(getattr(TrainConfig, name), bool):
        return (
            [f"--{flag}", *text.split()]
            if isinstance(getattr(TrainConfig, name), tuple)
            else [f"--{flag}={text}"]
        )
    if text.lower() not in YES + NO:
        raise InputError(f"{name} is {text!r}; give yes or no")
    return [f"--{flag}" if text.lower() in YES else f"--no-{flag}"]
