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
from minilift.files import one_line

PROGRAM = "minilift info"
DESCRIPTION = """\
Tell what files are: weights, a training checkpoint, poses, a motion clip, a log, a trust file. What was found
in each is listed, and what was left out. No code in a file is ever run. Without FILE: what this machine
computes with; a GPU is tested for some five seconds, and one that fails gives status 1.
"""
EXAMPLES = f"""\
examples:
  {PROGRAM}                       the CPU and the GPU
  {PROGRAM} liftModel             its layers, and what else is in the file
  {PROGRAM} a.pkl b.bvh --json    a list of objects, one for each file
"""


WIDTH = 76  # columns of a list
_ROWS = ("arrays", "not used", "notes")


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _info, argv)


def _info(argv: Sequence[str] | None) -> int:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument("files", nargs="*", metavar="FILE", help="files of any kind")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of text")
    args = parser.parse_args(argv)
    told: list[Mapping[str, Any]] = []
    status = 0
    if not args.files:
        rows, right = machine()
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


def machine() -> tuple[dict[str, Any], bool]:
    """What the CPU and the GPU backends find, and whether the GPU computes as it should.

    One that cannot be used is told with the remedy.
    """
    from minilift.ops import choose_device
    from minilift.ops.threads import blas, team

    held = "held to one thread while ours share the work" if blas().threads else "on its own threads"
    rows = {
        "cpu": f"{platform.processor() or platform.machine()}, {counted(team().size, 'thread')}",
        "NumPy": f"{np.__version__}, its BLAS {held}",
    }
    right = True
    try:
        from minilift.ops.cuda.backend import OR_CPU
        from minilift.ops.cuda.gpu import open_gpu

        gpu = open_gpu(0)
        right, verdict = _tested()
        rows |= {"gpu" if name == "card" else name: text for name, text in gpu.describe().items()}
        rows["self-test"] = verdict
    except ArgumentError as problem:
        rows["gpu"] = problem.problem.removesuffix(OR_CPU)
    device, reason = choose_device()
    rows["auto"] = f"--device auto is {device}: {reason}"
    return rows, right


def _tested() -> tuple[bool, str]:
    """The self-test of the first GPU: whether it passed, and its words."""
    from minilift.lift.fast.self_test import self_test

    try:
        return self_test("gpu")
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
