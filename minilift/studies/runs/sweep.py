"""Runs side by side on the cores of a machine, or on those of a cluster that joblib knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

from minilift import extras
from minilift.errors import ArgumentError, InputError
from minilift.studies.runs.cluster import LOKY, connected, deaf_to_ctrl_c, watched
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.key import Run
from minilift.studies.runs.run import execute
from minilift.studies.runs.store import Record, Store


class Undone(NamedTuple):
    """A run that could not be made, by its key, and why."""

    key: str
    why: str


def cores() -> int:
    """Of this machine, that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_jobs(asked: int | None) -> int:
    """How many runs at once: as many as cores, or one where joblib is not installed. Raises InputError."""
    if extras.installed("joblib"):
        return asked or cores()
    if asked is not None and asked > 1:
        extras.require("joblib", f"running {asked} at once")
    if asked is None and cores() > 1:
        told = extras.missing("joblib", f"running {cores()} at once")
        print(f"one run at a time; {told}", file=sys.stderr)
    return 1


def sweep(
    runs: Sequence[Run], evaluations: Sequence[Evaluation], store: Store, *, jobs: int, threads: int,
    backend: str = LOKY, address: str | None = None,
) -> list[Undone]:  # fmt: skip
    """Make the runs, and keep each one's record as soon as it is finished; a bar counts their epochs.

    A worker gets as many threads before it loads NumPy. Returns what could not be made, when the others are.
    Raises KeyboardInterrupt where a signal came.
    """
    from tqdm import tqdm

    every = 0.1 if sys.stderr.isatty() else 30.0  # seconds: a log file is not to fill with bars
    total = sum(run.settings.epochs for run in runs)
    given = [(run, evaluations, threads, store.folder) for run in runs]
    alone = jobs == 1 and backend == LOKY
    with ExitStack() as stack:
        stack.enter_context(watched(stack.enter_context(connected(backend, address, jobs))))
        bar = tqdm(total=total, unit="epoch", desc="runs", mininterval=every, maxinterval=2 * every)
        stack.enter_context(bar).set_postfix_str(f"0 of {len(runs)} runs")
        finished = (attempt(*one) for one in given) if alone else _parallel(given, jobs, threads, backend)
        undone: list[Undone] = []
        for count, made in enumerate(finished, 1):
            bar.set_postfix_str(f"{count} of {len(runs)} runs", refresh=False)
            if isinstance(made, Undone):
                undone.append(made)
            else:
                bar.update(made["epochs"])
    return undone


def attempt(run: Run, *given: Any) -> Record | Undone:
    """As `execute`; what goes wrong with one run is no matter of the others."""
    try:
        return execute(run, *given)
    except InputError as problem:
        return Undone(run.key, str(problem))
    except Exception as problem:
        return Undone(run.key, f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}")


def _parallel(given: Iterable[Any], jobs: int, threads: int, backend: str) -> Iterable[Record | Undone]:
    """What came of the runs, in the order in which they are finished."""
    joblib = extras.load("joblib", "several runs at once")
    limit = {"inner_max_num_threads": threads} if backend == LOKY else {}
    tasks = [joblib.delayed(attempt)(*one) for one in given]
    try:
        with joblib.parallel_config(backend, n_jobs=jobs, **limit):
            pool = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            with deaf_to_ctrl_c():
                started = pool(tasks)
            with closing(started) as finished:
                yield from finished
    except BrokenProcessPool:
        problem = "the system ended a worker, perhaps for want of memory"
        raise ArgumentError(
            "jobs", jobs, f"{problem}; continue with fewer (finished runs are kept)"
        ) from None
