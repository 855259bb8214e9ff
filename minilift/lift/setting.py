"""One setting: what is known about it, how its value is read, checked and written."""

from __future__ import annotations

import difflib
import math
import numbers
from dataclasses import dataclass, field
from typing import Any

from minilift.errors import ArgumentError
from minilift.files.runs.every import Every

WEAK = ("none", "two-view", "one-view")
WITHOUT_3D = {"two-view": ("flip", "noise", "elevation"), "one-view": ("flip", "elevation")}
"""Of the augmentation, what images can do."""
OF_IMAGES = ("noise", "noise_to", "outliers", "swap")
"""Of the augmentation, what needs no 3D, and why a way of learning may not have it."""
NOT_THESE = {
    "two-view": "{0} takes noise and no other errors of images; leave it out",
    "one-view": "changes images, with which {0} compares those of turned poses; leave it out",
}
FIND = "find"
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True)
class Setting:
    """The description of a setting, from which parser, help, checks, checkpoint, page and grids are made.

    low, high      bounds of a number; `open_low` and `open_high` leave the bound itself out
    choices        the words that it may be
    acts_with      another setting, and the values of that one with which this one acts
    neutral        the value that changes nothing; None where every value counts
    since, before  the first version of checkpoints that have it, and what runs of older ones had in its place
    resumable      whether a resumed run may change it
    result         whether it acts on the weights; files and the device do not
    basic          whether it is on the short help
    alone          what its flag without a value stands for; empty where a value is needed
    """

    help: str
    group: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    acts_with: tuple[str, tuple[str, ...]] | None = None
    neutral: Any = None
    since: int = 0
    before: Any = None
    resumable: bool = False
    result: bool = True
    basic: bool = False
    metavar: str = ""
    alone: str = ""
    name: str = ""  # this and the default are those of the dataclass field
    default: Any = None

    @property
    def kind(self) -> type:
        return type(self.default)

    def read(self, text: str) -> Any:
        """The value that a word of the user stands for. Raises ArgumentError."""
        words = text.split()
        if self.kind is tuple:
            return self.check(tuple(self._number(text, float, word) for word in words), text)
        if self.kind is bool:
            if text.strip().lower() not in YES + NO:
                raise ArgumentError(self.name, text, "must be yes or no")
            return text.strip().lower() in YES
        return self.check(self._number(text, self.kind, text) if self.kind in (int, float) else text, text)

    def _number(self, text: str, kind: type, word: str) -> Any:
        try:
            return kind(word)
        except ValueError:
            raise ArgumentError(self.name, text, f"not {self._wanted()}") from None

    def check(self, value: Any, given: Any = None) -> Any:
        """The value as a plain bool, int, float, str or tuple of floats. Raises ArgumentError.

        `given` is what the user wrote, if the message is to repeat that.
        """
        given = value if given is None else given
        if self.kind is tuple:
            if not isinstance(value, (tuple, list)) or len(value) != len(self.default):
                raise ArgumentError(self.name, given, f"not {self._wanted()}")
            return tuple(self._checked(part, float, given) for part in value)
        return self._checked(value, self.kind, given)

    def _checked(self, value: Any, kind: type, given: Any) -> Any:
        abstract: type = {int: numbers.Integral, float: numbers.Real}.get(kind, kind)
        if not isinstance(value, abstract) or (isinstance(value, bool) and kind is not bool):
            raise ArgumentError(self.name, given, f"not {self._wanted()}")
        if self.choices and value not in self.choices:
            near = difflib.get_close_matches(str(value), self.choices, 1)
            remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(self.choices)}"
            raise ArgumentError(self.name, given, f"unknown; {remedy}")
        value = kind(value)
        if kind in (int, float) and not self._fits(value):
            problem = self.bounds() if math.isfinite(value) else "a finite number"
            raise ArgumentError(self.name, given, f"must be {problem}")
        return value

    def _fits(self, value: float) -> bool:
        above = self.low < value if self.open_low else self.low <= value
        below = value < self.high if self.open_high else value <= self.high
        return above and below and math.isfinite(value)

    def bounds(self) -> str:
        """The bounds of a number in words; empty where there are none."""
        words = []
        if self.low != -math.inf:
            words.append(f"{'more than' if self.open_low else 'at least'} {self.low:.12g}")
        if self.high != math.inf:
            words.append(f"{'less than' if self.open_high else 'at most'} {self.high:.12g}")
        return " and ".join(words)

    def _wanted(self) -> str:
        kinds = {int: "a whole number", float: "a number", bool: "yes or no", tuple: "two numbers"}
        return kinds.get(self.kind, "text")


def described(default: Any, group: str, help: str, **facts: Any) -> Any:
    """A field of a dataclass with its description, the facts of which are those of `Setting`."""
    return field(default=default, metadata={"setting": Setting(help, group, **facts)})


def came(since: int, default: Any, group: str, help: str, **facts: Any) -> Any:
    """A field that came with a version of checkpoints, and whose default is as if it were not there."""
    return described(default, group, help, since=since, before=default, neutral=default, **facts)


def of_files(default: str, help: str, **facts: Any) -> Any:
    before = default if "since" in facts else None
    return described(default, "files", help, result=False, before=before, **facts)


def augmenting(default: float, help: str, high: float, **facts: Any) -> Any:
    facts = {"low": 0, "high": high, "neutral": 0.0, "since": 1, "before": 0.0, **facts}
    return described(default, "augmentation", help, **facts)


def check_together(settings: Any) -> None:
    """Raise ArgumentError for settings of a run that contradict each other, or stand for nothing."""
    Every.of(settings.checkpoint_every)
    if settings.min_delta and not settings.patience:
        problem = "needs patience, which is 0; give {0}, or leave it out"
        raise ArgumentError("min_delta", settings.min_delta, problem, ("patience", 5))
    for name in ("joint_dropout", "joint_dropout_to", "part_dropout", "edge"):
        if getattr(settings, name) and settings.head == "ray":
            problem = "a hidden joint has no ray for {0} to put it on; add {1}"
            raise ArgumentError(name, getattr(settings, name), problem, ("head", "ray"), ("head", "place"))
    for name, setting in type(settings).__dataclass_fields__.items():
        other = setting.metadata["setting"].acts_with
        unasked = other is not None and other[0] == "weak" and settings.weak not in other[1]
        if unasked and getattr(settings, name) != setting.default:
            problem = "acts with {0} alone; leave it out"
            raise ArgumentError(name, getattr(settings, name), problem, ("weak", other[1][0]))
    if settings.weak == "none":
        return
    if settings.head != "ray":
        problem = "learns the depths of joints on their rays; add {0}, or give {1}"
        raise ArgumentError("weak", settings.weak, problem, ("head", "ray"), ("preset", settings.weak))
    if settings.weak == "one-view":
        _check_one_view(settings)
    allowed = WITHOUT_3D[settings.weak]
    for name, setting in type(settings).__dataclass_fields__.items():
        of_3d = setting.metadata["setting"].group == "augmentation" and name not in allowed
        if (of_3d or name == "synthetic") and getattr(settings, name):
            made = "is made of 3D, which {0} does without; leave it out"
            problem = NOT_THESE[settings.weak] if name in OF_IMAGES else made
            raise ArgumentError(name, getattr(settings, name), problem, ("weak", settings.weak))
    if settings.loss != "mpjpe":
        problem = "compares with 3D, which {0} does without; leave it out"
        raise ArgumentError("loss", settings.loss, problem, ("weak", settings.weak))


def known_elevation(settings: Any) -> float | None:
    """The mean elevation of the camera in degrees; None where it is to be found. Raises ArgumentError."""
    given = settings.mean_elevation
    if given == FIND:
        return None
    try:
        degrees = float(given)
    except ValueError:
        raise ArgumentError("mean_elevation", given, f"not {FIND} or a number of degrees") from None
    if not -90 < degrees < 90:
        raise ArgumentError("mean_elevation", given, "must be more than -90 and less than 90")
    return degrees


def _check_one_view(settings: Any) -> None:
    known_elevation(settings)
    if settings.norm != "none":
        problem = "lifts twice a step, and statistics of a batch would mix both; add {0}, or give {1}"
        raise ArgumentError("weak", settings.weak, problem, ("norm", "none"), ("preset", settings.weak))
    if not settings.standardise:
        problem = "{0} needs the data's unit; leave it out"
        raise ArgumentError("standardise", settings.standardise, problem, ("weak", settings.weak))
