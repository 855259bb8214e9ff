"""`minilift data plot`: a sheet of poses, one pose in detail, or poses that turn."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from minilift.cli.parser import number
from minilift.errors import InputError
from minilift.poses.poses import Poses, find_scale, load_poses, load_scale

LARGEST_SHEET = 200  # poses; more are too small to see
LONGEST = 600  # poses of a moving picture: half a minute

DESCRIPTION = """\
Draw poses of FILE (needs: pip install 'minilift[plot]'): a sheet of some taken at random. With --row N one
of them in detail, with its camera and, if you have it, its photograph. With --turn a moving picture of --row
N, or of the sequence --row A:B.
"""

EXAMPLES = """\
examples:
  minilift data plot data_train_lift.pkl
  minilift data plot data_train_lift.pkl --row 7 --out pose.png --turn pose.gif
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "plot", help="draw some poses of a file, or one", description=DESCRIPTION, examples=EXAMPLES
    )
    flag, image = parser.add_argument, "with a photograph"
    flag("file", metavar="FILE", help="a .pkl or .npz pose file with joint_3d")
    flag("-n", type=number(int, 1, LARGEST_SHEET), default=20, help="how many poses of a sheet [%(default)s]")
    flag("--seed", type=number(int, 0), default=0, help="another seed takes other poses [%(default)s]")
    flag("--out", help="a .png, .svg or .pdf, replaced [poses.png; none with --turn]")
    flag("--row", metavar="N", help="this pose only; for --turn also A:B, from A to before B")
    flag("--turn", metavar="FILE", help="a .gif, or an .mp4 where there is ffmpeg, replaced")
    flag("--image", metavar="FILE", help="the photograph that --row N was taken from", group=image)
    focal = number(float, 0, 1e6, open_low=True, open_high=True)
    flag("--focal", type=focal, metavar="F", help="focal length of its camera, in pixels", group=image)
    flag(
        "--centre", type=float, nargs=2, metavar=("X", "Y"), group=image,
        help="its principal point, in pixels [the image's middle]",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Draw what the flags ask for. Raises InputError for flags that do not go together."""
    from minilift.show.people.turning import check_turning
    from minilift.show.style import check_picture

    out = args.out or (None if args.turn else "poses.png")
    if (args.image or args.focal or args.centre) and not (args.row and args.focal and out):
        raise InputError("--image, --focal and --centre: need --row N, --focal F and --out; give those, too")
    if out:
        check_picture(out)
    if args.turn:
        check_turning(args.turn)
    poses = load_poses(args.file, need_3d=True)
    rows = _rows(args, len(poses))
    if out and args.row and len(rows) > 1:
        raise InputError(f"--out {out}: shows one pose; give --row N, or only --turn for --row {args.row}")
    if args.turn:
        _turn(poses, rows if args.row else rows[:1], args.turn)
    if out and args.row:
        _detail(args, poses, int(rows[0]), out)
    elif out:
        _sheet(poses, rows, out)
    for path in filter(None, (out, args.turn)):
        print(f"wrote {path}")


def _rows(args: argparse.Namespace, count: int) -> np.ndarray:
    """The rows that are asked for; without --row, some at random."""
    if not args.row:
        return np.random.default_rng(args.seed).permutation(count)[: args.n]
    first, colon, last = args.row.partition(":")
    try:
        start, stop = int(first or 0), int(last or count) if colon else int(first) + 1
    except ValueError:
        raise InputError(f"--row {args.row}: give a number, or A:B for those from A to before B") from None
    if not 0 <= start < stop <= count:
        raise InputError(f"--row {args.row}: {args.file} has rows 0 to {count - 1}; choose among those")
    if stop - start > LONGEST:
        raise InputError(f"--row {args.row}: {stop - start} poses; give at most {LONGEST}")
    return np.arange(start, stop)


def _sheet(poses: Poses, rows: np.ndarray, out: str) -> None:
    from minilift.show.people.sheets import plot_poses

    joint_3d = poses.joint_3d
    assert joint_3d is not None
    plot_poses(joint_3d[rows], out, titles=[f"row {row}" for row in rows])


def _turn(poses: Poses, rows: np.ndarray, out: str) -> None:
    from minilift.show.people.turning import plot_turning

    joint_3d = poses.joint_3d
    assert joint_3d is not None
    plot_turning(joint_3d[rows], out)


def _detail(args: argparse.Namespace, poses: Poses, row: int, out: str) -> None:
    from minilift.show.people.image import Intrinsics, read_image
    from minilift.show.people.scene import plot_pose

    pose, beside = poses.read(np.array([row])), find_scale(args.file)
    image = read_image(args.image) if args.image else None
    camera = None
    if args.focal is not None:
        if image is None and not args.centre:
            raise InputError("--focal: where is the middle? give --centre X Y, or --image FILE")
        middle = args.centre or (image.shape[1] / 2, image.shape[0] / 2)  # type: ignore[union-attr]
        camera = Intrinsics(args.focal, *middle)
    metres = None if beside is None else float(load_scale(beside, len(poses))[row])
    joint_2d, joint_3d = np.asarray(pose.joint_2d)[0], np.asarray(pose.joint_3d)[0]
    plot_pose(joint_2d, joint_3d, out, camera=camera, image=image, metres=metres, title=f"row {row}")
