"""Studies by way of Dask: the same runs, to the same bits, and one line where there is no cluster."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_experiments import FOUR, TINY, Capture, Patch, folder, made, people, records, start

from minilift.cli.study import main
from minilift.studies.runs.key import Run

__all__ = ["folder", "made", "people"]  # fixtures of test_experiments
FLAGS = [*TINY, *FOUR, "--set", "epochs=2", "--seeds", "1", "--threads", "1"]


def results(out: str) -> dict[str, Any]:
    return {key: (record["results"], record["best_epoch"]) for key, record in records(out).items()}


def swept(*flags: str) -> str:
    """What a sweep in a process of its own prints."""
    process = start(*flags)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return str(out)


def test_workers_on_this_machine(folder: Path) -> None:
    pytest.importorskip("distributed", reason="pip install 'minilift[dask]'")
    assert main([*FLAGS, "--jobs", "1", "--out", "alone"]) == 0
    told = swept(*FLAGS, "--jobs", "2", "--backend", "dask", "--out", "there")
    assert "4 runs, 0 of them done; 8 epochs to train, 2 at once, on 1 thread each" in told
    assert results("there") == results("alone")
    assert len(results("there")) == 4
    assert "4 runs, 4 of them done" in swept(*FLAGS, "--backend", "dask", "--out", "there")


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler of Dask with two workers, each in a process of its own."""
    distributed = pytest.importorskip("distributed", reason="pip install 'minilift[dask]'")
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli"]
    parts = [
        ["dask_scheduler", "--port", "0", "--no-dashboard"],
        ["dask_worker", "--nthreads", "1", "--nworkers", "2", "--no-dashboard"],
    ]
    running = [
        subprocess.Popen(
            [*dask[:2], f"distributed.cli.{name}", "--scheduler-file", str(file), *flags],
            stderr=subprocess.DEVNULL,
        )
        for name, *flags in parts
    ]
    try:
        for _ in range(600):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address) as client:
            client.wait_for_workers(2, timeout=60)  # with one of them, joblib makes the runs here
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_cluster_elsewhere(scheduler: str, folder: Path) -> None:
    told = swept(*FLAGS, "--backend", "dask", "--cluster", scheduler, "--out", "there")
    assert "as many at once as the cluster has cores, on 1 thread each" in told
    assert main([*FLAGS, "--jobs", "1", "--out", "alone"]) == 0
    assert results("there") == results("alone")
    from distributed import Client

    with Client(scheduler) as client:  # that it was there, and not here: a task for each run
        counts = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        assert counts >= 4


def test_no_cluster_is_one_line(folder: Path, made: list[Run], capsys: Capture, monkeypatch: Patch) -> None:
    assert main([*FLAGS, "--cluster", "tcp://x:1"]) == 2
    assert "--cluster tcp://x:1: --backend loky is this machine; give" in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main([*FLAGS, "--backend", "dask"]) == 2
    assert "the backend dask needs joblib: pip install 'minilift[studies]'" in capsys.readouterr().err
    assert main([*FLAGS, "--backend", "ray"]) == 2
    assert "--backend ray: unknown; use one of loky, dask" in capsys.readouterr().err
    assert not made


def test_a_cluster_that_does_not_answer_is_one_line(folder: Path) -> None:
    pytest.importorskip("distributed", reason="pip install 'minilift[dask]'")
    process = start(*FLAGS, "--backend", "dask", "--cluster", "tcp://127.0.0.1:9")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len(err.strip().splitlines()) == 1
    assert "--cluster tcp://127.0.0.1:9: no scheduler of Dask answers" in err
