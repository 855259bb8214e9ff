"""`minilift data synth`: make synthetic poses."""

import argparse
from typing import Any

import numpy as np

from minilift.cli.data.output import HELP, check_outputs, pose_file, save
from minilift.cli.data.twoview import two_view_file, write
from minilift.cli.parser import number
from minilift.errors import InputError
from minilift.files.mapped import Spool, chunks
from minilift.poses.layouts import COURSE15
from minilift.poses.people.shares import EVERYDAY, VARIED
from minilift.poses.people.synth import CHUNK, synthesize
from minilift.poses.poses import Poses, scale_name
from minilift.poses.read.course import files_of

DESCRIPTION = """\
Make plausible people all round a camera: a pose file, and another one with the metres per unit of each pose.
"""

EXAMPLES = """\
examples:
  minilift data synth
  minilift data synth -n 20000 --seed 1 --out people.npz
"""


_MIXTURES = {"everyday": EVERYDAY, "varied": VARIED}


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "synth", help="make synthetic poses", description=DESCRIPTION, examples=EXAMPLES
    )
    flag = parser.add_argument
    flag("-n", type=number(int, 1), default=78047, metavar="N", help="how many poses [%(default)s]")
    flag("--seed", type=number(int, 0), default=0, help="the same seed makes the same poses [%(default)s]")
    flag("--free", type=number(float, 0, 1), default=0.0, help="share that moves freely [%(default)s]")
    flag(
        "--activities", choices=tuple(_MIXTURES), default="everyday",
        help="how common each activity is: as in a day, or floor, exercise and sport as often [%(default)s]",
    )  # fmt: skip
    flag(
        "--share", action="append", default=[], metavar="NAME=X",
        help="the share of an activity, in place of that: 'push-ups and planks=0.3'; again for others",
    )  # fmt: skip
    flag("--views", type=number(int, 1, 2), default=1, help="2: a file of two views each [%(default)s]")
    sigma = number(float, 0, 0.1)
    flag("--noise", type=sigma, default=0.0, metavar="SIGMA", help="Gaussian, on the 2D of two views [none]")
    flag("--out", default="poses.pkl", help=HELP)
    flag("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=run)


def _share(text: str) -> tuple[str, float]:
    """Read NAME=X. Raises InputError."""
    name, _, share = text.rpartition("=")
    try:
        return name, float(share)
    except ValueError:
        raise InputError(f"--share {text}: give NAME=X, such as yoga=0.2") from None


def run(args: argparse.Namespace) -> None:
    if args.noise and args.views == 1:
        raise InputError(f"--noise {args.noise}: is of two views; add --views 2")
    out = two_view_file(args.out, args.force) if args.views == 2 else pose_file(args.out)
    check_outputs([*files_of(out), scale_name(out)], args.force)
    from tqdm import tqdm

    shares = {**_MIXTURES[args.activities], **dict(map(_share, args.share))}
    joint_2d, joint_3d = (Spool(out.parent, (len(COURSE15), dims), out) for dims in (2, 3))
    scale = np.empty(args.n, np.float32)
    with tqdm(total=args.n, unit="poses", desc="making people", delay=1, leave=False) as bar:
        for rows in chunks(args.n, CHUNK):
            made = synthesize(rows.stop - rows.start, args.seed, bar.update, rows.start, args.free, shares)
            joint_2d.append(made.joint_2d)
            joint_3d.append(made.joint_3d)
            scale[rows] = made.scale
    poses = Poses(joint_2d.rows(), joint_3d.rows(), scale)
    if args.views == 2:
        write(out, poses, args.seed, args.noise)
        return
    save(out, poses)
    print(f"next: minilift data split {out}")
