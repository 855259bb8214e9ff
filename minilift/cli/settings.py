"""The flags of a training run, made of the description of its settings."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

from minilift.cli.parser import WIDTH, Parser
from minilift.errors import ArgumentError, InputError, as_flag, shown
from minilift.lift.recipe import DEFAULT, PRESETS, RULES, make_settings, scaled_lr
from minilift.lift.setting import Setting
from minilift.lift.settings import SETTINGS, TrainSettings

BASIC = "settings"  # the heading of those on the short help

DESCRIPTION = """\
Train a lifter: a network that makes 3D joints of 2D ones.

Reads data_train_lift.pkl in this folder; without it, makes synthetic people and
keeps them there. Writes liftModel, log.csv, checkpoint.npz, liftModel.trust.npz;
files of an earlier run get the ending .old. Ctrl-C saves; --resume continues.
"""

EXAMPLES = """\
examples:
  minilift train --preset quick              a first result in a minute
  minilift train --start --data mine.npz     fine-tune the starting weights
  minilift train --weak two-view --data FILE  from two images each, without 3D
  minilift train --resume                    continue where Ctrl-C stopped
"""

MORE_EXAMPLES = """\
examples of settings:
  minilift train --head ray                  joints on the rays of the 2D points
  minilift train --plot curves.png           errors and layers in a picture
  minilift train --tensorboard events        then: tensorboard --logdir events
  minilift train --preset course --lr 0.01   a preset with another learning rate

The settings that act are printed when training begins.
"""


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


class Read(argparse.Action):
    """Reads the word, or the words, of a flag as the description of its setting says."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        text = values if isinstance(values, str) else " ".join(values)
        try:
            setattr(namespace, self.dest, SETTINGS[self.dest].read(text))
        except ArgumentError as error:  # in flags, also where a study says its settings otherwise
            raise InputError(error.told(as_flag)) from None


def add_setting(
    parser: Parser, name: str, help: str = "", default: Any = argparse.SUPPRESS, told: Any = None,
    **options: Any,
) -> None:  # fmt: skip
    """Add the flag of a setting. Where it is not given, the result has the `default`, or nothing of it; the
    help tells of `told` (None: the setting's own default)."""
    setting = SETTINGS[name]
    value = setting.default if told is None else told
    text = f"{help or setting.help} [{shown(value)}]".replace("%", "%%")
    parser.add_argument(flag(name), default=default, help=text, **_reading(setting), **options)


def _reading(setting: Setting) -> dict[str, Any]:
    if setting.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    metavar: Any = setting.metavar or {int: "N", float: "X", tuple: ("X", "X")}.get(setting.kind)
    if setting.choices:
        metavar = "{" + ",".join(setting.choices) + "}"
    many: dict[str, Any] = {"nargs": len(setting.default)} if setting.kind is tuple else {}
    if setting.alone:
        many = {"nargs": "?", "const": setting.alone}
    return {"action": Read, "metavar": metavar or setting.name.upper(), **many}


def train_parser(preset: str = DEFAULT) -> Parser:
    """The parser of `minilift train`: a flag for each setting, absent from the result unless given.

    The help has the values that `preset` sets.
    """
    purposes = "\n".join(f"  {name:12s}{preset.purpose}" for name, preset in PRESETS.items())
    wrap = partial(textwrap.fill, width=WIDTH, initial_indent="  ", subsequent_indent=" " * 14)
    about = "\n".join(wrap(f"{name:12s}{preset.about}") for name, preset in PRESETS.items())
    own = PRESETS[preset].settings
    parser = Parser(
        "minilift train",
        DESCRIPTION,
        f"presets:\n{purposes}\n{_what_it_sets(preset)}\n\n{EXAMPLES}",
        more=f"{MORE_EXAMPLES}\nthe presets in detail:\n{about}",
    )
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), metavar="NAME", help=f"settings to start from [{preset}]"
    )
    parser.add_argument("--resume", action="store_true", help="continue from checkpoint.npz in --out")
    parser.add_argument(
        "--scale-lr", choices=tuple(RULES), metavar="RULE", further=True,
        help="let the preset's learning rate follow --batch-size: linear (for sgd), sqrt (for adam)",
    )  # fmt: skip
    parser.add_argument(
        "--distributed", action="store_true", further=True,
        help="train with the processes that mpirun, srun or torchrun has started",
    )  # fmt: skip
    for name, setting in SETTINGS.items():
        if setting.basic:
            add_setting(parser, name, told=own.get(name), group=BASIC)
    for name, setting in SETTINGS.items():
        if not setting.basic:
            add_setting(parser, name, told=own.get(name), group=setting.group, further=True)
    return parser


def _what_it_sets(preset: str) -> str:
    """Lines on the values in the help."""
    if preset == DEFAULT:
        return "  --preset NAME --help, or --weak NAME --help, has the values of a preset"
    flags = " ".join(as_flag(name, value) for name, value in PRESETS[preset].settings.items())
    return textwrap.indent(textwrap.fill(f"in brackets above: {preset}, {flags}", WIDTH - 2), "  ")


def _preset_of(words: Sequence[str]) -> str:
    """The preset that a command line begins from, before it is read: its help tells of that."""
    found = {}
    for word, after in pairwise([*words, ""]):
        option, equals, value = word.partition("=")
        found[option] = value if equals else after
    name = found.get("--preset") or found.get("--weak") or DEFAULT
    return name if name in PRESETS else DEFAULT


@dataclass(frozen=True)
class Asked:
    """What the command line of `minilift train` asks for; `given` are the settings that it names."""

    settings: TrainSettings
    given: dict[str, Any]
    resume: bool
    distributed: bool


def read_train(argv: Sequence[str] | None) -> Asked:
    """Read the command line. Raises InputError, which names the flag."""
    words = sys.argv[1:] if argv is None else list(argv)
    given = vars(train_parser(_preset_of(words)).parse_args(words))
    preset, resume, distributed = (given.pop(name) for name in ("preset", "resume", "distributed"))
    rule = given.pop("scale_lr")
    if preset and resume:
        raise InputError(f"--preset {preset}: a resumed run has its settings; leave the flag out")
    weak = given.get("weak", "none")  # the ways of learning without 3D have a preset each
    preset = preset or (DEFAULT if weak == "none" else weak)
    settings = make_settings(preset, given)
    if rule:
        for name in sorted({"lr", "start"} & given.keys()):
            problem = f"changes the rate of the preset; leave it or {flag(name)} out"
            raise InputError(f"--scale-lr {rule}: {problem}")
        if resume:
            raise InputError(f"--scale-lr {rule}: a resumed run has its learning rate; leave the flag out")
        settings = replace(settings, lr=scaled_lr(settings, preset, rule))
    return Asked(settings, given, resume, distributed)
