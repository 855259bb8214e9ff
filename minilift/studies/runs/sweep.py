"""Runs side by side on the cores of a machine, or on those of a cluster that joblib knows."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from minilift import extras
from minilift.errors import ArgumentError
from minilift.studies.runs.cluster import LOKY, connected
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.key import Run
from minilift.studies.runs.run import execute
from minilift.studies.runs.store import Record, Store


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
) -> None:  # fmt: skip
    """Make the runs, and keep each one's record as soon as it is finished; a bar counts their epochs.

    A worker gets as many threads before it loads NumPy. Raises KeyboardInterrupt where a signal came, and
    InputError where a run could not be made.
    """
    from tqdm import tqdm

    every = 0.1 if sys.stderr.isatty() else 30.0  # seconds: a log file is not to fill with bars
    total = sum(run.settings.epochs for run in runs)
    given = [(run, evaluations, threads, store.folder) for run in runs]
    alone = jobs == 1 and backend == LOKY
    with ExitStack() as stack:
        with _deaf_to_ctrl_c():  # a cluster on this machine is started here
            stack.enter_context(connected(backend, address, jobs))
        bar = tqdm(total=total, unit="epoch", desc="runs", mininterval=every, maxinterval=2 * every)
        stack.enter_context(bar).set_postfix_str(f"0 of {len(runs)} runs")
        finished = (execute(*one) for one in given) if alone else _parallel(given, jobs, threads, backend)
        for count, record in enumerate(finished, 1):
            bar.set_postfix_str(f"{count} of {len(runs)} runs", refresh=False)
            bar.update(record["epochs"])


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Within it, and in processes that are started in it for ever, Ctrl-C does nothing.

    A terminal sends it to all of them. This process hears it soon after, and ends the others, which would
    only print where they were. (A blocked signal would not do: starting a process unblocks it.)
    """
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread: signals are not handled here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _parallel(given: Iterable[Any], jobs: int, threads: int, backend: str) -> Iterable[Record]:
    """The records in the order in which they are finished."""
    joblib = extras.load("joblib", "several runs at once")
    limit = {"inner_max_num_threads": threads} if backend == LOKY else {}
    tasks = [joblib.delayed(execute)(*one) for one in given]
    try:
        with joblib.parallel_config(backend, n_jobs=jobs, **limit):
            pool = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            with _deaf_to_ctrl_c():
                started = pool(tasks)
            with closing(started) as finished:
                yield from finished
    except BrokenProcessPool:
        problem = "the system ended a worker, perhaps for want of memory"
        raise ArgumentError(
            "jobs", jobs, f"{problem}; continue with fewer (finished runs are kept)"
        ) from None
