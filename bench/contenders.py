"""The contenders, each in a process of its own, taking turns.

A process each, because the thread pools of torch and of NumPy's BLAS disturb each other within one. All are
started and warmed up first. Then they take turns, A B C A B C, a round each, so that a slow phase of the
machine hits all of them. An idle one blocks in a read and uses no CPU. Before each turn there is a pause, in
which the threads of the one before stop spinning (OpenBLAS's spin for some 25 ms after a product).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from bench import machine

PAUSE = 0.05  # seconds


class Contender(NamedTuple):
    name: str
    module: str  # bench.minilift_side or bench.torch_side
    variant: str


OURS = Contender("minilift", "bench.minilift_side", "fast")
PLAIN = Contender("minilift plain", "bench.minilift_side", "plain")
MKL = Contender("minilift by MKL", "bench.minilift_side", "mkl")


def rivals(variants: Sequence[str]) -> list[Contender]:
    return [Contender(f"torch {variant}", "bench.torch_side", variant) for variant in variants]


class Worker:
    """The process of a contender, from the parent's side. `kind` is what it competes in: a class's name."""

    def __init__(
        self, contender: Contender, kind: str, args: argparse.Namespace, settings: dict[str, Any]
    ) -> None:
        self.name = contender.name
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the worker)
        settings = {"variant": contender.variant, "threads": args.threads, **settings}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", contender.module, kind, json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True,
            env=machine.environment(args.threads, args.coretype),
        )  # fmt: skip

    def ask(self, task: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        with suppress(OSError):  # where it is gone, the answer that does not come says why
            print(json.dumps([task, arguments]), file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        status = self.process.wait()
        self.stderr.seek(0)
        said = self.stderr.read().decode(errors="replace").strip() or "nothing on its stderr"
        last = said.splitlines()[-1]
        raise SystemExit(f"{said}\n{self.name}: its process ended with status {status}: {last}")

    def close(self) -> None:
        self.process.kill()  # it has nothing to save
        self.process.communicate()
        self.stderr.close()


@contextmanager
def crew(
    contenders: Sequence[Contender], kind: str, args: argparse.Namespace, **settings: Any
) -> Iterator[dict[str, Worker]]:
    """A worker for each contender, by name, all of them ready; ended on the way out."""
    workers: dict[str, Worker] = {}
    try:
        for contender in contenders:
            workers[contender.name] = Worker(contender, kind, args, settings)
        for worker in workers.values():
            worker.answer()
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def take_turns(
    turns: Mapping[str, Callable[[], Any]], rounds: int, progress: Callable[[str], object]
) -> dict[str, list[Any]]:
    """By name, an answer for each round."""
    answers: dict[str, list[Any]] = {name: [] for name in turns}
    for number in range(rounds):
        for name, turn in turns.items():
            progress(f"round {number + 1}/{rounds}, {name}")
            time.sleep(PAUSE)
            answers[name].append(turn())
    return answers


class Bar:
    """A tqdm bar on stderr that says whose turn it is."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        every = 0.1 if sys.stderr.isatty() else 10.0  # seconds: a log file is not to fill with bars
        self.bar, self.prefix = tqdm(total=total, leave=False, unit="turn", mininterval=every), ""

    def __call__(self, what: str) -> None:
        self.bar.set_description(f"{self.prefix}{what}", refresh=False)
        self.bar.update()

    def close(self) -> None:
        self.bar.close()
