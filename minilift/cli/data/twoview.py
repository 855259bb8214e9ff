"""`minilift data twoview`: show the people of a pose file, or of clips, to a second camera."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli.data.clip_files import clip_files
from minilift.cli.data.output import check_outputs
from minilift.cli.parser import number
from minilift.errors import counted
from minilift.files import file_error
from minilift.files.mapped import Spool, chunks
from minilift.poses.clips.cameras import import_clips
from minilift.poses.clips.frames import Choices
from minilift.poses.poses import Poses, load_poses
from minilift.poses.read.detect import detect
from minilift.poses.read.formats import CLIP
from minilift.poses.views import TwoViews, save_two_views, second_view
from minilift.poses.views.make import draw_apart
from minilift.poses.views.write import SUFFIXES

DESCRIPTION = """\
Make a file of two views, to train without 3D, of poses whose 3D is known or of motion-capture clips. The
second camera stands 40 to 140 degrees further round, to either side. docs/weak.md says more.
"""

EXAMPLES = """\
examples:
  minilift data twoview data_train_lift.pkl -o two_train.npz
  minilift data twoview walks/ -o two.npz --noise 0.003 --seed 1
"""

ELEVATION = 7.5
"""Degrees: the mean of what cameras look down by that `minilift data synth` and `clips` make."""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "twoview", help="make a file of two views", description=DESCRIPTION, examples=EXAMPLES
    )
    flag = parser.add_argument
    flag("file", metavar="FILE", help="poses with joint_3d, a clip, or a folder of clips")
    flag("-o", "--out", required=True, help="a .npz or .pkl file")
    flag("--force", action="store_true", help="replace files that exist")
    sigma = number(float, 0, 0.1)
    flag("--noise", type=sigma, default=0.0, metavar="SIGMA", help="Gaussian noise on both images [none]")
    flag(
        "--elevation", type=number(float, -60, 60), default=ELEVATION, metavar="DEG",
        help="degrees by which the cameras of FILE look down, on average; of both cameras here [%(default)g]",
    )  # fmt: skip
    flag("--seed", type=number(int, 0), default=0, help="another seed, other cameras [%(default)s]")
    parser.set_defaults(run=run)


def _poses(args: argparse.Namespace, out: Path) -> Poses:
    """The people of FILE before one camera each."""
    path = Path(args.file)
    known = detect(path) if path.is_file() else None
    if not path.is_dir() and (known is None or known.gives != CLIP):
        return load_poses(path, need_3d=True)
    files, _ = clip_files([path])
    return import_clips(files, Choices(views=1, seed=args.seed), out, lambda clip: None)[0]


def two_view_file(name: str, force: bool) -> Path:
    """The file that --out names. Raises InputError for another kind, and where it exists already."""
    out = Path(name)
    if out.suffix.lower() not in SUFFIXES:
        raise file_error(out, f"a file of two views is named {' or '.join(SUFFIXES)}; choose such a name")
    check_outputs([out], force)
    return out


def run(args: argparse.Namespace) -> None:
    out = two_view_file(args.out, args.force)
    write(out, _poses(args, out), args.seed, args.noise, args.elevation)


def write(out: Path, poses: Poses, seed: int, noise: float, elevation: float = ELEVATION) -> None:
    """Show poses with joint_3d to a second camera, and write both views."""
    joint_3d, row = poses.joint_3d, poses.joint_2d.shape[1:]
    assert joint_3d is not None
    first, second = (Spool(out.parent, row, out) for _ in range(2))
    rotation, translation = (np.empty((len(poses), *shape), np.float32) for shape in ((3, 3), (3,)))
    for rows in chunks(len(poses)):
        count = rows.stop - rows.start
        rng = np.random.default_rng([seed, rows.start])
        level = np.full(count, np.radians(elevation))
        view = second_view(joint_3d[rows], draw_apart(rng, count), level, level, np.ones(count))
        for spool, image in ((first, poses.joint_2d[rows]), (second, view.joint_2d)):
            spool.append(image + noise * rng.standard_normal(image.shape))
        rotation[rows], translation[rows] = view.rotation, view.translation
    save_two_views(out, TwoViews(first.rows(), second.rows(), rotation, translation, joint_3d))
    print(f"wrote {counted(len(poses), 'pose')} in two views to {out}")
