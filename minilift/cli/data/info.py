"""`minilift data info`: what a file of poses or a clip holds, and whether it keeps the conventions."""

from typing import Any

from minilift.poses.info import describe

DESCRIPTION = """\
Show what FILE holds. Of poses: sizes, ranges, bone lengths, and whether the 2D points fit the 3D points. Of a
motion-capture clip: frames, rate, joints, unit and bone lengths, and what was estimated or left out.
"""

EXAMPLES = """\
examples:
  minilift data info data_test_lift.pkl
  minilift data info 16_01.amc
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "info",
        help="describe a file and check its conventions",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE", help="poses (.pkl, .npz, .npy) or a clip (.bvh, .amc)")
    parser.set_defaults(run=lambda args: print(describe(args.file)))
