"""Time predictions of minilift and of torch, side by side: from 2D joints to 3D joints, both NumPy arrays.

minilift runs Lifter.predict. torch has the same weights in the same network, in evaluation mode. All have
batch norms with running statistics that are not 0 and 1. Each contender has a process of its own; all are
warmed up, and then take turns. A turn times as many predictions as fit in --seconds, --steps at least, and
gives their median; the table has the median of the turns and, in brackets, the lowest and the highest.

Then the cold start: whole processes, from start to exit, that measure one pose. `python eval.py` against
bench/torch_eval.py, which does the same at the least: it reads the two files and prints the MPJPE.

The last line is all of it as JSON. With the defaults it takes some 4 minutes.

examples:
  python -m bench.predict                              both tables
  python -m bench.predict --no-cold --batches 1 256    warm only, two batch sizes
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import contenders, flags, machine, report
from bench.contenders import OURS, Bar
from bench.report import ratio_text, spread

MS = 1000.0
RUNTIMES = {
    "eager": "the module as it is, under inference_mode: the default",
    "traced": "torch.jit.trace, freeze and optimize_for_inference",
    "compile": "torch.compile with freezing; needs a C++ compiler",
}


def arguments() -> argparse.Namespace:
    parser = flags.parser("predict", __doc__ or "", RUNTIMES)
    parser.add_argument(
        "--batches", nargs="+", type=flags.whole(1), default=[1, 32, 64, 256, 1024, 4096], metavar="N",
        help="poses of a prediction [1 32 64 256 1024 4096]",
    )  # fmt: skip
    parser.add_argument(
        "--cold", action=argparse.BooleanOptionalAction, default=True, help="also time the cold start [yes]"
    )
    parser.add_argument("--cold-runs", type=flags.whole(1), default=9, help="processes of each side [9]")
    flags.add_network(parser)
    flags.add_rounds(parser)
    args = parser.parse_args()
    flags.check(parser, args)
    return args


def make_files(folder: Path, hidden: int, blocks: int) -> str:
    """What eval.py reads: one pose, and weights, whose path is returned."""
    from bench.minilift_side import save_lifter
    from minilift import Poses
    from minilift.poses.people.synth import synthesize
    from minilift.poses.poses import save_poses

    one = synthesize(1)
    save_poses(folder / "data_test_lift.pkl", Poses(one.joint_2d, one.joint_3d))
    save_lifter(str(folder / "liftModel"), hidden, blocks)
    return str(folder / "liftModel")


def cold_start(folder: Path, args: argparse.Namespace, bar: Bar) -> dict[str, list[float]]:
    """Seconds of whole processes, one after the other in turn."""
    programs = {
        "minilift": [sys.executable, str(machine.ROOT / "eval.py")],
        "torch": [sys.executable, "-m", "bench.torch_eval"],
    }
    env = machine.environment(args.threads, args.coretype)

    def process(command: list[str]) -> float:
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{done.stderr}\n{' '.join(command[1:])}: ended with status {done.returncode}")
        return seconds

    turns: dict[str, Callable[[], float]] = {
        name: partial(process, command) for name, command in programs.items()
    }
    bar.prefix = "cold start: "
    contenders.take_turns(turns, 1, bar)  # from here on the files lie in the page cache, and are compiled
    return contenders.take_turns(turns, args.cold_runs, bar)


def same(outputs: dict[str, float]) -> None:
    """Who computes something else is no contender."""
    if max(outputs.values()) > min(outputs.values()) * (1 + 1e-4):
        raise SystemExit(f"the contenders do not predict the same: mean absolute outputs {outputs}")


def tables(results: list[dict[str, Any]], cold: dict[str, Any] | None) -> str:
    names = list(results[0]["seconds"])
    rows = [["poses", *names, "torch's best / minilift", "which", "eager / minilift"]]
    for r in results:
        best, default = r["ratios"]["best"], r["ratios"]["default"]
        times = [spread(r["seconds"][name], MS) for name in names]
        rows.append([str(r["batch"]), *times, ratio_text(best), best["against"], ratio_text(default)])
    text = f"milliseconds of a prediction\n\n{report.table(rows)}"
    if cold is None:
        return text
    times = [spread(cold["seconds"][name]) for name in ("minilift", "torch")]
    cold_rows = [["minilift", "torch", "torch / minilift"], [*times, ratio_text(cold["ratios"]["best"])]]
    return f"{text}\n\nseconds of a process that measures one pose\n\n{report.table(cold_rows)}"


def main() -> None:
    args = arguments()
    crew, results, cold = [OURS, *contenders.rivals(args.torch)], [], None
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        weights = make_files(folder, args.hidden, args.blocks)
        cold_turns = 2 * (args.cold_runs + 1) if args.cold else 0
        with contenders.crew(crew, "Predict", args, weights=weights) as workers:
            header = report.header(args, workers["minilift"], workers[crew[-1].name])
            budget = {"seconds": args.seconds, "steps": args.steps}
            bar = Bar(len(args.batches) * len(workers) * (args.rounds + 1) + cold_turns)
            for batch in args.batches:
                bar.prefix, outputs = f"{batch} poses: ", {}
                for name, worker in workers.items():
                    bar(f"warming up {name}")
                    outputs[name] = worker.ask("prepare", batch=batch)
                same(outputs)
                turns = {name: partial(worker.ask, "time", **budget) for name, worker in workers.items()}
                answers = contenders.take_turns(turns, args.rounds, bar)
                ratios = report.compare(answers, "torch eager")
                results.append({"batch": batch, "seconds": answers, "ratios": ratios})
        if args.cold:
            seconds = cold_start(folder, args, bar)
            cold = {"seconds": seconds, "ratios": report.compare(seconds, "torch")}
        bar.close()
    print(tables(results, cold))
    report.finish("predict", header, args, results, cold_start=cold)


if __name__ == "__main__":
    flags.run(main)
