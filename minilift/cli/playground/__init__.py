"""`minilift playground`: the network in a page, to play with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.files import check_writable, file_error
from minilift.lift.lifter import Lifter
from minilift.lift.weights.starting import STARTING, weights_file
from minilift.show.playground.page import write_playground

PROGRAM = "minilift playground"
DESCRIPTION = """\
Write a page in which you move 2D joints with mouse, finger or keys and see the network's 3D answer follow,
with the error to expect of every joint, and whether the pose is unlike what the network learnt.

It is one file that loads nothing: the network is in it, and runs in the browser. It shows how the answer
moves with each joint, which bones could as well point the other way, and who looks alike. With the starting
weights it has 11.9 MB; those of --weights add theirs, 2.7 bytes a parameter. Their trust files are taken
along, in which some of the poses that they were trained on can be recognised. docs/playground.md explains
the page.
"""
EXAMPLES = """\
examples:
  minilift playground
  minilift playground -o page.html --weights liftModel runs/wide/liftModel
  minilift playground -o small.html --weights liftModel --only
"""
ENDINGS = (".html", ".htm")


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _playground, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    default = "playground.html"
    parser.add_argument("-o", "--out", metavar="PAGE", default=default, help=f"the page [{default}]")
    parser.add_argument(
        "--weights", nargs="+", metavar="FILE", default=[], help="trained weights, to choose from in the page"
    )
    parser.add_argument("--only", action="store_true", help="these alone, without the starting weights")
    parser.add_argument("--force", action="store_true", help="replace PAGE if it exists")
    return parser


def _playground(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    out, names = Path(args.out), list(dict.fromkeys(args.weights))
    if args.only and not names:
        raise InputError("--only: there are no --weights to show; name some")
    if not args.only:
        names = [STARTING, *(name for name in names if name != STARTING)]
    _check_out(out, names, args.force)
    lifters = [Lifter.load(name) for name in names]
    for name, lifter in zip(names, lifters, strict=True):
        if lifter.note:
            print(f"note: {name}: {lifter.note}", file=sys.stderr)
        if why := _without_trust(lifter):
            print(f"note: the page shows no expected error of {name}: {why}", file=sys.stderr)
    size = write_playground(out, lifters)
    print(f"wrote {out}, {size / 1e6:.1f} MB; open it in a browser")
    return 0


def _without_trust(lifter: Lifter) -> str:
    """Why nothing says how far off these weights are; empty where something does."""
    try:
        return "" if lifter.trust_model else "there is none"
    except InputError as problem:
        return str(problem)


def _check_out(out: Path, names: Sequence[str], force: bool) -> None:
    """Refuse a name that cannot be written before anything is read."""
    if out.suffix.lower() not in ENDINGS:
        raise InputError(f"--out {out}: the name must end in {' or '.join(ENDINGS)}")
    if out.resolve() in [Path(weights_file(name)).resolve() for name in names]:
        raise InputError(f"--out {out}: would overwrite what is read; choose another name")
    if out.is_dir():
        raise file_error(out, "a folder, where a file is to be written; choose another name")
    if out.exists() and not force:
        raise file_error(out, "exists already; choose another name, or --force to replace it")
    check_writable(out.parent, out)
