"""Studies by way of Dask: the same runs, to the same bits, and one line where there is no cluster."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, make_poses
from test_experiments import FOUR, TINY, Capture, Patch, folder, made, people, records, start

from minilift.cli.predict import main as predict
from minilift.cli.predict import workers
from minilift.cli.study import main
from minilift.errors import InputError
from minilift.lift.clip.options import LiftOptions
from minilift.poses.poses import save_poses
from minilift.poses.read.keypoints.clips import Clip, clips_of
from minilift.poses.read.keypoints.raw import Asked
from minilift.studies.runs import sweep as sweep_module
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
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler of Dask, and its process and that of its two workers' nanny."""
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
            env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"},
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
        yield address, running
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture
def scheduler(cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> str:
    return cluster[0]


def test_a_cluster_elsewhere(scheduler: str, folder: Path) -> None:
    told = swept(*FLAGS, "--workers", scheduler, "--out", "there")
    assert "as many at once as the cluster has cores, on 1 thread each" in told
    assert main([*FLAGS, "--jobs", "1", "--out", "alone"]) == 0
    assert results("there") == results("alone")
    from distributed import Client

    with Client(scheduler) as client:  # that it was there, and not here: a task for each run
        counts = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        assert counts >= 4


def test_a_run_that_cannot_be_made_is_named_and_the_others_are(
    folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    def fails_at_one(run: Run, *given: Any) -> Any:
        if run.settings.seed == 1 and wrong:
            raise wrong[0]
        return execute(run, *given)

    wrong: list[Exception] = []
    execute = sweep_module.execute
    monkeypatch.setattr(sweep_module, "execute", fails_at_one)
    flags = [*TINY, "--set", "epochs=1", "--seeds", "3", "--jobs", "1", "--out", "some"]
    for problem, told in (
        (InputError("x.pkl: is gone"), "x.pkl: is gone"),
        (ZeroDivisionError("of\nnothing"), "ZeroDivisionError: of nothing"),
    ):
        wrong[:] = [problem]
        assert main(flags) == 1
        line = capsys.readouterr().err.splitlines()[-1]
        assert re.search(rf"^not done: .*, seed 1: {told}$", line)
        assert len(results("some")) == 2
        for path in Path("some").glob("*.json"):
            path.unlink()
    wrong.clear()
    assert main(flags) == 0
    monkeypatch.setattr(sweep_module, "execute", lambda *_: exec("raise InputError('no data')", globals()))
    assert main([*flags, "--out", "none"]) == 2  # of all of them the reason is one line
    assert capsys.readouterr().err.splitlines()[-1] == "minilift study: error: no data"


def lift(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minilift", "predict", *words, "--to", "npz"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)


@pytest.fixture
def clips(folder: Path) -> list[str]:
    """Clips, the second of which is none."""
    for i in range(3):
        save_poses(f"clip{i}.npz", make_poses(40, seed=i))
    Path("bad.json").write_text("{ not")
    return ["clip0.npz", "bad.json", "clip1.npz", "clip2.npz"]


def test_clips_on_workers_are_as_clips_here(scheduler: str, clips: list[str]) -> None:
    here, there = lift(*clips, "-o", "here/"), lift(*clips, "-o", "there/", "--workers", scheduler)
    assert (here.returncode, there.returncode) == (1, 1)
    (bad,) = (line for line in there.stderr.splitlines() if line.startswith("not done: "))
    assert bad.startswith(f"not done: {Path('bad.json').absolute()}: is broken JSON at line 1")
    assert sorted(path.name for path in Path("there").iterdir()) == ["clip0.npz", "clip1.npz", "clip2.npz"]
    for path in Path("there").iterdir():
        assert path.read_bytes() == (Path("here") / path.name).read_bytes()
        assert f"wrote {path.absolute()}\n" in there.stdout
    # what is said of each clip is the same, but for the order of the clips
    said = [sorted(text.replace(f"{Path.cwd()}/", "").replace("there/", "here/").splitlines())
            for text in (here.stdout, there.stdout)]  # fmt: skip
    assert said[0] == said[1]
    again = lift("clip0.npz", "-o", "there/", "--workers", scheduler)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_a_clip_that_ends_its_worker_is_named_and_the_others_are_lifted(
    scheduler: str, clips: list[str], monkeypatch: Patch
) -> None:
    def one_kills(paths: Any, asked: Any) -> list[Clip]:
        return [
            replace(clip, load=partial(os._exit, 3)) if clip.name == "clip1" else clip
            for clip in clips_of(paths, asked)
        ]

    monkeypatch.setattr("minilift.cli.predict.inputs.clips_of", one_kills)
    told = io.StringIO()
    with redirect_stderr(told):
        assert predict([*clips[2:], clips[0], "-o", "out/", "--to", "npz", "--workers", scheduler]) == 1
    (bad,) = (line for line in told.getvalue().splitlines() if line.startswith("not done: "))
    assert bad.startswith(f"not done: {Path('clip1.npz').absolute()}: its worker ended (for want of memory?)")
    assert sorted(path.name for path in Path("out").iterdir()) == ["clip0.npz", "clip2.npz"]


def test_a_scheduler_without_workers_is_one_line(
    clips: list[str], capsys: Capture, monkeypatch: Patch
) -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'minilift[dask]'")
    monkeypatch.setattr("minilift.cli.predict.workers.SECONDS", 0.1)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        assert predict(["clip0.npz", "-o", "out/", "--workers", address]) == 2
        told = f"--workers {address}: the scheduler has no workers; start some: dask worker {address}"
        assert capsys.readouterr().err.splitlines()[-1] == f"minilift predict: error: {told}"
        monkeypatch.setattr("minilift.cli.predict.workers.PATIENCE", 0.1)  # all have ended since
        (clip,) = clips_of(["clip0.npz"])
        task = workers.Task(clip, [], "starting", "cpu", LiftOptions(), Asked(), False, 1)
        with distributed.Client(address) as client:
            (answer,) = workers._answers(client, [task])
        assert answer.bad == ("clip0.npz: no worker is left",)
        monkeypatch.setattr("minilift.cli.predict.workers.SECONDS", 20)
        cluster.scale(1)  # within this process
        assert predict(["clip0.npz", "-o", "out/", "--to", "npz", "--workers", address]) == 0
        assert Path("out/clip0.npz").exists()


def test_clips_on_workers_need_dask(clips: list[str], capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert predict(["clip0.npz", "--workers", "2"]) == 2
    assert "the backend dask needs joblib: pip install" in capsys.readouterr().err


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


def test_a_study_wants_the_address_of_its_workers(folder: Path, made: list[Run], capsys: Capture) -> None:
    for text in ("", "2", "host:8786"):
        assert main([*FLAGS, "--workers", text]) == 2
        assert "must be the address of a scheduler, as tcp://host:8786" in capsys.readouterr().err
    assert not made


def test_no_more_workers_than_clips(clips: list[str], monkeypatch: Patch) -> None:
    pytest.importorskip("distributed", reason="pip install 'minilift[dask]'")
    asked: list[Any] = []

    def none(*given: Any) -> Any:
        asked.append(given)
        raise InputError("enough")

    monkeypatch.setattr(workers, "connected", none)
    assert predict([clips[0], clips[2], "-o", "out/", "--workers", "1000"]) == 2
    assert asked[0][2] == 2


def test_clips_whose_scheduler_goes_away_are_named(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], clips: list[str], capsys: Capture, monkeypatch: Patch
) -> None:
    """It goes while a clip is being lifted; what is done stays."""

    def gone(client: Any, tasks: Any) -> Iterator[Any]:
        threading.Timer(2, running[0].kill).start()
        yield from answers(client, [replace(task, clip=slow(task.clip)) for task in tasks])

    def slow(clip: Clip) -> Clip:
        return replace(clip, path=Path.cwd(), load=partial(time.sleep, 60)) if clip.name == "clip1" else clip

    address, running = cluster
    answers = workers._answers
    monkeypatch.setattr(workers, "_answers", gone)
    assert predict([*clips, "-o", "out/", "--to", "npz", "--workers", address]) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("not done: ")]
    assert f"not done: {Path.cwd()}: {workers.GONE}" in told


def test_a_study_whose_workers_all_end_does_not_wait_for_ever(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    address, running = cluster
    monkeypatch.setattr("minilift.studies.runs.cluster.PATIENCE", 1.5)
    threading.Timer(2, running[1].terminate).start()
    flags = [flag.replace("epochs=2", "epochs=100000") for flag in FLAGS]
    assert main([*flags, "--workers", address, "--out", "there"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "or the last of its workers, is gone; finished runs are kept: the same command continues" in line


def test_a_study_whose_scheduler_goes_away_is_one_line(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], folder: Path
) -> None:
    address, running = cluster
    flags = [flag.replace("epochs=2", "epochs=100000") for flag in FLAGS]
    process = start(*flags, "--workers", address, "--out", "there")
    threading.Timer(8, running[0].kill).start()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert f"--cluster {address}: the scheduler of Dask, or the last of its workers, is gone" in err
