"""The command `minilift`: one subcommand a file, imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

from minilift import __version__
from minilift.errors import InputError, run_program

COMMANDS = {
    "train": "train a lifter on poses",
    "eval": "measure a lifter on poses",
    "data": "make, split, describe and draw pose files",
    "trust": "learn when to trust weights that are there",
    "study": "train many settings side by side, and compare them",
    "plot": "draw charts of training runs",
    "info": "say what this machine has to compute with",
}

USAGE = "usage: minilift COMMAND [options]   (minilift COMMAND --help says more)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is that of the subcommand, or 2 for a word that is none."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run_program("minilift", _main, words)


def _main(words: Sequence[str] | None) -> int:
    command, *rest = words or ["--help"]
    if command in ("-h", "--help"):
        print(_help())
        return 0
    if command == "--version":
        print(f"minilift {__version__}")
        return 0
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, 1)
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(COMMANDS)}"
        raise InputError(f"{command!r} is no command; {meant}")
    run: int = importlib.import_module(f"minilift.cli.{command}").main(rest)
    return run


def _help() -> str:
    rows = [f"  {name:8s} {what}" for name, what in COMMANDS.items()]
    return "\n".join([USAGE, "", *rows, "", "  --version  the version of minilift"])


if __name__ == "__main__":
    raise SystemExit(main())
