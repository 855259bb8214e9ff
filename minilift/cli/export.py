"""`minilift export`: a lifter as an ONNX file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from minilift import extras
from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.files import check_writable, file_error, read_bytes, write_atomically
from minilift.lift.lifter import Lifter
from minilift.lift.onnx import PURPOSE, difference, to_onnx
from minilift.lift.weights.starting import STARTING, USUAL, weights_file, weights_here

PROGRAM = "minilift export"
DESCRIPTION = """\
Write a lifter as ONNX, for programs without Python: the whole network in one
graph, from joint_2d (batch, 15, 2) to joint_3d (batch, 15, 3), for any batch;
weights trained with --noise-to take sigma (batch, 15), too.

The weights' change of units and batch norm are in it. Names of the joints,
axes and units are in the metadata. Needs the library onnx: pip install
'minilift[onnx]'. Where onnxruntime is installed as well, the file is run, and
compared with the lifter, before it is kept.
"""
EXAMPLES = """\
examples:
  minilift export model.onnx
  minilift export model.onnx --weights starting
  minilift export model.onnx --weights runs/liftModel --licence LICENCE.txt
"""
LARGEST_LICENCE = 1 << 20  # bytes
CLOSE = 1e-4
"""Of the unit; a file that is further off is not kept. 32-bit sums in another order are 1e-6 off."""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _export, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument("out", metavar="OUT", help="the file to write, its name ending in .onnx")
    parser.add_argument("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    parser.add_argument("--licence", metavar="FILE", help="text that goes with the weights into the file")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    return parser


def _export(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    out, chosen = Path(args.out), not args.weights
    args.weights = args.weights or weights_here()
    _check_out(args, out)
    extras.require("onnx", PURPOSE)
    lifter = Lifter.load(args.weights)
    if chosen and args.weights == STARTING:
        print(f"weights: the starting ones (there is no {USUAL} here)")
    if lifter.note:
        print(f"note: {args.weights}: {lifter.note}", file=sys.stderr)
    licence = _text(args.licence) if args.licence else ""
    try:
        content = to_onnx(lifter.model, licence)
    except InputError as problem:
        raise file_error(args.weights, str(problem)) from None
    told = _checked(args, content, lifter)
    write_atomically(out, lambda file: file.write(content))
    more = " and sigma (batch, 15)" if lifter.takes_noise else ""
    size = f"{len(content) / 1e6:.1f} MB"
    print(f"wrote {out}, {size}: joint_2d (batch, 15, 2){more} to joint_3d (batch, 15, 3)")
    print(told)
    return 0


def _checked(args: argparse.Namespace, content: bytes, lifter: Lifter) -> str:
    """The line on the check. Raises InputError where the file answers otherwise than the lifter."""
    if not extras.installed("onnxruntime"):
        return "not checked: onnxruntime is not installed"
    off = difference(content, lifter.model)
    if not off <= CLOSE:
        problem = f"onnxruntime's answer is {off:g} off, so the file was not kept; use another onnxruntime"
        raise file_error(args.out, problem)
    return f"onnxruntime gives the same joints; the largest difference is {off:.1e} of the unit"


def _check_out(args: argparse.Namespace, out: Path) -> None:
    """Refuse a name that cannot be written before anything is read."""
    if out.suffix.lower() != ".onnx":
        raise InputError(f"OUT {args.out}: the name must end in .onnx")
    read = [name for name in (weights_file(args.weights), args.licence) if name]
    if out.resolve() in [Path(name).resolve() for name in read]:
        raise InputError(f"OUT {args.out}: would overwrite what is read; choose another name")
    if out.is_dir():
        raise file_error(out, "a folder, where a file is to be written; choose another name")
    if out.exists() and not args.force:
        raise file_error(out, "exists already; choose another name, or --force to replace it")
    check_writable(out.parent, out)


def _text(path: str) -> str:
    content = read_bytes(path, first=LARGEST_LICENCE + 1)
    if len(content) > LARGEST_LICENCE:
        raise file_error(path, f"larger than {LARGEST_LICENCE:,} bytes; give the text of a licence")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise file_error(path, "no text in UTF-8; give the text of a licence") from None
