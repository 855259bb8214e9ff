"""minilift study: train many settings with several seeds, and print what they reach."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.build import fingerprint
from minilift.cli.config import TrainConfig
from minilift.cli.parser import Parser, number
from minilift.cli.presets import PRESETS
from minilift.errors import InputError, run_program
from minilift.files import check_writable, only_one
from minilift.poses.info import warn_of_conventions
from minilift.poses.poses import load_poses
from minilift.studies.charts import check_charts, check_together, draw_charts
from minilift.studies.cluster import ALL, BACKENDS, LOKY, check_backend
from minilift.studies.columns import tabulated
from minilift.studies.designs.grids import Group, ablation, grid
from minilift.studies.designs.layers import layers
from minilift.studies.designs.random_search import DEFAULT_RANGES, best_of, random_search, read_ranges
from minilift.studies.designs.report import STUDIES as REPORTS
from minilift.studies.designs.report import report
from minilift.studies.evaluations import read_evaluation
from minilift.studies.plan import Plan
from minilift.studies.settings import read_axes, read_settings
from minilift.studies.store import Store
from minilift.studies.sweep import choose_jobs, cores, sweep
from minilift.studies.tables import NAMES, check_marked, write_between

PROGRAM = "minilift study"
STUDIES = ("ablation", *REPORTS, "layers")

DESCRIPTION = """\
Train many settings with several seeds each, side by side, and print what they reach as a table.

What is varied is a study (--study ablation: the presets with one ingredient taken out at a time; --study
report: the four studies of the original report, each beside the same with a sound schedule, which is also
what is run where nothing is said; --study dropout, lr, width or blocks: one of these; --study layers:
residual blocks with a layer missing, moved or doubled), a grid of settings of train.py (--grid), points
drawn at random (--random), or one point (--set). Every finished run is a file of --out, under the hash of
its settings and data: the same command goes on where it was stopped, and no run is made twice. Each run is
that of train.py with these settings; it is measured with the weights of its best validation epoch.
"""

EPILOGUE = """\
examples:
  minilift study --study ablation --epochs 14 28   the groups' epochs; three seeds
  minilift study --grid lr=0.001,0.003 --grid hidden=256,512 --set epochs=10
  minilift study --random 30 --range lr=1e-4..1e-1:log --range hidden=256,512,1024 \\
         --set epochs=10 --seeds 1                                the best ten, chosen on held-out poses
  minilift study --study ablation --list          what it would run, and what is done
  minilift study                                  what the original report's tables measured
  minilift study --study dropout lr width blocks layers --table docs/report.md \\
         --charts docs/images/report                              all that docs/report.md shows
  minilift study --study ablation --eval unseen=data_test_lift.pkl:0:9366 \\
         --eval seen=data_test_lift.pkl:9366:15610 --eval cmu=cmu.npz --table docs/accuracy.md
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EPILOGUE)
    what = parser.add_argument_group("what is run")
    what.add_argument(
        "--study", choices=STUDIES, nargs="+", default=[], metavar="NAME",
        help=f"sets of variants, each with a table of its own: {', '.join(STUDIES)}",
    )  # fmt: skip
    what.add_argument(
        "--grid", action="append", default=[], metavar="NAME=V,V",
        help="every value of a setting, with every one of the other --grid",
    )  # fmt: skip
    what.add_argument("--random", type=number(int, 1), metavar="N", help="N points at random, from --range")
    what.add_argument(
        "--range", action="append", default=[], metavar="NAME=A..B",
        help=f"what a setting is drawn from: A..B, A..B:log, or V,V,V [{', '.join(DEFAULT_RANGES)}]",
    )  # fmt: skip
    what.add_argument(
        "--search-seed",
        type=int,
        default=0,
        metavar="N",
        help="of the points; more of one seed are added [0]",
    )
    what.add_argument(
        "--set", action="append", default=[], metavar="NAME=V", help="a setting of train.py for all runs"
    )
    what.add_argument("--preset", choices=tuple(PRESETS), help="of a grid or point [default]")
    what.add_argument(
        "--epochs", type=number(int, 1), nargs="+", default=[], metavar="N",
        help="of each group of the ablation, in its order, or of a report's study [as these have them]",
    )  # fmt: skip
    what.add_argument(
        "--seeds", type=number(int, 1), default=3, metavar="N", help="seeds 0, 1, ... of each [3]"
    )
    data = parser.add_argument_group("data and results")
    data.add_argument(
        "--data", default=TrainConfig.data, metavar="FILE", help=f"training poses [{TrainConfig.data}]"
    )
    data.add_argument(
        "--eval", action="append", default=[], metavar="NAME=FILE[:I:J]",
        help=f"poses to measure on, or their rows I to J - 1 [test={TrainConfig.test} beside --data]",
    )  # fmt: skip
    data.add_argument("--out", default="experiments", help="folder of the results [experiments]")
    data.add_argument("--table", metavar="FILE.md", help="put the tables into this file, between its markers")
    data.add_argument("--charts", metavar="DIR", help="draw errors, and curves per epoch, into this folder")
    data.add_argument("--format", choices=("png", "svg", "pdf"), default="png", help="of the charts [png]")
    data.add_argument("--metric", choices=tuple(NAMES), default="mpjpe", help="of the tables [mpjpe]")
    how = parser.add_argument_group("how")
    how.add_argument("--jobs", type=number(int, 1), metavar="N", help=f"runs at once [{cores()}: the cores]")
    how.add_argument("--threads", type=number(int, 1), metavar="N", help="of each run [cores / jobs]")
    how.add_argument(
        "--backend", default=LOKY, choices=BACKENDS,
        help="joblib's: loky is this machine; dask and ray reach others [loky]",
    )  # fmt: skip
    how.add_argument(
        "--cluster", metavar="ADDRESS",
        help="where Dask's scheduler or Ray's head is, say tcp://host:8786 or auto; without it, these two "
        "start workers on this machine",
    )  # fmt: skip
    how.add_argument("--list", action="store_true", help="say which runs these are and which are done")
    how.add_argument("--dry-run", action="store_true", help="say how much there is to do")
    return parser


def _main(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    tables = _tables(args)
    if args.table:
        for name in tables:
            check_marked(Path(args.table), name)
    if args.charts:
        check_together(args.charts, args.random)
        check_charts(Path(args.charts))
    groups = [group for of_table in tables.values() for group in of_table]
    plan = _plan(args, groups)
    if args.list:
        print(plan.listing())
        return 0
    check_backend(args.backend, args.cluster)
    jobs = args.jobs or ALL if args.cluster else choose_jobs(args.jobs)
    threads = args.threads or (1 if jobs == ALL else max(cores() // jobs, 1))
    pending = plan.pending()
    epochs = sum(run.config.epochs for run in pending)
    at_once = "as many at once as the cluster has cores" if jobs == ALL else f"{jobs} at once"
    print(
        f"{len(plan.runs)} runs, {len(plan.runs) - len(pending)} of them done; {epochs:,} epochs to train, "
        f"{at_once}, on {threads} thread{'s' if threads > 1 else ''} each"
    )
    if args.dry_run:
        return 0
    check_writable(plan.store.folder)
    if pending and not _swept(plan, jobs, threads, args, argv):
        return 130
    records = plan.records()
    arguments = records, plan.evaluations, plan.seeds, args.metric
    for name, of_table in tables.items():
        parts = [(best_of if args.random else tabulated)(group, *arguments) for group in of_table]
        text = "\n\n".join(
            f"**{group.title}**\n\n{part}" for group, part in zip(of_table, parts, strict=True)
        )
        print(f"\n{text}")
        if args.table:
            write_between(Path(args.table), name, text)
    if args.table:
        print(f"\nwrote the tables into {args.table}")
    if args.charts:
        made = draw_charts(groups, *arguments, Path(args.charts), args.format)
        print(f"\nwrote {len(made)} charts into {args.charts}")
    return 0


def _tables(args: argparse.Namespace) -> dict[str, list[Group]]:
    """What the flags ask for, by the names of the tables. Raises InputError where they contradict another."""
    words, axes = read_settings("--set", args.set), read_axes(args.grid)
    if args.range and not args.random:
        raise InputError(f"--range {args.range[0]}: is for points at random; give --random N, too")
    if args.random:
        return {"random": _random(args, words)}
    if twice := sorted(words.keys() & axes.keys()):
        raise InputError(f"--set {twice[0]}: is varied by --grid; leave one of them out")
    if not args.study and (args.grid or args.set or args.preset):
        if args.epochs:
            raise InputError(f"--epochs {args.epochs[0]}: is for studies; give --set epochs={args.epochs[0]}")
        return {"grid": grid(args.preset or "default", words, axes)}
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
    if args.search_seed < 0:
        raise InputError(f"--search-seed {args.search_seed}: must be at least 0")
    # A default range of a setting that is given makes way for it; one that was asked for contradicts it
    if not args.range:
        ranges = {name: found for name, found in ranges.items() if name not in words}
    return random_search(args.preset or "default", words, ranges, args.random, args.search_seed)


def _plan(args: argparse.Namespace, groups: list[Group]) -> Plan:
    data = load_poses(args.data, need_3d=True)
    warn_of_conventions(args.data, data)
    test = Path(args.data).parent / TrainConfig.test
    evaluations = [read_evaluation(text) for text in args.eval or [f"test={test}"]]
    names = [part.name for part in evaluations]
    if len(set(names)) < len(names):
        raise InputError(f"--eval {' '.join(names)}: a name comes twice; call one of them otherwise")
    store = Store(Path(args.out).absolute())
    path, print_of = os.path.abspath(args.data), tuple(fingerprint(data))
    return Plan(groups, range(args.seeds), path, print_of, evaluations, store)


def _swept(plan: Plan, jobs: int, threads: int, args: argparse.Namespace, argv: Sequence[str] | None) -> bool:
    """Make the runs that are to be made. False if Ctrl-C came, after saying how to go on."""
    try:
        with only_one(plan.store.folder):
            sweep(
                plan.pending(), plan.evaluations, plan.store, jobs=jobs, threads=threads,
                backend=args.backend, address=args.cluster,
            )  # fmt: skip
    except KeyboardInterrupt:
        done = len(plan.runs) - len(plan.pending())
        command = shlex.join([*PROGRAM.split(), *(sys.argv[1:] if argv is None else argv)])
        print(f"\nstopped: {done} of {len(plan.runs)} runs are done, and kept in {plan.store.folder}")
        print(f"go on with: {command}")
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
