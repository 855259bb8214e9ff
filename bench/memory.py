"""Compare the peak memory of whole training processes of minilift and of torch.

Every figure is of a fresh process that imports its library, reads a file of synthetic poses, trains on them
for one epoch and measures itself: the most that it ever had in memory (resource.getrusage, ru_maxrss). The
memory right after the imports is given as well. torch's process never imports minilift. The contenders run
one after the other, in turn.

The last line is all of it as JSON. With the defaults it takes some 3 minutes.

examples:
  python -m bench.memory                              batch 64, 20,000 poses: 312 steps
  python -m bench.memory --batch-size 1024 --torch fused
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from bench import contenders, flags, machine, report
from bench.contenders import OURS, Bar, Contender
from bench.report import ratio_text, spread

MB = 1e-6


def arguments() -> argparse.Namespace:
    parser = flags.parser("memory", __doc__ or "", flags.OPTIMISERS)
    parser.add_argument("--batch-size", type=flags.whole(2), default=64, help="poses in a step [64]")
    parser.add_argument("--poses", type=flags.whole(2), default=20_000, help="poses to train on [20000]")
    flags.add_network(parser)
    parser.add_argument("--rounds", type=flags.whole(1), default=3, help="processes of each contender [3]")
    args = parser.parse_args()
    flags.check(parser, args)
    return args


def make_poses(path: Path, count: int, env: dict[str, str]) -> None:
    """In a process of its own: this one stays small, for a child's peak on Linux begins with its parent's."""
    command = [sys.executable, "-m", "minilift", "data", "synth", "-n", str(count), "--out", str(path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stderr}\nminilift.data synth ended with status {done.returncode}")


def train(contender: Contender, args: argparse.Namespace, data: Path) -> dict[str, int]:
    with contenders.crew([contender], "Memory", args) as workers:
        network = {"batch_size": args.batch_size, "hidden": args.hidden, "blocks": args.blocks}
        return workers[contender.name].ask("train", data=str(data), **network)


def tables(peak: dict[str, list[int]], imported: dict[str, list[int]], ratios: dict[str, Any]) -> str:
    rows = [["", "after the imports", "peak"]]
    rows += [[name, spread(imported[name], MB), spread(peak[name], MB)] for name in peak]
    best, default = ratios["best"], ratios["default"]
    compared = [["torch's best / minilift", "which", "torch's default / minilift"]]
    compared.append([ratio_text(best), best["against"], ratio_text(default)])
    return f"megabytes\n\n{report.table(rows)}\n\n{report.table(compared)}"


def main() -> None:
    args = arguments()
    crew = [OURS, *contenders.rivals(args.torch)]
    with contenders.crew([OURS, crew[-1]], "Memory", args) as workers:
        header = report.header(args, *workers.values())
    bar = Bar(args.rounds * len(crew))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "poses.pkl"
        make_poses(data, args.poses, machine.environment(args.threads, args.coretype))
        turns = {c.name: partial(train, c, args, data) for c in crew}
        answers = contenders.take_turns(turns, args.rounds, bar)
    bar.close()
    peak, imported = (
        {name: [each[what] for each in found] for name, found in answers.items()}
        for what in ("peak", "imported")
    )
    ratios = report.compare(peak, report.default_variant(header))
    print(tables(peak, imported, ratios))
    results = {"peak_bytes": peak, "imported_bytes": imported, "ratios": ratios}
    report.finish("memory", header, args, results)


if __name__ == "__main__":
    flags.run(main)
