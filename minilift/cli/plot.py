"""`minilift plot`: charts of training runs, after the fact."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.show.charts.sweeps import plot_runs
from minilift.show.charts.training import plot_training
from minilift.show.runs.logs import read_log, read_record
from minilift.show.style import check_picture

PROGRAM = "minilift plot"
EPILOGUE = f"""\
examples:
  {PROGRAM} training log.csv --out curves.svg
  {PROGRAM} training log.csv --record record.npz
                      with gradients and layers, which train --plot recorded
  {PROGRAM} runs a/log.csv b/log.csv --out runs.png
                      one curve for each folder
  {PROGRAM} runs wide=a/log.csv wide=b/log.csv narrow=c/log.csv
                      runs of one name are averaged, with their spread

For poses: minilift data plot, minilift eval --plot. For errors: minilift eval --charts.
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    check_picture(args.out)
    _refuse_inputs(args)
    args.run(args)
    print(f"wrote {args.out}")
    return 0


def _parser() -> Parser:
    parser = Parser(PROGRAM, "Draw charts of training runs (needs: pip install 'minilift[plot]').", EPILOGUE)
    commands = parser.add_subparsers()
    training = commands.add_parser(
        "training", help="one run: errors, learning rate, gradients, layers", description="Draw one run.",
    )  # fmt: skip
    training.add_argument("logs", nargs=1, metavar="LOG", help="the log.csv of a run")
    training.add_argument("--record", metavar="FILE", help="the record.npz that minilift train --plot writes")
    training.set_defaults(run=_training)
    runs = commands.add_parser(
        "runs", help="several runs: a curve for each", description="Draw a column of several logs.",
    )  # fmt: skip
    runs.add_argument("logs", nargs="+", metavar="[NAME=]LOG", help="log.csv of each run [NAME: its folder]")
    runs.add_argument("--column", default="val_mpjpe", help="which column of the logs [%(default)s]")
    runs.set_defaults(run=_runs, record=None)
    for command in (training, runs):
        command.add_argument(
            "--out", default="curves.png", help="a .png, .svg or .pdf, replaced [%(default)s]"
        )
    return parser


def _refuse_inputs(args: argparse.Namespace) -> None:
    read = [_named(log)[1] for log in args.logs] + ([args.record] if args.record else [])
    if Path(args.out).resolve() in [Path(path).resolve() for path in read]:
        raise InputError(f"--out {args.out}: would overwrite what is read; choose another name")


def _named(log: str) -> tuple[str, str]:
    """A run's name and its file."""
    name, equals, path = log.partition("=")
    return (name, path) if equals else (Path(log).resolve().parent.name or log, log)


def _training(args: argparse.Namespace) -> None:
    record = read_record(args.record) if args.record else None
    plot_training(read_log(args.logs[0]), args.out, record)


def _runs(args: argparse.Namespace) -> None:
    found: dict[str, list[list[dict[str, float]]]] = {}
    for name, path in map(_named, args.logs):
        rows = read_log(path)
        if not any(args.column in row for row in rows):
            raise InputError(
                f"{path}: no column {args.column!r}, found {', '.join(rows[0])}; choose one of them"
            )
        found.setdefault(name, []).append(rows)
    plot_runs(found, args.out, column=args.column, quantity=_quantity(args.column))


def _quantity(column: str) -> str:
    """A column's name with its unit, where it has one."""
    units = {"lr": "per step", "steps": "training steps", "epoch": "epochs", "seconds": "s"}
    units |= {"mpjpe": "units", "elevation": "°", "accuracy": "share"}
    unit = units.get(column.rpartition("_")[2])
    return f"{column} [{unit}]" if unit else column
