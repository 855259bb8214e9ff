"""Where the time of training goes: steps, evaluation, and all that is neither.

Trains a preset on synthetic people, as `minilift train` does in an empty folder, with a log, weights and
checkpoints in a temporary one. A step is the gathering of a batch, its augmentation, and the training on it;
evaluation is that of the validation and of the test people after each epoch, with the folding of the network.
"checkpoints", "weights" and "log" are what the training waits for: what another thread writes meanwhile is
not in it, but it takes cores from the steps. "the rest" has the bar, the loop, and the wait for the last
file. The first epoch warms up: with it, memory is got and pages are touched. The last line is all of it as
JSON.

With --busy, on a machine that others use, it is the processor time of the training thread, which works alone:
what it waits for, the disk above all, is not in it.

examples:
  python -m bench.shares
  python -m bench.shares --epochs 6 --set checkpoint_every=1epoch
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import flags, machine
from bench.report import table
from minilift.errors import InputError
from minilift.lift.build import build_model, build_trainer
from minilift.lift.recipe import DEFAULT, PRESETS, make_settings
from minilift.lift.settings import SETTINGS
from minilift.lift.training import Training
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, split_poses
from minilift.train.step import Step

INSIDE = ("gathering", "training on batches", "evaluation")
OUTSIDE = ("checkpoints", "weights", "log", "the rest")


class Watch:
    """Seconds by name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.spent = dict.fromkeys(INSIDE + OUTSIDE, 0.0)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            began = self.clock()
            try:
                return function(*given, **options)
            finally:
                self.spent[name] += self.clock() - began

        return call

    def items(self, name: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(*given: Any, **options: Any) -> Iterator[Any]:
            take = self.timed(name, function(*given, **options).__next__)
            try:
                while True:
                    yield take()
            except StopIteration:
                return

        return call


class TimedStep(Step):
    """Another step, batch by batch."""

    def __init__(self, inner: Step, watch: Watch) -> None:
        self.network, self.optimiser, self.sums = inner.network, inner.optimiser, inner.sums
        self.train = watch.timed("training on batches", inner)

    def __call__(self, x: Any, y: Any) -> None:
        self.train(x, y)


def measured(training: Training, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Seconds by name of all epochs of a training but the first; as "whole" those of all of them together."""
    trainer, watch = training.trainer, Watch(clock)
    trainer.step = TimedStep(trainer.step, watch)
    changed: list[tuple[Any, str, str]] = [
        (trainer, "measure", "evaluation"), (trainer, "save_checkpoint", "checkpoints"),
        (trainer, "_keep_weights", "weights"), (trainer.files, "write_log", "log"),
    ]  # fmt: skip
    for owner, method, name in changed:
        setattr(owner, method, watch.timed(name, getattr(owner, method)))
    training.train.epoch = watch.items("gathering", training.train.epoch)  # type: ignore[method-assign]
    trainer.fit(training.train, training.validation, training.test, epochs=1)
    watch.spent = dict.fromkeys(watch.spent, 0.0)
    began = clock()
    training.fit()
    whole = clock() - began
    watch.spent["the rest"] = whole - sum(watch.spent.values())
    return {**watch.spent, "whole": whole}


def rows_of(found: dict[str, float], epochs: int) -> list[list[str]]:
    def row(name: str, seconds: float) -> list[str]:
        return [name, f"{seconds / epochs:.3f}", f"{100 * seconds / found['whole']:.2f}%"]

    rows = [["", "seconds an epoch", "share"], *(row(name, found[name]) for name in INSIDE + OUTSIDE)]
    outside = sum(found[name] for name in OUTSIDE)
    return [*rows, row("**outside steps and evaluation**", outside), row("whole", found["whole"])]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.shares",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", default=DEFAULT, choices=list(PRESETS), help=f"[{DEFAULT}]")
    parser.add_argument("--epochs", type=flags.whole(2), default=4, help="of training, the first untimed [4]")
    parser.add_argument("--people", type=flags.whole(50), default=78_047, help="a fifth to test on [78047]")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the run")
    parser.add_argument("--busy", action="store_true", help="processor time of the one thread that trains")
    args = parser.parse_args()
    alone = args.busy and os.environ.get("OPENBLAS_NUM_THREADS") != "1"
    if alone or any(name in os.environ for name in machine.HOBBLES):  # NumPy has read them: begin again
        env = machine.environment(1 if args.busy else machine.usable_cores(), None)
        os.execve(sys.executable, [sys.executable, "-m", "bench.shares", *sys.argv[1:]], env)
    given = dict(pair.partition("=")[::2] for pair in args.set)
    if unknown := given.keys() - SETTINGS.keys():
        raise InputError(f"no such setting: {', '.join(sorted(unknown))}; docs/settings.md has all of them")
    values = {name: SETTINGS[name].read(text) for name, text in given.items()}
    settings = make_settings(args.preset, {"epochs": args.epochs, **values})
    here = machine.describe()
    print(f"{here['cpu']}, {here['usable_cores']} cores, load {here['load']}, commit {here['commit']}\n")
    people = synthesize(args.people, settings.seed)
    parts = split_poses(Poses(people.joint_2d, people.joint_3d, people.scale), 0.8, settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        training = build_trainer(settings, build_model(settings), *parts, Path(folder), quiet=True)
        training.trainer.bar = True
        found = measured(training, time.thread_time if args.busy else time.perf_counter)
    print(table(rows_of(found, args.epochs - 1)))
    asked = {**vars(args), "settings": settings.acting()}
    print("\n" + json.dumps({"benchmark": "shares", "header": here, "settings": asked, "results": found}))


if __name__ == "__main__":
    flags.run(main)
