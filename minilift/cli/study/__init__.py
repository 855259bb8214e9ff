"""minilift study: train many settings with several seeds, and print what they reach."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilift.cli.study.flags import PROGRAM, read_tables, study_parser
from minilift.errors import ArgumentError, InputError, as_flag, counted, run_program, shown
from minilift.files import check_writable, only_one
from minilift.lift.build import fingerprint
from minilift.lift.settings import SETTINGS, TrainSettings
from minilift.poses.info import warn_of_conventions
from minilift.poses.poses import load_poses
from minilift.studies.designs.variants import Group
from minilift.studies.results.best import best_of
from minilift.studies.results.charts import check_charts, draw_charts
from minilift.studies.results.columns import tabulated
from minilift.studies.results.tables import check_marked, write_between
from minilift.studies.runs.cluster import ALL, DASK, LOKY, check_backend
from minilift.studies.runs.evaluations import read_evaluation
from minilift.studies.runs.plan import Plan
from minilift.studies.runs.store import Store
from minilift.studies.runs.sweep import Undone, choose_jobs, cores, sweep


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    try:
        return _study(study_parser().parse_args(argv), argv)
    except ArgumentError as error:
        raise InputError(error.told(_said)) from None


def _said(name: str, value: Any) -> str:
    """Settings as a study has them, other arguments as flags."""
    return f"{name}={shown(value)}" if name in SETTINGS else as_flag(name, value)


def _study(args: argparse.Namespace, argv: Sequence[str] | None) -> int:
    tables = read_tables(args)
    _check_results(args, tables)
    groups = [group for of_table in tables.values() for group in of_table]
    plan = _plan(args, groups)
    if args.list:
        print(plan.listing())
        return 0
    jobs, threads = _how(args)
    pending = plan.pending()
    epochs = sum(run.settings.epochs for run in pending)
    at_once = "as many at once as the cluster has cores" if jobs == ALL else f"{jobs} at once"
    print(
        f"{counted(len(plan.runs), 'run')}, {len(plan.runs) - len(pending)} of them done; "
        f"{counted(epochs, 'epoch')} to train, {at_once}, on {counted(threads, 'thread')} each"
    )
    if args.dry_run:
        return 0
    check_writable(plan.store.folder)
    undone = _swept(plan, jobs, threads, args, argv) if pending else []
    if undone is None:
        return 130
    _show(plan, tables, args)
    for one in undone:
        print(f"not done: {plan.name(one.key)}: {one.why}", file=sys.stderr)
    return 1 if undone else 0


def _check_results(args: argparse.Namespace, tables: dict[str, list[Group]]) -> None:
    """Refuse, before long work, tables and charts that could not be kept."""
    if args.table:
        for name in tables:
            check_marked(Path(args.table), name)
    if args.charts and args.random:
        problem = f"draws studies and grids; leave it or --random {args.random} out"
        raise InputError(f"--charts {args.charts}: {problem}")
    if args.charts:
        check_charts(Path(args.charts))


def _plan(args: argparse.Namespace, groups: list[Group]) -> Plan:
    data = load_poses(args.data, need_3d=True)
    warn_of_conventions(args.data, data)
    test = Path(args.data).parent / TrainSettings.test
    evaluations = [read_evaluation(text) for text in args.eval or [f"test={test}"]]
    names = [part.name for part in evaluations]
    if len(set(names)) < len(names):
        raise InputError(f"--eval {' '.join(names)}: a name comes twice; use another for one of them")
    store = Store(Path(args.out).absolute())
    path, print_of = os.path.abspath(args.data), tuple(fingerprint(data))
    return Plan(groups, range(args.seeds), path, print_of, evaluations, store)


def _how(args: argparse.Namespace) -> tuple[int, int]:
    """Runs at once, and threads of each."""
    if args.workers:
        if args.cluster:
            raise ArgumentError("workers", args.workers, "names the scheduler of {0} again; leave one out",
                                ("cluster", args.cluster))  # fmt: skip
        args.backend, args.cluster = DASK, args.workers
    if args.cluster and args.backend == LOKY:
        raise InputError(f"--cluster {args.cluster}: --backend {LOKY} is this machine; give --backend dask")
    check_backend(args.backend)
    jobs = args.jobs or ALL if args.cluster else choose_jobs(args.jobs)
    return jobs, args.threads or (1 if jobs == ALL else max(cores() // jobs, 1))


def _swept(
    plan: Plan, jobs: int, threads: int, args: argparse.Namespace, argv: Sequence[str] | None
) -> list[Undone] | None:
    """Make the runs that are to be made. Returns those that could not be, or None if Ctrl-C came, after
    saying how to continue. Raises InputError where none could, for one reason."""
    pending = plan.pending()
    try:
        with only_one(plan.store.folder):
            undone = sweep(
                pending, plan.evaluations, plan.store, jobs=jobs, threads=threads,
                backend=args.backend, address=args.cluster,
            )  # fmt: skip
    except KeyboardInterrupt:
        done = len(plan.runs) - len(plan.pending())
        command = shlex.join([*PROGRAM.split(), *(sys.argv[1:] if argv is None else argv)])
        print(
            f"\nstopped: {done} of {counted(len(plan.runs), 'run')} are done, and kept in {plan.store.folder}"
        )
        print(f"continue with: {command}")
        return None
    if len(undone) == len(pending) and len({one.why for one in undone}) == 1:
        raise InputError(undone[0].why)
    return undone


def _show(plan: Plan, tables: dict[str, list[Group]], args: argparse.Namespace) -> None:
    """Print the tables, put them into the page that was asked for, and draw the charts."""
    arguments = plan.records(), plan.evaluations, plan.seeds, args.metric
    for name, groups in tables.items():
        parts = [(best_of if args.random else tabulated)(group, *arguments) for group in groups]
        text = "\n\n".join(f"**{group.title}**\n\n{part}" for group, part in zip(groups, parts, strict=True))
        print(f"\n{text}")
        if args.table:
            write_between(Path(args.table), name, text)
    if args.table:
        print(f"\nwrote the tables into {args.table}")
    if args.charts:
        every = [group for groups in tables.values() for group in groups]
        made = draw_charts(every, *arguments, Path(args.charts), args.format)
        print(f"\nwrote {counted(len(made), 'chart')} into {args.charts}")
