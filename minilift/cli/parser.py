"""The parser of every subcommand: help that fits a screen, and errors of one line that say what to do."""

from __future__ import annotations

import argparse
import difflib
import math
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from minilift.errors import InputError

WIDTH = 80


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are InputErrors and whose help leaves out what few people need.

    `Parser("minilift train", description, examples)`. Arguments that are added with further=True, and the
    text `more`, are shown by `--help-all` only. `parse_args` raises InputError: one line that names the
    option, the value and the remedy, with the nearest option, choice or command where one is near. Options
    cannot be abbreviated: else a new one could change what an old command means.
    """

    def __init__(
        self, prog: str | None = None, description: str = "", examples: str = "", more: str = "",
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            prog, description=description, epilog=examples, formatter_class=HelpFormatter, add_help=False,
            allow_abbrev=False, **options,
        )  # fmt: skip
        self._more = more
        self._headings: dict[str, Any] = {}
        self._further: dict[argparse.Action, str | None] = {}
        self._words: list[str] = []  # what the usage line shows beside the options
        self.usage = f"{self.prog} [options]"
        self.add_argument("-h", "--help", action=_ShowHelp, help="show this help")
        self._all = self.add_argument("--help-all", action=_ShowHelp, help=argparse.SUPPRESS)
        if more:
            self._offer_all()

    def add_argument(
        self, *names: str, group: str = "", further: bool = False, **options: Any
    ) -> argparse.Action:
        """As argparse has it; `group` is a heading of the help, `further` leaves it to --help-all."""
        if group and group not in self._headings:
            self._headings[group] = self.add_argument_group(group)
        add = self._headings[group].add_argument if group else super().add_argument
        action: argparse.Action = add(*names, **options)
        if not action.option_strings:
            self._show_word(action)
        if further:
            self._further[action], action.help = action.help, argparse.SUPPRESS
            self._offer_all()
        return action

    def add_subparsers(self, **options: Any) -> Any:
        """As argparse has it; the parser of each command is a Parser, too."""
        commands = super().add_subparsers(
            **{"prog": self.prog, "required": True, "metavar": "COMMAND", **options}
        )
        self._show_word(commands)
        return commands

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it, but that what is not known is an InputError."""
        words = list(sys.argv[1:] if args is None else args)
        self._refuse_unknown(words)
        found, rest = super().parse_known_args(words, namespace)
        if rest:
            raise InputError(f"{rest[0]!r}: not expected here; see {self.prog} --help")
        return found, rest

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message.removeprefix('argument ')}; see {self.prog} --help")

    def show_further(self) -> None:
        """Let the help have all that --help leaves out."""
        for action, text in self._further.items():
            action.help = text
        self._all.help = argparse.SUPPRESS
        self.epilog = "\n\n".join(filter(None, (self._more, self.epilog)))

    def _offer_all(self) -> None:
        self._all.help = "show all options"

    def _show_word(self, action: argparse.Action) -> None:
        """Give a positional argument its place in the usage line, before the options."""
        word = _name(action) + " ..." * (action.nargs in ("+", "*"))
        self._words.append(f"[{word}]" if action.nargs in ("?", "*") else word)
        self.usage = " ".join([self.prog, *self._words, "[options]"])

    def _refuse_unknown(self, words: Sequence[str]) -> None:
        """Before argparse looks: it would first say that what a mistyped option stands for is missing."""
        known = self._option_string_actions
        for word in words:
            option = word.partition("=")[0]
            if word == "--" or (self._subparsers and not word.startswith("-")):
                return  # the rest are values, or for the parser of a command
            if option.startswith("--") and option not in known:
                raise InputError(
                    f"{option}: no such option; {meant(option, known, f'see {self.prog} --help')}"
                )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        remedy = meant(str(value), names, f"use one of {', '.join(names)}")
        if isinstance(action, argparse._SubParsersAction):
            raise InputError(f"{value!r}: no such command of {self.prog}; {remedy}")
        raise InputError(f"{_name(action)} {value}: unknown; {remedy}")

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        kind = action.type
        if not callable(kind):
            return arg_string
        try:
            return kind(arg_string)
        except argparse.ArgumentTypeError as problem:
            raise InputError(f"{_name(action)} {arg_string}: {problem}") from None
        except (TypeError, ValueError):
            name = getattr(kind, "__name__", "value")
            what = {"int": "whole number", "float": "number"}.get(name, name)
            raise InputError(f"{_name(action)} {arg_string}: not a {what}; give one") from None


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """80 columns. Paragraphs are filled; those with indented lines (examples, lists) stay as they are."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=26, width=WIDTH)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = text.strip("\n").split("\n\n")
        return "\n\n".join(b if "\n " in f"\n{b}" else "\n".join(_wrapped(b, width)) for b in blocks)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _wrapped(" ".join(text.split()), width)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a paragraph; the name of an option stays in one piece."""
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)


class _ShowHelp(argparse.Action):
    """--help, and --help-all."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if option_string == "--help-all":
            parser.show_further()
        parser.print_help()
        parser.exit()


def number(
    kind: type[int] | type[float], low: float = -math.inf, high: float = math.inf,
    *, open_low: bool = False, open_high: bool = False,
) -> Callable[[str], Any]:  # fmt: skip
    """The `type` of an argument that is a finite number within bounds, with an error that names them."""

    def parse(text: str) -> int | float:
        value = kind(text)
        fits = (low < value if open_low else low <= value) and (value < high if open_high else value <= high)
        if not fits or not math.isfinite(value):
            finite = "" if math.isfinite(value) else "a finite number, and "
            raise argparse.ArgumentTypeError(f"must be {finite}{_bounds(low, high, open_low, open_high)}")
        return value

    parse.__name__ = "number" if kind is float else "whole number"  # what a malformed value is not
    return parse


def _bounds(low: float, high: float, open_low: bool, open_high: bool) -> str:
    parts = []
    if low != -math.inf:
        parts.append(f"{'more than' if open_low else 'at least'} {low:g}")
    if high != math.inf:
        parts.append(f"{'less than' if open_high else 'at most'} {high:g}")
    return " and ".join(parts) or "a finite number"


def meant(word: str, choices: Iterable[str], otherwise: str) -> str:
    """ "did you mean X?", with the nearest choice; `otherwise` where none is near."""
    near = difflib.get_close_matches(word, list(choices), 1)
    return f"did you mean {near[0]}?" if near else otherwise


def _name(action: argparse.Action) -> str:
    """What a person calls an argument: --out, or FILE."""
    if action.option_strings:
        return max(action.option_strings, key=len)
    return str(action.metavar or action.dest)


def tell_device(device: str) -> None:
    """A line on stderr where `auto` takes the CPU although there is a GPU, or not the first one."""
    from minilift.ops import choose_device
    from minilift.ops.cuda.driver import devices

    if device == "auto":
        chosen, why = choose_device()
        if chosen != "gpu" and devices().cards:
            taken = "the CPU" if chosen == "cpu" else chosen
            print(f"note: --device auto takes {taken}: {why}", file=sys.stderr)
