"""`minilift predict --workers`: each clip is lifted by a worker of Dask, here or on other machines.

A worker reads and writes the files itself, so it must see them under the same names.
"""

from __future__ import annotations

import argparse
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from minilift.cli.predict.clips import lift_clip, not_done
from minilift.cli.predict.outputs import FORMATS, File
from minilift.errors import ArgumentError, InputError
from minilift.files import PathLike
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.ops.threads import limited
from minilift.poses.read.keypoints.clips import Clip
from minilift.poses.read.keypoints.raw import Asked
from minilift.studies.runs.cluster import DASK, SECONDS, check_backend, connected
from minilift.studies.runs.sweep import cores

GONE = "the scheduler of Dask is gone; lift it again when one runs"
PATIENCE = 30  # seconds without an answer, after which somebody looks whether there are workers
_TURN = threading.Lock()  # a worker may have several threads, but its streams are those of its process


@dataclass(frozen=True)
class Task:
    """A clip to be lifted, without anything that only this process has."""

    clip: Clip
    files: Sequence[tuple[Path, str]]  # and the name of the format
    weights: str
    device: str
    options: LiftOptions
    asked: Asked
    check: bool
    threads: int


@dataclass(frozen=True)
class Answer:
    """What a worker said, and a line for each part that was not done."""

    out: str
    err: str
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Lost:
    """A task that no worker finished, and why."""

    why: str


def everywhere(args: argparse.Namespace, asked: Asked) -> Asked:
    """The same request with names of files that mean the same in another folder; `args` are changed."""
    check_backend(DASK)
    args.input = [str(Path(name).absolute()) if name else name for name in args.input]
    args.weights = _absolute(args.weights)
    return replace(asked, layout=asked.layout and _absolute(asked.layout))


def _absolute(name: PathLike) -> str:
    """Of a file; other words as they are."""
    return str(Path(name).absolute()) if Path(name).exists() else str(name)


def lift_on(
    given: int | str, clips: Sequence[Clip], outputs: Sequence[Sequence[File]], options: LiftOptions,
    asked: Asked, args: argparse.Namespace,
) -> list[str]:  # fmt: skip
    """Lift every clip on a worker, and print what each said as it comes. Returns what was not done.

    Raises ArgumentError where there is no scheduler, or no worker.
    """
    from tqdm import tqdm

    given = min(given, len(clips)) if isinstance(given, int) else given
    threads = max(cores() // given, 1) if isinstance(given, int) else 1
    tasks = [
        Task(
            replace(clip, path=clip.path.absolute()),
            [(file.path.absolute(), file.format.name) for file in files],
            args.weights, args.device, options, asked, args.check, threads,
        )
        for clip, files in zip(clips, outputs, strict=True)
    ]  # fmt: skip
    bad: list[str] = []
    address, jobs = (None, given) if isinstance(given, int) else (given, 1)
    with connected(DASK, address, jobs, "workers") as client:
        if address and not _has_workers(client, SECONDS):
            problem = f"the scheduler has no workers; start some: dask worker {address}"
            raise ArgumentError("workers", address, problem)
        bar = tqdm(total=len(tasks), unit=" clips", desc="lifting", delay=1, leave=False, disable=None)
        with bar:
            for answer in _answers(client, tasks):
                with bar.external_write_mode():
                    print(answer.out, end="")
                    print(answer.err, end="", file=sys.stderr)
                bad += answer.bad
                bar.update()
    return bad


def _has_workers(client: Any, seconds: float) -> bool:
    from distributed import TimeoutError as Late  # Python's own from 3.11 on

    try:
        client.wait_for_workers(1, timeout=seconds)
    except Late:
        return False
    return True


def _answers(client: Any, tasks: Sequence[Task]) -> Iterator[Answer]:
    """What came of each task, in the order in which they are done.

    Where a worker ends, Dask blames all that it had been given. So those are tried once more, one by one.
    """
    doubtful: list[Task] = []
    for task, found in _results(client, tasks):
        if isinstance(found, Lost):
            doubtful.append(task)
        else:
            yield found
    for task in doubtful:
        if client.status == "closed":
            yield Answer("", "", (f"{task.clip.path}: {GONE}",))
            continue
        for _, found in _results(client, [task]):
            yield Answer("", "", (f"{task.clip.path}: {found.why}",)) if isinstance(found, Lost) else found


def _results(client: Any, tasks: Sequence[Task]) -> Iterator[tuple[Task, Answer | Lost]]:
    from distributed import KilledWorker, wait
    from distributed import TimeoutError as Late

    pending = {client.submit(_lift, task, pure=False): task for task in tasks}
    while pending:
        try:
            done = wait(list(pending), timeout=PATIENCE, return_when="FIRST_COMPLETED").done
        except Late:
            if _has_workers(client, PATIENCE):
                continue  # a long clip
            yield from ((task, Lost("no worker is left")) for task in pending.values())
            return
        except CancelledError:
            yield from ((task, Answer("", "", (f"{task.clip.path}: {GONE}",))) for task in pending.values())
            return
        for future in done:
            task = pending.pop(future)
            try:
                yield task, future.result()
            except CancelledError:
                yield task, Answer("", "", (f"{task.clip.path}: {GONE}",))
            except KilledWorker:
                yield task, Lost("its worker ended (for want of memory?)")
            except Exception as problem:  # no minilift there, or a fault of ours: the others go on
                text = f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
                yield task, Answer("", "", (f"{task.clip.path}: {text}",))


def _lift(task: Task) -> Answer:
    """On a worker: as `lift_clip`, with what it prints kept."""
    out, err = io.StringIO(), io.StringIO()
    with _TURN, redirect_stdout(out), redirect_stderr(err), limited(task.threads):
        try:
            files = [File(path, FORMATS[name]) for path, name in task.files]
            lifter = _lifter(task.weights, task.device)
            bad = lift_clip(task.clip, files, lifter, task.options, task.asked, task.check)
        except InputError as problem:
            bad = (not_done(task.clip, problem),)
    return Answer(out.getvalue(), err.getvalue(), bad)


@lru_cache(maxsize=1)
def _lifter(weights: str, device: str) -> Lifter:
    """Read once by each worker."""
    return Lifter.load(weights, device=device)
