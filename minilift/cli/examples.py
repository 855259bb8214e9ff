"""minilift examples: other networks than the lifter, from data to scores."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from minilift.cli.parser import Parser, number
from minilift.errors import InputError, run_program
from minilift.examples import EXAMPLES
from minilift.examples.options import Options
from minilift.files import check_writable
from minilift.ops import choose_device

PROGRAM = "minilift examples"
EPILOGUE = f"""\
examples:
  {PROGRAM} fashion-mnist            its own synthetic pictures
  {PROGRAM} fashion-mnist --data FOLDER --lr 0.01
  {PROGRAM} fashion-mnist --study    all tables and plots
  {PROGRAM} fashion-mnist --resume   go on after Ctrl-C
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    module = _module(args.name)
    options = _options(args, _defaults(module, args.net))
    check_writable(options.out)
    found = module.study(options) if args.study else module.run(options)
    if args.json:
        print(json.dumps(found))
    else:
        print(f"\nall files are in {options.out}")
    return 0


def _module(name: str) -> Any:
    return importlib.import_module(f"minilift.examples.{name.replace('-', '_')}")


def _defaults(module: Any, net: str | None) -> Options:
    """Those of the example, and what the variant has in their place."""
    own = getattr(module, "OWN", {})
    return replace(module.DEFAULTS, **own.get(net, {}))


def _parser() -> Parser:
    parser = Parser(
        PROGRAM, "Train other networks than the lifter with the same layers and Trainer.", EPILOGUE
    )
    commands = parser.add_subparsers(dest="name")
    for name, about in EXAMPLES.items():
        _add(commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}."), name)
    return parser


def _add(parser: Any, name: str) -> None:
    module = _module(name)
    default: Options = module.DEFAULTS
    add = parser.add_argument
    add("--data", metavar="PATH", default="", help=f"{module.DATA} [synthetic pictures]")
    add("--out", metavar="FOLDER", help=f"where all files go [examples/{name}]")
    add("--net", choices=list(module.NETS), help=f"which variant [{default.net}]")
    add("--study", action="store_true", help="make all tables and plots, with many trainings")
    add("--epochs", type=number(int, 1), help=f"passes over the training set [{default.epochs}]")
    add("--lr", type=number(float, 0, open_low=True), help=f"learning rate [{default.lr:g}]")
    add("--batch-size", type=number(int, 1), help=f"pictures of a step [{default.batch_size}]")
    add("--patience", metavar="N", type=number(int, 0), help="end after N epochs without gain; 0: never [0]")
    add("--seed", type=number(int, 0), help="of weights, order and synthetic pictures [0]")
    add("--trials", type=number(int, 1), help="points of a random search [8]", further=True)
    add("--device", default="auto", help="auto, cpu or gpu [auto]", further=True)
    add("--resume", action="store_true", help="go on where the run in --out was stopped")
    add("--json", action="store_true", help="print the scores as one JSON object, all else to stderr")


def _options(args: argparse.Namespace, defaults: Options) -> Options:
    given = {name: getattr(args, name) for name in vars(defaults) if getattr(args, name, None) is not None}
    given["out"] = Path(args.out or Path("examples") / args.name)
    if args.device == "auto":
        given["device"] = choose_device()[0]
    if args.data and not Path(args.data).exists():
        raise InputError(f"--data {args.data}: no such file or folder; check the name")
    return replace(defaults, **given, say=_to_stderr if args.json else _to_stdout)


def _to_stdout(line: str) -> None:
    """Above the bar that shows how far an epoch is."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stdout)


def _to_stderr(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
