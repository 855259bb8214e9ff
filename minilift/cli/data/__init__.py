"""`minilift data`: make, split, describe and draw pose files. One file here for each of its commands."""

from collections.abc import Sequence

from minilift.cli.data import clips, info, plot, split, starting, synth, twoview
from minilift.cli.parser import Parser
from minilift.errors import run_program

PROGRAM = "minilift data"

DESCRIPTION = "Make, split, describe and draw files of 2D and 3D human poses."

EXAMPLES = """\
examples, to begin without data:
  minilift data synth
  minilift data split poses.pkl
  minilift train
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers()
    for command in (synth, clips, twoview, starting, split, info, plot):
        command.add(commands)
    args = parser.parse_args(argv)
    args.run(args)
    return 0
