"""Where the runs of a sweep are made: on this machine, or on a cluster of Dask or Ray that joblib reaches."""

from __future__ import annotations

import importlib.util
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minilift.errors import InputError

LOKY = "loky"  # joblib's processes of this machine
PACKAGES = {"dask": "distributed", "ray": "ray"}  # what else is imported, by the name of the backend
BACKENDS = (LOKY, *PACKAGES)
SECONDS = 5  # in which a scheduler has to answer
ALL = -1  # joblib's word for as many jobs as the cluster has cores


def check_backend(backend: str, address: str | None) -> None:
    """Raise InputError for an address of nothing, and where the backend's package is not installed."""
    if backend == LOKY:
        if address:
            raise InputError(f"--cluster {address}: --backend {LOKY} is this machine; give dask or ray")
        return
    for package in ("joblib", PACKAGES[backend]):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"--backend {backend}: needs {package}: pip install 'minilift[{backend}]'")


@contextmanager
def connected(backend: str, address: str | None, jobs: int) -> Iterator[None]:
    """Within it, joblib finds the cluster at the address; without one, so many workers on this machine.

    Raises InputError where nobody answers.
    """
    options: dict[str, Any]
    if backend == "dask":
        from distributed import Client

        options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        options = (
            {"address": address, "timeout": SECONDS}
            if address
            else {**options, "silence_logs": logging.ERROR}
        )
        try:
            client = Client(**options)
        except (OSError, ValueError) as problem:
            raise InputError(f"--cluster {address}: no scheduler of Dask answers ({problem})") from None
        with client:
            yield
    elif backend == "ray":
        import ray
        from ray.util.joblib import register_ray

        options = {"address": address} if address else {"num_cpus": jobs, "include_dashboard": False}
        try:
            if address and ":" in address:  # Ray itself asks for minutes, and tells every time
                host, port = address.rpartition("/")[2].rsplit(":", 1)
                socket.create_connection((host, int(port)), SECONDS).close()
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, ValueError, RuntimeError) as problem:
            raise InputError(f"--cluster {address}: no cluster of Ray answers ({problem})") from None
        register_ray()
        try:
            yield
        finally:
            ray.shutdown()
    else:
        yield
