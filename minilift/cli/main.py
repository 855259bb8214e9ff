"""The command `minilift`: one subcommand a file, imported when it is asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from minilift import __version__
from minilift.errors import InputError, run_program

COMMANDS = {
    "demo": "see a lifter learn from nothing, in a minute",
    "predict": "lift the 2D keypoints of a file to 3D",
    "body": "find how long a person's bones are, for predict",
    "inspect": "tell what a file of keypoints is, and what is suspicious about it",
    "train": "train a lifter on poses",
    "eval": "measure a lifter on test poses",
    "data": "make, split, describe and draw pose files",
    "trust": "learn how far trained weights can be trusted",
    "study": "train many settings and compare them",
    "plot": "draw charts of training runs",
    "examples": "train other networks: classifiers of pictures, and more",
    "explain": "look into the answer for one pose",
    "playground": "write a page in which to play with the network",
    "export": "write a lifter as ONNX",
    "info": "tell what files are, and what this machine computes with",
}

HELP = """\
usage: minilift COMMAND [options]

Lift 2D human keypoints to 3D joints.

commands:
{commands}

minilift COMMAND --help   explains a command; so does minilift help COMMAND
minilift --version        shows the version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand. Returns its exit status, or 2 for a word that is no command."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run_program("minilift", _main, words)


def _main(words: Sequence[str] | None) -> int:
    command, *rest = words or ["--help"]
    if command == "help" and rest:
        command, rest = rest[0], ["--help"]
    if command in ("-h", "--help", "--help-all", "help"):
        print(_help(), end="")
        return 0
    if command == "--version":
        print(f"minilift {__version__}")
        return 0
    if command not in COMMANDS:
        from minilift.cli.parser import meant

        known = [*COMMANDS, "help", "--help", "--version"]
        remedy = meant(command, known, f"use one of {', '.join(COMMANDS)}")
        raise InputError(f"{command!r}: no such command; {remedy}")
    status: int = importlib.import_module(f"minilift.cli.{command}").main(rest)
    return status


def _help() -> str:
    width = max(map(len, COMMANDS))
    return HELP.format(commands="\n".join(f"  {name:{width}}  {what}" for name, what in COMMANDS.items()))


if __name__ == "__main__":
    raise SystemExit(main())
