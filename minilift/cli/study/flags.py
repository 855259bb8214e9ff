"""The flags of `minilift study`, and the tables that they ask for."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from minilift.cli.parser import Parser, number
from minilift.errors import InputError
from minilift.lift.recipe import DEFAULT, PRESETS
from minilift.lift.settings import TrainSettings
from minilift.studies.designs.grids import ablation, grid
from minilift.studies.designs.layers import layers
from minilift.studies.designs.random_search import DEFAULT_RANGES, random_search, read_ranges
from minilift.studies.designs.report import STUDIES as REPORTS
from minilift.studies.designs.report import report
from minilift.studies.designs.variants import Group
from minilift.studies.designs.words import read_axes, read_settings
from minilift.studies.results.tables import NAMES
from minilift.studies.runs.cluster import BACKENDS, LOKY
from minilift.studies.runs.sweep import cores

PROGRAM = "minilift study"
STUDIES = ("ablation", *REPORTS, "layers")

DESCRIPTION = """\
Train many settings with several seeds each, and print what they reach.

What is varied is a named study (--study; the one called report if nothing is
said), a grid (--grid), points at random (--random), or one point (--set). Each
finished run is a file in --out: the same command continues where it stopped, and
no run is made twice. Runs are measured with their best validation weights.
"""

EXAMPLES = """\
examples:
  minilift study --grid lr=0.001,0.003 --grid hidden=256,512 --set epochs=10
  minilift study --random 30 --range lr=1e-4..1e-1:log --set epochs=10 --seeds 1
  minilift study --study ablation --list
"""

MORE = f"""\
ranges, where --random comes without --range:
  {" ".join(DEFAULT_RANGES)}

studies:
  ablation     presets same-people and anyone, with one ingredient out at a time
  report       the four studies of the course report, each with a sound schedule
               in the next column
  dropout, lr, width, blocks
               one of these four
  layers       residual blocks with a layer missing, moved or doubled

examples of named studies:
  minilift study --study ablation --epochs 14 28
         epochs of its two groups, three seeds
  minilift study --study dropout lr width blocks layers --table docs/report.md \\
         --charts docs/images/report
         all that docs/report.md shows
  minilift study --study ablation --eval unseen=data_test_lift.pkl:0:9366 \\
         --eval seen=data_test_lift.pkl:9366:15610 --eval cmu=cmu.npz \\
         --table docs/accuracy.md
"""

_positive = number(int, 1)


def study_parser() -> Parser:
    """The parser of `minilift study`."""
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES, MORE)
    _add_what(parser)
    _add_data(parser)
    _add_how(parser)
    return parser


def _add_what(parser: Parser) -> None:
    group = "what is run"
    parser.add_argument(
        "--study", choices=STUDIES, nargs="+", default=[], metavar="NAME", group=group,
        help=", ".join(STUDIES),
    )  # fmt: skip
    parser.add_argument(
        "--grid", action="append", default=[], metavar="NAME=V,V", group=group,
        help="all values of a setting, with all of other --grid",
    )  # fmt: skip
    parser.add_argument(
        "--random", type=_positive, metavar="N", group=group, help="N points at random, from --range"
    )
    parser.add_argument(
        "--range", action="append", default=[], metavar="NAME=A..B", group=group,
        help="what a setting is drawn from: A..B, A..B:log, V,V",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=V", group=group,
        help="a setting of minilift train for all runs",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=_positive, default=3, metavar="N", group=group, help="seeds 0 to N - 1 of each [3]"
    )
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), group=group, further=True,
        help=f"what a grid or a point starts from [{DEFAULT}]",
    )  # fmt: skip
    parser.add_argument(
        "--epochs", type=_positive, nargs="+", default=[], metavar="N", group=group, further=True,
        help="epochs of the two groups of the ablation, or of another study [those of the study]",
    )  # fmt: skip
    parser.add_argument(
        "--search-seed", type=number(int, 0), default=0, metavar="N", group=group, further=True,
        help="seed for drawing the points; a larger --random adds points to those of its seed [0]",
    )  # fmt: skip


def _add_data(parser: Parser) -> None:
    group, standard = "data and results", TrainSettings
    parser.add_argument(
        "--data", default=standard.data, metavar="FILE", group=group, help=f"training poses [{standard.data}]"
    )
    parser.add_argument(
        "--eval", action="append", default=[], metavar="NAME=FILE[:I:J]", group=group,
        help=f"poses to measure on, or rows I to J - 1 of them [test={standard.test}]",
    )  # fmt: skip
    parser.add_argument(
        "--out", default="experiments", metavar="DIR", group=group, help="folder of the results [experiments]"
    )
    parser.add_argument(
        "--table", metavar="FILE.md", group=group, help="put the tables into this file, between markers"
    )
    parser.add_argument(
        "--charts", metavar="DIR", group=group, help="draw errors, and curves per epoch, into DIR"
    )
    parser.add_argument(
        "--format", choices=("png", "svg", "pdf"), default="png", group=group, further=True,
        help="file type of the charts [png]",
    )  # fmt: skip
    parser.add_argument(
        "--metric", choices=tuple(NAMES), default="mpjpe", group=group, further=True,
        help="which error the tables show [mpjpe]",
    )  # fmt: skip


def _add_how(parser: Parser) -> None:
    group = "how"
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", group=group, help=f"runs at once [{cores()}: the cores]"
    )
    parser.add_argument(
        "--threads", type=_positive, metavar="N", group=group, further=True,
        help="threads for each run [cores / jobs]",
    )  # fmt: skip
    parser.add_argument(
        "--backend", default=LOKY, choices=BACKENDS, group=group, further=True,
        help="joblib's: loky is this machine, dask reaches others [loky]",
    )  # fmt: skip
    parser.add_argument(
        "--cluster", metavar="ADDRESS", group=group, further=True,
        help="Dask's scheduler, say tcp://host:8786; without it, Dask starts workers on this machine",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=_address, metavar="ADDRESS", group=group, further=True,
        help="--backend dask --cluster ADDRESS",
    )  # fmt: skip
    parser.add_argument(
        "--list", action="store_true", group=group, help="say which runs these are and which are done"
    )
    parser.add_argument("--dry-run", action="store_true", group=group, help="say how much there is to do")


def read_tables(args: argparse.Namespace) -> dict[str, list[Group]]:
    """What the flags ask for, by the names of the tables. Raises InputError where flags contradict."""
    words, axes = read_settings("set", args.set), read_axes("grid", args.grid)
    if args.range and not args.random:
        raise InputError(f"--range {args.range[0]}: is for points at random; give --random N, too")
    if args.random:
        return {"random": _random(args, words)}
    if twice := sorted(words.keys() & axes.keys()):
        raise InputError(f"--set {twice[0]}: is varied by --grid; leave one of them out")
    if not args.study and (args.grid or args.set or args.preset):
        if args.epochs:
            raise InputError(f"--epochs {args.epochs[0]}: is for studies; give --set epochs={args.epochs[0]}")
        return {"grid": grid(args.preset or DEFAULT, words, axes)}
    if args.grid or args.preset:
        flag = f"--grid {args.grid[0]}" if args.grid else f"--preset {args.preset}"
        raise InputError(f"{flag}: --study {' '.join(args.study)} says what is varied; leave one of them out")
    if args.epochs and "epochs" in words:
        raise InputError(f"--set epochs={words['epochs']}: --epochs says it too; leave one of them out")
    return {name: _study(name, words, args.epochs) for name in args.study or ["report"]}


def _study(name: str, words: dict[str, str], epochs: Sequence[int]) -> list[Group]:
    told = shlex.join(map(str, epochs))
    if name == "ablation":
        groups = ablation(words, epochs)
        if len(epochs) > len(groups):
            raise InputError(f"--epochs {told}: the study has {len(groups)} groups")
        return groups
    if len(epochs) > 1:
        raise InputError(f"--epochs {told}: --study {name} has one number for all its runs")
    given = {"epochs": told} if told else {}
    return layers(words, given) if name == "layers" else report(name, words, given)


def _random(args: argparse.Namespace, words: dict[str, str]) -> list[Group]:
    for flag, given in (("--study", args.study), ("--grid", args.grid), ("--epochs", args.epochs)):
        if given:
            raise InputError(f"{flag}: does not go with --random {args.random}; leave one of them out")
    ranges = read_ranges(args.range or DEFAULT_RANGES)
    # A default range of a setting that is given makes way for it; one that was asked for contradicts it
    if not args.range:
        ranges = {name: found for name, found in ranges.items() if name not in words}
    return random_search(args.preset or DEFAULT, words, ranges, args.random, args.search_seed)


def _address(text: str) -> str:
    """A scheduler's address: the `type` of an argument."""
    if "://" not in text:
        raise argparse.ArgumentTypeError(
            "must be the address of a scheduler, as tcp://host:8786; --jobs is the number of runs at once"
        )
    return text
