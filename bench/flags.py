"""The command line that the benchmarks share."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from bench import machine

if TYPE_CHECKING:  # bench.memory stays small
    from minilift.lift.settings import TrainSettings

# Settings for a comparison, where no preset is named: no augmentation, which torch's side does not have
PLAIN = ("--epochs", "26", "--lr", "0.002", "--dropout", "0.1", "--flip", "0")

OPTIMISERS = {
    "loop": "eager, Adam as a loop over the parameters (foreach=False, fused=False): the default on a CPU",
    "foreach": "eager, Adam with foreach=True",
    "fused": "eager, Adam with fused=True",
    "compile": "torch.compile of network and loss, Adam with fused=True; needs a C++ compiler",
}


def whole(least: int) -> Callable[[str], int]:
    """An argparse type: a whole number of at least `least`."""

    def parse(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} must be at least {least}")
        return int(text)

    parse.__name__ = "whole number"
    return parse


def _seconds(text: str) -> float:
    if not 0 <= float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be at least 0")
    return float(text)


def parser(
    program: str, text: str, variants: Mapping[str, str], default: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """What every benchmark takes. `variants` are torch's, `default` those that run where none is named."""
    head, _, rest = text.partition("\n\n")
    known = "\n".join(f"  {name:8s} {what}" for name, what in variants.items())
    result = argparse.ArgumentParser(
        f"python -m bench.{program}",
        description=head,
        epilog=f"{rest}\ntorch's variants:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    default = list(default or variants)
    result.add_argument(
        "--torch", nargs="+", choices=list(variants), default=default, metavar="VARIANT",
        help=f"torch's variants to compare with [{' '.join(default)}]",
    )  # fmt: skip
    cores = machine.usable_cores()
    result.add_argument(
        "--threads", type=whole(1), default=cores, help=f"threads of every contender [{cores}]"
    )
    result.add_argument(
        "--coretype", metavar="NAME", help="hold NumPy's OpenBLAS to one kernel, for example Haswell"
    )
    result.add_argument("--json", metavar="FILE", help="append the last line, the JSON, to this file too")
    return result


def add_network(result: argparse.ArgumentParser) -> None:
    result.add_argument("--hidden", type=whole(1), default=1024, help="width of the network [1024]")
    result.add_argument("--blocks", type=whole(0), default=2, help="residual blocks [2]")


def add_rounds(result: argparse.ArgumentParser, rounds: int = 7) -> None:
    result.add_argument("--rounds", type=whole(1), default=rounds, help=f"turns of each contender [{rounds}]")
    result.add_argument(
        "--seconds", type=_seconds, default=0.3, help="how long a turn goes on timing steps [0.3]"
    )
    result.add_argument(
        "--steps", type=whole(1), default=3, help="the fewest steps of a turn, however long they take [3]"
    )


def check(result: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Say before anything is started what would fail later; leave out what this machine cannot run."""
    for package, what in (("threadpoolctl", "threadpoolctl"), ("torch", "torch==2.13.0")):
        if importlib.util.find_spec(package) is None:
            result.error(f"{package} is not installed; install it with: pip install {what}")
    if args.json:
        try:
            open(args.json, "a").close()
        except OSError as problem:
            result.error(f"--json {args.json}: {problem.strerror}")
    args.torch = list(dict.fromkeys(args.torch))
    if "compile" in args.torch and not _compiler():
        args.torch = [variant for variant in args.torch if variant != "compile"]
        print("torch compile is skipped: no C++ compiler here ($CXX, c++, g++ or clang++)")
    if not args.torch:
        result.error("no variant of torch is left to compare with")


def recipe(argv: Sequence[str]) -> list[str]:
    """Flags of train.py for a comparison with torch: settings that both know, unless a preset is named."""
    named = any(flag == "--preset" or flag.startswith("--preset=") for flag in argv)
    return list(argv) if named else [*PLAIN, *argv]


def unknown_to_torch(config: TrainSettings) -> str:
    """What of train.py's settings bench/torch_train.py does not know; empty if it knows all."""
    if (config.optimiser, config.loss, config.init) != ("adam", "mpjpe", "uniform"):
        return "this comparison knows --optimiser adam, --loss mpjpe and --init uniform"
    changed = [
        name
        for name in ("flip", "noise", "yaw", "tilt", "distance", "body", "mix", "clip")
        if getattr(config, name)
    ]
    if changed or config.head != "xyz":
        return (
            f"--{changed[0] if changed else 'head'}: this comparison knows no augmentation and no other head"
        )
    if config.scheduler not in ("onecycle", "step"):
        return f"--scheduler {config.scheduler}: this comparison knows onecycle and step"
    return ""


def _compiler() -> str | None:
    named = shlex.split(os.environ.get("CXX", ""))[:1]
    return next((path for name in (*named, "c++", "g++", "clang++") if (path := shutil.which(name))), None)


def run(program: Callable[[], None]) -> None:
    try:
        program()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None
