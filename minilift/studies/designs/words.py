"""Settings of a study in the words of its user: NAME=VALUE, read as the description of the setting says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minilift.errors import InputError
from minilift.lift.recipe import make_settings
from minilift.lift.setting import SettingError
from minilift.lift.settings import SETTINGS, TrainSettings

Words = Mapping[str, str]
# A study gives the seeds itself, and its runs write no files
VARIABLE = tuple(name for name, s in SETTINGS.items() if s.group != "files" and name != "seed")


def settings_of(preset: str, words: Words) -> TrainSettings:
    """A preset with some settings changed. Raises SettingError."""
    return make_settings(preset, {name: SETTINGS[name].read(text) for name, text in words.items()})


def read_word(flag: str, text: str) -> tuple[str, str]:
    """NAME=VALUE of a flag, checked. Raises InputError for an unknown name and for a value out of bounds."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise InputError(f"{flag} {text}: give NAME=VALUE")
    if name not in VARIABLE:
        raise InputError(f"{flag} {text}: no setting of a study; use one of {', '.join(VARIABLE)}")
    try:
        SETTINGS[name].read(value)
    except SettingError as problem:
        raise InputError(f"{flag} {problem}") from None
    return name, value.strip()


def read_settings(flag: str, texts: Sequence[str]) -> dict[str, str]:
    """Several of them, each name once."""
    found: dict[str, str] = {}
    for name, value in (read_word(flag, text) for text in texts):
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
        axes[name] = [read_word("--grid", f"{name}{equals}{value}")[1] for value in parts]
    return axes
