"""Where the runs of a study are made: on this machine, or on a Dask cluster that joblib reaches."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minilift import extras
from minilift.errors import ArgumentError

LOKY, DASK = "loky", "dask"  # joblib's names: processes of this machine, workers of Dask
BACKENDS = (LOKY, DASK)
SECONDS = 5  # in which a scheduler has to answer
ALL = -1  # joblib's word for as many jobs as the cluster has cores


def check_backend(backend: str) -> None:
    """Raise InputError where a library that the backend needs is not installed."""
    if backend == DASK:
        for library in ("joblib", "distributed"):
            extras.require(library, f"the backend {backend}")


@contextmanager
def connected(backend: str, address: str | None, jobs: int, argument: str = "cluster") -> Iterator[Any]:
    """Within it, joblib finds the cluster at the address; without one, `jobs` workers on this machine.

    Gives Dask's client, if there is one. Raises ArgumentError, of `argument`, where no scheduler answers.
    """
    if backend == LOKY:
        yield None
        return
    options: dict[str, Any] = {"address": address, "timeout": SECONDS}
    if not address:
        options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        options["silence_logs"] = logging.ERROR
    try:
        with deaf_to_ctrl_c():  # workers on this machine are started here
            client = extras.load("distributed", f"the backend {backend}").Client(**options)
    except (OSError, ValueError) as problem:
        raise ArgumentError(argument, address, f"no scheduler of Dask answers ({problem})") from None
    with client:
        yield client


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
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
