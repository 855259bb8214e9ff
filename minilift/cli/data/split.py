"""`minilift data split`: deal one pose file into train and test."""

import argparse
from pathlib import Path
from typing import Any

from minilift.cli.data.output import check_outputs, save
from minilift.cli.parser import number
from minilift.files import file_error
from minilift.poses.poses import find_scale, load_poses, scale_name, split_poses
from minilift.poses.read.course import files_of

TRAIN, TEST = "data_train_lift.pkl", "data_test_lift.pkl"

DESCRIPTION = f"""\
Deal the poses of FILE at random into {TRAIN} and {TEST} (.npz where FILE is large). The scale
file of FILE is split too.
"""

EXAMPLES = """\
examples:
  minilift data split poses.pkl
  minilift data split poses.pkl --fraction 0.9 --out data
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "split", help="split one file into train and test", description=DESCRIPTION, examples=EXAMPLES
    )
    flag = parser.add_argument
    flag("file", metavar="FILE", help="a .pkl or .npz pose file, or one of a pair of .npy")
    share = number(float, 0, 1, open_low=True, open_high=True)
    flag("--fraction", type=share, default=0.8, help="share of the training part [%(default)s]")
    flag("--seed", type=number(int, 0), default=0, help="the same seed gives the same split [%(default)s]")
    flag("--out", default=".", metavar="DIR", help="folder to write to [the working directory]")
    flag("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    poses = load_poses(args.file, scale=find_scale(args.file))
    parts = split_poses(poses, args.fraction, args.seed)
    suffix = ".npz" if poses.mapped else Path(TRAIN).suffix
    paths = [(Path(args.out) / name).with_suffix(suffix) for name in (TRAIN, TEST)]
    taken = [path.resolve() for path in (*files_of(args.file), scale_name(args.file))]
    for path in (*paths, *map(scale_name, paths)):
        if path.resolve() in taken:
            raise file_error(path, "is what is being split; choose another folder with --out")
    check_outputs([*paths, *map(scale_name, paths)], args.force)
    if poses.ignored:
        print(f"left out, not part of a pose file: {', '.join(poses.ignored)}")
    for path, part in zip(paths, parts, strict=True):
        save(path, part)
    if poses.joint_3d is None:
        print("these poses have no joint_3d: they can be predicted, not trained on")
    else:
        flags = f" --data {paths[0].name} --test {paths[1].name}" if poses.mapped else ""
        print(f"next: minilift train{flags}" + ("" if args.out == "." else f" in {args.out}"))
