"""Settings of a study in the words of its user: NAME=VALUE, read as the description of the setting says.

What is wrong with them is a ArgumentError that names the argument they were given to: `grid`, `set`, `range`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minilift.errors import ArgumentError
from minilift.lift.recipe import make_settings
from minilift.lift.settings import SETTINGS, TrainSettings

Words = Mapping[str, str]
# A study gives the seeds itself, and its runs write no files
VARIABLE = tuple(name for name, s in SETTINGS.items() if s.group != "files" and name != "seed")


def settings_of(preset: str, words: Words) -> TrainSettings:
    """A preset with some settings changed. Raises ArgumentError."""
    settings = make_settings(preset, {name: SETTINGS[name].read(text) for name, text in words.items()})
    if settings.weak != "none":
        name = "weak" if "weak" in words else "preset"
        problem = "a study trains with 3D; leave it out"
        raise ArgumentError(name, words.get("weak", preset), problem)
    return settings


def read_word(argument: str, text: str) -> tuple[str, str]:
    """Read NAME=VALUE. Raises ArgumentError for an unknown name and for a value out of bounds."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise ArgumentError(argument, text, "give NAME=VALUE")
    if name not in VARIABLE:
        problem = f"no setting of a study; use one of {', '.join(VARIABLE)}"
        raise ArgumentError(argument, text, problem)
    try:
        SETTINGS[name].read(value)
    except ArgumentError as problem:
        raise ArgumentError(argument, text, problem.problem) from None
    return name, value.strip()


def read_settings(argument: str, texts: Sequence[str]) -> dict[str, str]:
    """Several of them, each name once. Raises ArgumentError."""
    found: dict[str, str] = {}
    for text in texts:
        name, value = read_word(argument, text)
        if name in found:
            raise ArgumentError(argument, text, f"{name} is given twice; leave one out")
        found[name] = value
    return found


def read_axes(argument: str, texts: Sequence[str]) -> dict[str, list[str]]:
    """NAME=VALUE,VALUE,... for each axis of a grid. Raises ArgumentError."""
    axes: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if name in axes:
            raise ArgumentError(argument, text, f"{name} is given twice; put all its values into one")
        parts = [value.strip() for value in values.split(",")]
        if len(set(parts)) < len(parts):
            raise ArgumentError(argument, text, "a value comes twice; leave one out")
        axes[name] = [read_word(argument, f"{name}{equals}{value}")[1] for value in parts]
    return axes
