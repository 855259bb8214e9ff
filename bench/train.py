"""Time minilift and torch on the way to a test MPJPE: the same recipe, data, seed and order of rows.

Each contender trains in a process of its own, for whole epochs, and measures the test poses after each. They
take turns epoch by epoch, so that a slow phase of the machine hits all of them. One stops at the --target, or
where the schedule ends. Initial weights and dropout masks differ between the two sides, so one may need an
epoch more; the seconds of an epoch are compared as well.

All flags of train.py that say how to train work here: --data, --test, --preset, --epochs, --batch-size and
so on (see minilift train --help-all), on top of --epochs 26 --lr 0.002 --dropout 0.1 --flip 0. A one-cycle
schedule is that of all --epochs, so choose as many as the target needs. torch.compile compiles in the first
epoch, and that counts: it is on the way.

The last line is all of it as JSON.

examples:
  python -m bench.train --data data_train_lift.pkl --test data_test_lift.pkl --epochs 8
  python -m bench.train --epochs 26 --target 0.0035 --compile
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import contenders, flags, report
from bench.contenders import OURS, PAUSE, Worker
from bench.report import ratio_text


def arguments() -> tuple[argparse.Namespace, dict[str, Any], int]:
    """Our own flags, and train.py's settings with their number of epochs."""
    parser = flags.parser("train", __doc__ or "", flags.OPTIMISERS, default=("loop", "fused"))
    parser.add_argument("--target", type=float, default=0.0045, help="test MPJPE to reach, in units [0.0045]")
    parser.add_argument("--compile", action="store_true", help="also torch's variant 'compile'")
    args, rest = parser.parse_known_args()
    if args.compile:
        args.torch = [*args.torch, "compile"]
    flags.check(parser, args)
    from minilift.cli.settings import read_train
    from minilift.errors import InputError

    try:
        asked = read_train(flags.recipe(rest))
    except InputError as problem:
        parser.error(str(problem))
    if asked.resume:
        parser.error("--resume: a comparison starts anew; leave the flag out")
    config = asked.settings
    if unfit := flags.unknown_to_torch(config):
        parser.error(unfit)
    for flag, name in (("--data", config.data), ("--test", config.test)):
        if not Path(name).is_file():
            parser.error(f"{flag} {name}: no such file; python train.py makes synthetic poses of that name")
    return args, asdict(config) | {"device": "cpu"}, config.epochs  # where torch trains


def race(workers: dict[str, Worker], epochs: int, target: float) -> dict[str, list[dict[str, float]]]:
    """By name, what every epoch took and reached; prints it as it comes."""
    history: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    for number in range(epochs):
        for name, worker in workers.items():
            if not reached(history[name], target):
                time.sleep(PAUSE)
                history[name].append(worker.ask("epoch", number=number))
                done = history[name][-1]
                told = f"test MPJPE {done['mpjpe']:.5f}  train {done['train']:.2f} s  "
                told += f"evaluate {done['evaluate']:.2f} s"
                print(f"epoch {number + 1:3d}/{epochs}  {name:14s} {told}", flush=True)
    return history


def reached(history: list[dict[str, float]], target: float) -> bool:
    return bool(history) and history[-1]["mpjpe"] <= target


def results_of(history: dict[str, list[dict[str, float]]], target: float, default: str) -> dict[str, Any]:
    training = {name: sum(e["train"] for e in epochs) for name, epochs in history.items()}
    whole = {name: training[name] + sum(e["evaluate"] for e in epochs) for name, epochs in history.items()}
    there = [name for name, epochs in history.items() if reached(epochs, target)]
    # Epochs that all of them ran, the first left out: it is slower for all, and compiles for one
    common = min(len(epochs) for epochs in history.values())
    per_epoch = {
        name: [e["train"] for e in epochs[min(1, common - 1) : common]] for name, epochs in history.items()
    }
    result: dict[str, Any] = {"epochs": history, "train_seconds": training, "whole_seconds": whole}
    result |= {"reached": there, "ratios_per_epoch": report.compare(per_epoch, default)}
    for name, seconds in (("ratios", training), ("ratios_with_evaluation", whole)):
        both = {key: [seconds[key]] for key in there}
        enough = "minilift" in both and len(both) > 1
        result[name] = report.compare(both, default) if enough else {"best": None, "default": None}
    return result


def tables(result: dict[str, Any], target: float) -> str:
    rows = [["", "epochs", "reached", "seconds of training", "with evaluation"]]
    for name, epochs in result["epochs"].items():
        yes = f"{epochs[-1]['mpjpe']:.5f}" + ("" if name in result["reached"] else ", not the target")
        seconds = [f"{result[key][name]:.1f}" for key in ("train_seconds", "whole_seconds")]
        rows.append([name, str(len(epochs)), yes, *seconds])
    ratios = [["torch / minilift", "its best", "which", "its default"]]
    for title, key in (
        ("training to the target", "ratios"),
        ("the same with evaluation", "ratios_with_evaluation"),
        ("training for one epoch", "ratios_per_epoch"),
    ):
        best, default = result[key]["best"], result[key]["default"]
        ratios.append([title, ratio_text(best), best["against"] if best else "-", ratio_text(default)])
    return f"to a test MPJPE of {target:g}\n\n{report.table(rows)}\n\n{report.table(ratios)}"


def main() -> None:
    args, config, epochs = arguments()
    crew = [OURS, *contenders.rivals(args.torch)]
    with contenders.crew(crew, "Train", args, config=config) as workers:
        header = report.header(args, workers["minilift"], workers[crew[-1].name])
        history = race(workers, epochs, args.target)
    result = results_of(history, args.target, report.default_variant(header))
    print(f"\n{tables(result, args.target)}")
    report.finish("train", header, args, result, config=config)


if __name__ == "__main__":
    flags.run(main)
