"""Training steps a second of minilift and of torch on a CUDA GPU, side by side.

Both train the network of bench.step (1024 wide, 2 blocks, dropout 0.1) with MPJPE and Adam, in one process
and one context of the card. All contenders of a batch and a precision are made and warmed up; then they take
turns, A B C A B C. A turn runs as many steps as take --seconds and waits for the device. The tables have the
median of the turns and, in brackets, the lowest and the highest.

torch has x and y on the device, the same in every step, which favours it. minilift does all that an epoch
does: it gathers each batch from 62,437 random poses on the device, in shuffled order, counts dropout's masks
and adds up the loss. "minilift" takes the way that minilift chooses, "rows" and "columns" are those that it
has, and "launches" does without a CUDA graph.

Before that, a few steps are compared with NumPy's in float64. The floor is the larger of two times: the
step's operations at the best rate of a product, and its bytes at the bandwidth of a copy, both measured here
(bench/gpu_floor.py). An epoch, from the file to the last loss, and the time of each kernel are given too.

torch.compile takes up to a minute for each batch, so --minutes is kept: batches of 32 and 64 in fp32 come
first, with all contenders; later on, compiling is skipped where it would take the others' time. What fails is
told and does not stop the rest. The last line is all of it as JSON. The exit status is 1 if anything failed.

examples:
  python -m bench.gpu                  what 8 minutes give
  python -m bench.gpu --batches 32 --precision fp32 --torch graph
  python -m bench.gpu --tiny           a few steps of a small network, for a memory checker
  python -m bench.gpu --rehearse       without a GPU: what needs one fails, torch's eager variants can run
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bench import flags, gpu_report, machine
from bench.gpu_plan import Budget
from bench.gpu_run import Process, Run

VARIANTS = {
    "eager": "as most people write it: Adam's default, launch after launch",
    "fused": "eager, Adam with fused=True",
    "compile": 'torch.compile(mode="reduce-overhead") of network and loss, Adam with fused=True',
    "graph": "the whole step as one CUDA graph, Adam with fused=True and capturable=True",
    "compile-graph": "network and loss compiled, and the whole step as one CUDA graph",
}
BATCHES = [32, 64, 256, 1024, 4096]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = flags.parser("gpu", __doc__ or "", VARIANTS)
    parser.add_argument(
        "--batches", nargs="+", type=flags.whole(2), default=BATCHES, metavar="N",
        help=f"rows of a batch [{' '.join(map(str, BATCHES))}]",
    )  # fmt: skip
    parser.add_argument(
        "--precision", nargs="+", choices=["fp32", "tf32"], default=["fp32", "tf32"], metavar="P",
        help="of the products: fp32, tf32 or both [both]",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=8.0, help="how long it may take [8]")
    parser.add_argument("--rounds", type=flags.whole(1), default=7, help="turns of each contender [7]")
    parser.add_argument("--seconds", type=float, default=0.06, help="how long a turn is [0.06]")
    parser.add_argument("--note", default="", help="some words to keep in the JSON")
    parser.add_argument("--tiny", action="store_true", help="only a few steps of a small network")
    parser.add_argument("--rehearse", action="store_true", help="go through it without a GPU")
    args = parser.parse_args(argv)
    if not args.minutes > 0 or not args.seconds > 0:
        parser.error("--minutes and --seconds must be more than 0")
    for name in ("torch", "batches", "precision"):
        setattr(args, name, list(dict.fromkeys(getattr(args, name))))
    return args


def no_gpu() -> str:
    """Why there is nothing to measure here; empty where there is."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed; it comes with: python -m pip install '.[gpu]'"
    try:
        import cupy

        found = cupy.cuda.is_available()
    except Exception as problem:
        return " ".join(f"CuPy cannot be used here: {problem}".split())
    return "" if found else "CuPy finds no CUDA GPU here"


class Kept:
    """The last line of a file, written anew after every part, so that nothing is lost with the program."""

    def __init__(self, name: str | None) -> None:
        self.path, self.start = Path(name) if name else None, 0
        if self.path is not None:
            self.path.open("a").close()
            self.start = self.path.stat().st_size

    def __call__(self, line: str) -> None:
        if self.path is not None:
            with self.path.open("r+") as file:
                file.seek(self.start)
                file.truncate()
                print(line, file=file)


def short(found: Any) -> Any:
    """The same with 5 digits to a number: nobody measures more."""
    if isinstance(found, dict):
        return {name: short(value) for name, value in found.items()}
    if isinstance(found, list):
        return [short(value) for value in found]
    return float(f"{found:.5g}") if isinstance(found, float) else found


def tiny() -> int:
    """In this process, where a memory checker sees it; without torch."""
    from bench import gpu_ours

    results = gpu_ours.tiny()
    print(gpu_report.correct_lines(results))
    return 0 if all(each["right"] for each in results) else 1


def main(argv: list[str] | None = None, began: float | None = None) -> int:
    began = time.monotonic() if began is None else began
    args = arguments(argv)
    if not args.rehearse and (why := no_gpu()):
        print(f"python -m bench.gpu: {why}", file=sys.stderr)
        return 2
    if args.tiny:
        return tiny()
    try:
        keep = Kept(args.json)
    except OSError as problem:
        print(f"python -m bench.gpu: --json {args.json}: {problem.strerror}", file=sys.stderr)
        return 2
    if importlib.util.find_spec("torch") is None:
        print("torch is not installed: minilift alone")
        args.torch = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit: say what there is
    settings = {name: value for name, value in vars(args).items() if name != "json"}
    header = machine.describe() | {"card": gpu_report.card(), "gpu_process": {}}
    whole: dict[str, Any] = {"benchmark": "gpu", "header": header, "settings": settings}

    def line() -> str:
        return json.dumps(short(whole | {"results": run.results}))

    budget = Budget(60 * args.minutes, began)
    run = Run(args, lambda limit: Process(args, limit), budget, after_part=lambda: keep(line()))
    status = 0
    try:
        header["gpu_process"] = run.part("about", 60)
        print(gpu_report.header_lines(header), end="\n\n", flush=True)
        run.everything()
    except KeyboardInterrupt:
        run.failed("the run", "stopped from outside")
        status = 130
    finally:
        run.close()
    keep(line())
    print(f"\n{gpu_report.tables(run.results)}\n\n{line()}")
    return status or int(bool(run.results["failures"]))


if __name__ == "__main__":
    raise SystemExit(main())
