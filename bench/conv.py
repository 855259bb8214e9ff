"""Time layers for images, and the training steps of a classifier, of minilift and of torch, side by side.

Forward and backward of a layer in training mode, in float32, with the gradient of the input but for a first
layer. A step of the MLP is forward, cross-entropy, backward and SGD. Each contender has a process of its own;
all are warmed up, and then take turns. A turn gives the median of as many calls as fit in --seconds; the
table has the median of the turns and, in brackets, the lowest and the highest.

The last line is all of it as JSON. With the defaults it takes some 2 minutes.

examples:
  python -m bench.conv                       the whole table
  python -m bench.conv --cases "MLP" --rounds 15
  python -m bench.conv --threads 1 --cpu     where other programs run, too
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from bench import contenders, flags, report
from bench.contenders import Bar, Contender
from bench.conv_cases import CASES
from bench.report import ratio_text, spread

MS = 1000.0
VARIANTS = {"1": "one thread", "all": "--threads of them"}


def arguments() -> argparse.Namespace:
    parser = flags.parser("conv", __doc__ or "", VARIANTS)
    parser.add_argument(
        "--cases", nargs="+", default=[""], metavar="TEXT", help="only the cases whose names begin so [all]"
    )
    parser.add_argument(
        "--cpu", action="store_true",
        help="seconds of CPU, of all threads of a process, not of the clock: for a machine that others use",
    )  # fmt: skip
    flags.add_rounds(parser)
    args = parser.parse_args()
    flags.check(parser, args)
    args.cases = [name for name in CASES if name.startswith(tuple(args.cases))]
    if not args.cases:
        parser.error("--cases: there is no such case; the names are " + "; ".join(CASES))
    return args


def table(results: list[dict[str, Any]]) -> str:
    names = list(results[0]["seconds"])
    rows = [["forward + backward [ms]", *names, "torch's best / minilift", "which"]]
    for result in results:
        best = result["ratios"]["best"]
        times = [spread(result["seconds"][name], MS) for name in names]
        rows.append([result["case"], *times, ratio_text(best), best["against"]])
    return report.table(rows)


def main() -> None:
    args = arguments()
    ours = Contender("minilift", "bench.conv_ours", "layers")
    crew = [ours, *(Contender(f"torch {variant}", "bench.conv_torch", variant) for variant in args.torch)]
    results = []
    with contenders.crew(crew, "Layer", args) as workers:
        header = report.header(args, workers["minilift"], workers[crew[-1].name])
        bar = Bar(len(args.cases) * len(workers) * (1 + args.rounds))
        for case in args.cases:
            bar.prefix = f"{case}: "
            for name, worker in workers.items():
                bar(f"warming up {name}")
                worker.ask("prepare", case=case)
            turns = {
                name: partial(worker.ask, "time", seconds=args.seconds, steps=args.steps, cpu=args.cpu)
                for name, worker in workers.items()
            }
            seconds = contenders.take_turns(turns, args.rounds, bar)
            results.append({"case": case, "seconds": seconds, "ratios": report.compare(seconds, "torch all")})
        bar.close()
    print(table(results))
    report.finish("conv", header, args, results)


if __name__ == "__main__":
    flags.run(main)
