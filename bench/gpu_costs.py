"""A table of what each kernel of a training step costs on a GPU: counted on paper, and on a card measured.

For every kernel: how often a step launches it, the bytes it reads and writes if each is touched once, those
moved between processors and last cache, and the operations of products (bench/gpu_cost.py). The floor is the
larger of two times: bytes at the bandwidth of memory, operations at the card's rate. It is no law: what the
step before left in the last cache needs no memory. Rates are those of an H200's data sheet unless given.

With --measure, on a card, each launch is timed in two ways, by the events of CUDA: alone, in a graph of
copies of it, and in its place, as the difference between the launches up to it and those before it.

examples:
  python -m bench.gpu_costs                     batches of 64 and 1024
  python -m bench.gpu_costs --batch 4096 --bandwidth 2039 --tflops 19.5
  python -m bench.gpu_costs --measure           on a card
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bench import flags
from bench.gpu import no_gpu
from bench.gpu_cost import Cost, cost
from bench.gpu_floor import FLOAT, N_IN, N_OUT, flops, parameters
from bench.gpu_paper import step_on_paper
from bench.report import digits, table
from minilift.ops.cuda.gpu import Launch

BATCHES = [64, 1024]
BANDWIDTH, TFLOPS = 4800.0, 67.0  # GB/s and TFLOP/s in float32, NVIDIA's data sheet of the H200 SXM


class Rates(NamedTuple):
    """Of a card."""

    bandwidth: float = BANDWIDTH
    tflops: float = TFLOPS

    def us(self, each: Cost) -> float:
        return max((each.read + each.written) / self.bandwidth / 1e3, each.flops / self.tflops / 1e6)


class Times(NamedTuple):
    """Microseconds of each launch, as `bench.gpu_profile` measures them."""

    alone: list[float]
    in_place: list[float]


def least(batch: int, hidden: int, operations: int) -> Cost:
    """Of a step as a whole: weights and both moments are read and written, the batch is read, and nothing
    that is made on the way leaves the processors. A step that composes products has fewer operations."""
    weights = 3 * FLOAT * parameters(hidden)
    return Cost(
        weights + batch * FLOAT * (N_IN + N_OUT + 1), weights, None, min(operations, flops(batch, hidden))
    )


def together(costs: Sequence[Cost]) -> Cost:
    read, written, operations = (sum(each[i] or 0 for each in costs) for i in (0, 1, 3))
    moved = [each.moved for each in costs if each.moved is not None]
    return Cost(read, written, sum(moved) if len(moved) == len(costs) else None, operations)


def rows_of(
    launches: Sequence[Launch], batch: int, hidden: int, rates: Rates, times: Times | None = None
) -> list[list[str]]:
    """The head, a row for each kernel, one for all, and one for the least that a step can cost."""
    costs, groups = [cost(launch) for launch in launches], dict[str, list[int]]()
    for i, launch in enumerate(launches):
        groups.setdefault(launch.name, []).append(i)
    head = ["kernel", "launches", "MB read", "MB written", "MB moved", "MFLOP", "floor us"]
    rows = [head + (["us alone", "us in place", "floor's share"] if times else [])]
    for name, at in [*groups.items(), ("all", range(len(launches)))]:
        whole, floor = together([costs[i] for i in at]), sum(rates.us(costs[i]) for i in at)
        rows.append([name, str(len(at)), *_figures(whole), digits(floor)])
        if times:
            alone, in_place = (sum(each[i] for i in at) for each in times)
            share = f"{floor / in_place:.0%}" if in_place > 0 else "-"
            rows[-1] += [digits(alone), digits(in_place), share]
    floor_of_all = least(batch, hidden, sum(each.flops for each in costs))
    last = ["a step at the least", "", *_figures(floor_of_all), digits(rates.us(floor_of_all))]
    return [*rows, last + [""] * (len(rows[0]) - len(last))]


def _figures(each: Cost) -> list[str]:
    millions = (None if figure is None else figure / 1e6 for figure in each)
    return ["" if figure is None else digits(figure) for figure in millions]


def on_paper(batch: int, hidden: int = 1024, rates: Rates | None = None) -> str:
    """The Markdown table of a batch, from counts alone."""
    return table(rows_of(step_on_paper(batch, hidden), batch, hidden, rates or Rates()))


def on_the_card(batch: int, hidden: int, rates: Rates) -> str:
    from bench.gpu_profile import measured

    launches, times = measured(batch, hidden)
    return table(rows_of(launches, batch, hidden, rates, times))


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m bench.gpu_costs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--batch", nargs="+", type=flags.whole(2), default=BATCHES, metavar="N", help="poses [64 1024]"
    )
    parser.add_argument("--hidden", type=flags.whole(2), default=1024, help="width [1024]")
    parser.add_argument("--bandwidth", type=float, default=BANDWIDTH, help=f"GB/s [{BANDWIDTH:g}]")
    parser.add_argument("--tflops", type=float, default=TFLOPS, help=f"TFLOP/s [{TFLOPS:g}]")
    parser.add_argument("--measure", action="store_true", help="time each launch on this machine's card, too")
    args = parser.parse_args(argv)
    if not args.bandwidth > 0 or not args.tflops > 0:
        parser.error("--bandwidth and --tflops must be more than 0")
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    if args.measure and (why := no_gpu()):
        print(f"python -m bench.gpu_costs: {why}", file=sys.stderr)
        return 2
    make, status = on_the_card if args.measure else on_paper, 0
    for batch in args.batch:
        rates = f"{args.bandwidth:g} GB/s and {args.tflops:g} TFLOP/s"
        print(f"\nkernels of a step, batch {batch}, width {args.hidden}; floor at {rates}\n", flush=True)
        try:
            print(make(batch, args.hidden, Rates(args.bandwidth, args.tflops)), flush=True)
        except Exception as problem:  # the next batch may do
            print(f"failed: {type(problem).__name__}: {problem}", flush=True)
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
