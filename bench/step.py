"""Time whole training steps (forward, MPJPE, backward, Adam) of minilift and of torch, side by side.

Both train the same network, 1024 wide with 2 blocks and dropout 0.1, in float32, on one batch of random
numbers, with as many threads. Each contender has a process of its own; all are warmed up, and then take
turns. A turn times as many steps as fit in --seconds, --steps at least, and gives their median; the table has
the median of the turns and, in brackets, the lowest and the highest.

The floor is the least that a step costs: the matrix products alone, run by NumPy on its BLAS's own threads,
and Adam's 28 bytes a parameter over the bandwidth of a copy that no cache holds. It is given for the network
as it is written and for the products that minilift does (it composes the first two Linears where the batch is
larger than about 60). A last cache of more than 16 bytes a parameter lets Adam run faster than that; and a
share above 100% may be a sign that other programs were running, which slows the BLAS's threads most of all.

The last line is all of it as JSON. With the defaults it takes some 5 minutes.

examples:
  python -m bench.step                                   the whole table
  python -m bench.step --batches 64 --torch loop fused   one row, two of torch's variants
  python -m bench.step --coretype Haswell                with NumPy's BLAS held to a kernel for older CPUs
  python -m bench.step --threads 1 --cpu                 where other programs run, too
  python -m bench.step --mkl                             also with MKL in the place of NumPy's BLAS
"""

from __future__ import annotations

import argparse
from functools import partial
from statistics import median
from typing import Any

from bench import contenders, flags, report
from bench.contenders import MKL, OURS, PLAIN, Bar
from bench.report import ratio_text, spread

MS = 1000.0


def arguments() -> argparse.Namespace:
    parser = flags.parser("step", __doc__ or "", flags.OPTIMISERS)
    parser.add_argument(
        "--batches", nargs="+", type=flags.whole(2), default=[32, 64, 256, 1024, 4096], metavar="N",
        help="rows of a batch [32 64 256 1024 4096]",
    )  # fmt: skip
    parser.add_argument("--plain", action="store_true", help="also time minilift's layers one by one")
    parser.add_argument(
        "--cpu", action="store_true",
        help="seconds of CPU, of all threads of a process, not of the clock: for a machine that others use",
    )  # fmt: skip
    parser.add_argument("--mkl", action="store_true", help="also time minilift with its products by MKL")
    flags.add_network(parser)
    flags.add_rounds(parser)
    args = parser.parse_args()
    flags.check(parser, args)
    return args


def row(batch: int, answers: dict[str, list[Any]], default: str) -> dict[str, Any]:
    """All that is known of one batch size; in seconds."""
    floors = answers.pop("floors")
    parts = {name: [each[name] for each in floors] for name in floors[0]}
    ours, adam = median(answers["minilift"]), median(parts["adam"])
    floor = {name: median(parts[name]) + adam for name in ("written", "done")}
    shares = {name: value / ours for name, value in floor.items()}
    ratios = report.compare(answers, default)
    return {
        "batch": batch, "seconds": answers, "ratios": ratios, "floor_parts": parts, "floor": floor,
        "share": shares,
    }  # fmt: skip


def tables(results: list[dict[str, Any]]) -> str:
    names = list(results[0]["seconds"])
    times = [["batch", *names], *([str(r["batch"]), *_times(r, names)] for r in results)]
    ratios = [["batch", "torch's best / minilift", "which", "torch's default / minilift"]]
    floors = [
        ["batch", "floor of the network as written", "its share of the step",
         "floor of the products minilift does", "its share of the step", "Adam's part", "copy bandwidth"]
    ]  # fmt: skip
    for r in results:
        best, default = r["ratios"]["best"], r["ratios"]["default"]
        ratios.append([str(r["batch"]), ratio_text(best), best["against"], ratio_text(default)])
        line = [str(r["batch"])]
        for name in ("written", "done"):
            line += [spread([r["floor"][name]], MS), f"{r['share'][name]:.0%}"]
        parts = r["floor_parts"]
        floors.append([*line, spread(parts["adam"], MS), f"{median(parts['bandwidth']) / 1e9:.1f} GB/s"])
    return "\n\n".join(
        [
            f"milliseconds of a training step\n\n{report.table(times)}",
            report.table(ratios),
            f"milliseconds of the floor, and floor / minilift's step as its share\n\n{report.table(floors)}",
        ]
    )


def _times(result: dict[str, Any], names: list[str]) -> list[str]:
    return [spread(result["seconds"][name], MS) for name in names]


def main() -> None:
    args = arguments()
    own = [OURS, *([PLAIN] if args.plain else []), *([MKL] if args.mkl else [])]
    crew = [*own, *contenders.rivals(args.torch)]
    results = []
    with contenders.crew(crew, "Step", args, hidden=args.hidden, blocks=args.blocks) as workers:
        ours = workers["minilift"]
        header = report.header(args, ours, workers[crew[-1].name])
        default = report.default_variant(header)
        budget = {"seconds": args.seconds, "steps": args.steps}
        bar = Bar(len(args.batches) * (len(workers) + args.rounds * (len(workers) + 1)))
        for batch in args.batches:
            bar.prefix = f"batch {batch}: "
            for name, worker in workers.items():
                bar(f"warming up {name}")
                worker.ask("prepare", batch=batch)
            turns = {
                name: partial(worker.ask, "time", cpu=args.cpu, **budget) for name, worker in workers.items()
            }
            turns["floors"] = partial(ours.ask, "floors", **budget)
            results.append(row(batch, contenders.take_turns(turns, args.rounds, bar), default))
        bar.close()
    print(tables(results))
    report.finish("step", header, args, results)


if __name__ == "__main__":
    flags.run(main)
