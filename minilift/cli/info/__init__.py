"""`minilift info`: what files are, what was found in them and what was left out; or this machine."""

from __future__ import annotations

import json
import math
import platform
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minilift.cli.parser import Parser
from minilift.errors import ArgumentError, InputError, counted, run_program
from minilift.extras import installed
from minilift.files import one_line

PROGRAM = "minilift info"
DESCRIPTION = """\
Tell what files are: weights, a training checkpoint, poses, a motion clip, a photo or video, a log, a trust
file. What was found in each is listed, and what was left out. No code in a file is ever run. Without FILE:
what this machine computes with; a GPU is tested for some five seconds, and one that fails gives status 1.
"""
EXAMPLES = f"""\
examples:
  {PROGRAM}                       the CPU and the GPU
  {PROGRAM} --device gpu:1        the CPU and the second GPU
  {PROGRAM} liftModel             its layers, and what else is in the file
  {PROGRAM} a.pkl b.bvh --json    a list of objects, one for each file
"""


WIDTH = 76  # columns of a list
_ROWS = ("arrays", "not used", "notes", "products")


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _info, argv)


def _info(argv: Sequence[str] | None) -> int:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument("files", nargs="*", metavar="FILE", help="files of any kind")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of text")
    what = "without FILE: the card to test, gpu or gpu:1 [the first that opens]"
    parser.add_argument("--device", default="auto", help=what)
    args = parser.parse_args(argv)
    told: list[Mapping[str, Any]] = []
    status = 0
    if args.files and args.device != "auto":
        raise ArgumentError(
            "device", args.device, "tells of this machine, not of files; leave one of both out"
        )
    if not args.files:
        rows, right = machine(args.device)
        told, status = [rows], int(not right)
    for path in args.files:
        from minilift.cli.info.files import describe_file

        try:
            told.append({"file": path, **describe_file(path)})
        except InputError as problem:  # the other files are told all the same
            print(f"{PROGRAM}: error: {problem}", file=sys.stderr)
            status = 2
    if args.json:
        print(json.dumps(_finite(told), indent=2))
    else:
        print("\n\n".join(map(as_text, told)), end="\n" if told else "")
    return status


def _finite(value: Any) -> Any:
    """Facts as JSON can say them, which knows no NaN and no infinity."""
    if isinstance(value, Mapping):
        return {str(name): _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def machine(device: str = "auto") -> tuple[dict[str, Any], bool]:
    """What the CPU and the GPU backends find, and whether the GPU computes as it should.

    Of several cards the one that `device` names is told, or for "auto" the first that can be used. One that
    cannot is told with the remedy; where it was named, InputError says so.
    """
    from minilift.ops import choose_device, get_ops
    from minilift.ops.cuda.backend import OR_CPU
    from minilift.ops.threads import blas, team

    held = "held to one thread while ours share the work" if blas().threads else "on its own threads"
    rows = {
        "cpu": f"{platform.processor() or platform.machine()}, {counted(team().size, 'thread')}",
        "NumPy": f"{np.__version__}, its BLAS {held}",
        "products": _products(),
    }
    right, automatic = True, choose_device()
    chosen = device
    if device == "auto":  # the first card where none can be used: to say why
        chosen = automatic[0].replace("cpu", "gpu")
    try:
        ops: Any = get_ops(chosen)
        if chosen != "cpu":
            right, verdict = _tested(chosen)
            told = ops.gpu.describe()
            rows |= {"gpu" if name == "card" else name: text for name, text in told.items()}
            rows["self-test"] = verdict
    except ArgumentError as problem:
        if device != "auto":
            raise
        rows["gpu"] = problem.problem.removesuffix(OR_CPU)
    if others := _others(chosen):
        rows["others"] = f"{', '.join(others)}; {PROGRAM} --device {others[0]} tests it"
    rows["auto"] = "--device auto is {}: {}".format(*automatic)
    return rows, right


def _products() -> list[str]:
    """Which library multiplies on the CPU, and why: for the usual network, at two sizes of a batch."""
    from minilift.lift.settings import TrainSettings
    from minilift.ops.blas.bundled import blas
    from minilift.ops.blas.choose import LIBRARIES, choose
    from minilift.ops.numpy_ops import NumpyOps

    found = [choose(NumpyOps(), rows, TrainSettings.hidden) for rows in (64, TrainSettings.batch_size)]
    kernel = f" (kernel {blas().kernel})" if blas().kernel else ""
    words = {"openblas": f"OpenBLAS{kernel}" if blas().threads else "NumPy's BLAS"}
    return [f"{words.get(one.library, LIBRARIES[one.library])}: {one.why}" for one in dict.fromkeys(found)]


def _others(chosen: str) -> list[str]:
    """The other cards that the driver has, where CuPy could use them."""
    from minilift.ops.cuda.driver import devices

    if not installed("cupy"):
        return []
    return [name for i in range(devices().cards) if (name := f"gpu:{i}" if i else "gpu") != chosen]


def _tested(device: str) -> tuple[bool, str]:
    """The self-test of a GPU: whether it passed, and its words."""
    from minilift.lift.fast.self_test import self_test

    try:
        return self_test(device)
    except InputError as problem:  # it opens, and then has no compiler, say, or no memory
        return False, f"FAILED: {problem}"


def as_text(facts: Mapping[str, Any]) -> str:
    """Facts as rows; the file and its kind are the heading, and a text of several lines stands below."""
    rows = {name: value for name, value in facts.items() if name not in ("file", "kind", "text")}
    width = max(map(len, rows), default=0)
    lines, indent = [], ""
    if "file" in facts:
        lines, indent = [f"{one_line(facts['file'])}: {facts['kind']}"], "  "
    for name, value in rows.items():
        for i, line in enumerate(_lines(name, value)):
            lines.append(f"{indent}{'' if i else name:{width}}  {line}")
    if "text" in facts:
        lines += ["", facts["text"]]
    return "\n".join(lines)


def _lines(name: str, value: Any) -> list[str]:
    """A value in lines: lists of _ROWS one part a line, others one after the other."""
    if isinstance(value, Mapping):
        value = [f"{key} {_words(part)}" for key, part in value.items()]
    if not isinstance(value, (list, tuple)):
        return [_words(value)]
    parts = [_words(part) for part in value] or ["none"]
    return parts if name in _ROWS else textwrap.wrap(", ".join(parts), WIDTH, break_long_words=False)


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "unknown"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else one_line(str(value))
