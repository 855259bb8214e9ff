"""Where the runs of a study are made: on this machine, or on a Dask cluster that joblib reaches."""

from __future__ import annotations

import _thread
import logging
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from minilift import extras
from minilift.errors import ArgumentError

LOKY, DASK = "loky", "dask"  # joblib's names: processes of this machine, workers of Dask
BACKENDS = (LOKY, DASK)
PATIENCE = 30.0  # seconds without a single worker
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

    Gives Dask's client, if there is one. Raises ArgumentError, of `argument`, where no scheduler answers,
    or none does any longer.
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
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:  # a scheduler that goes away is told in one line, and not with tracebacks
            logger.setLevel(logging.CRITICAL)
        with client:
            yield client
    except CancelledError:
        gone = "the scheduler of Dask, or the last of its workers, is gone; finished runs are kept"
        raise ArgumentError(argument, address or jobs, f"{gone}: the same command continues") from None
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def watched(client: Any) -> Iterator[None]:
    """Within it, CancelledError ends the waiting of the main thread when there have been no workers for long.

    Dask itself would wait for new ones for ever. `client` may be None, and then nothing is watched.
    """
    if client is None:
        yield
        return
    over, lost = threading.Event(), threading.Event()

    def look() -> None:
        without = 0
        while not over.wait(PATIENCE / 3):
            try:
                without = 0 if client.nthreads() else without + 1
            except Exception:  # the scheduler is gone, which ends the waiting by itself
                return
            if without == 3:
                lost.set()
                _thread.interrupt_main()  # joblib hears of nothing else
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    except KeyboardInterrupt:
        if lost.is_set():
            raise CancelledError from None
        raise
    finally:
        over.set()


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
