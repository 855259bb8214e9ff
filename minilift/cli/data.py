"""`minilift data`: make, split, describe and draw pose files."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli import data_plot as draw
from minilift.cli.data_clips import Report, add_flags, bvh_files, choices_of, clips_name
from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.files import check_writable, file_error, write_atomically
from minilift.files.mapped import Spool, chunks
from minilift.poses.clips import ClipPoses, import_clips
from minilift.poses.info import describe
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import CHUNK, synthesize
from minilift.poses.poses import (
    Poses,
    find_scale,
    load_poses,
    save_poses,
    save_scale,
    scale_name,
    split_poses,
)
from minilift.poses.read.course import files_of

PROGRAM = "minilift data"
SUFFIXES = (".pkl", ".pickle", ".npz", ".npy")
TRAIN, TEST = "data_train_lift.pkl", "data_test_lift.pkl"


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    args.run(args)
    return 0


def _parser() -> Parser:
    parser = Parser(
        PROGRAM,
        "Make, split, describe and draw files of 2D and 3D human poses.",
        f"To begin without data:\n  {PROGRAM} synth\n  {PROGRAM} split poses.pkl\n  minilift train",
    )
    commands = parser.add_subparsers()

    synth = _command(
        commands,
        "synth",
        "make synthetic poses",
        "Make plausible people all round a camera: a pose file, and beside it each pose's metres per unit.",
        "synth -n 20000 --seed 1 --out people.npz",
    )
    synth.add_argument("-n", type=int, default=78047, help="how many poses [%(default)s]")
    synth.add_argument("--seed", type=int, default=0, help="the same seed makes the same poses [%(default)s]")
    synth.add_argument(
        "--free",
        type=float,
        default=0.0,
        help="share of them that move freely [%(default)s]",
    )
    synth.add_argument(
        "--out",
        default="poses.pkl",
        help="a .pkl or .npz file, NAME.npy for NAME_2d.npy and NAME_3d.npy, or a folder [%(default)s]",
    )
    synth.set_defaults(run=_synth)

    bvh = _command(
        commands,
        "bvh",
        "make poses of motion-capture clips",
        "Show the people of motion-capture clips (BVH files) to made-up cameras: a pose file, and beside it "
        "each pose's metres per unit. docs/bvh.md says more.",
        "bvh walks/ kick.bvh --out people.npz --views 8 --every 2 --min-move 0.03",
    )
    add_flags(bvh)
    bvh.add_argument("--out", default="poses.pkl", help="as of synth [%(default)s]")
    bvh.set_defaults(run=_bvh)

    split = _command(
        commands,
        "split",
        "split one file into train and test",
        f"Deal the poses of FILE at random into {TRAIN} and {TEST} (.npz where FILE is large); "
        "a scale file beside FILE is split too.",
        "split poses.pkl --fraction 0.9 --out data",
    )
    split.add_argument("file", metavar="FILE", help="a .pkl or .npz pose file, or one of a pair of .npy")
    split.add_argument("--fraction", type=float, default=0.8, help="share of the training part [%(default)s]")
    split.add_argument("--seed", type=int, default=0, help="the same seed gives the same split [%(default)s]")
    split.add_argument("--out", default=".", metavar="DIR", help="folder to write to [the working directory]")
    split.set_defaults(run=_split)

    info = _command(
        commands,
        "info",
        "describe a file and check its conventions",
        "Show what FILE holds: sizes, ranges, bone lengths, and whether the 2D points fit the 3D points.",
        "info data_test_lift.pkl",
    )
    info.add_argument("file", metavar="FILE", help="a .pkl or .npz pose file, or one of a pair of .npy")
    info.set_defaults(run=lambda args: print(describe(args.file)))

    plot = _command(
        commands, "plot", "draw some poses of a file, or one of them", draw.DESCRIPTION, draw.EXAMPLE
    )  # fmt: skip
    draw.add_arguments(plot)
    plot.set_defaults(run=draw.run)

    for command in (synth, bvh, split):
        command.add_argument("--force", action="store_true", help="replace files that exist")
    return parser


def _command(
    commands: Any,
    name: str,
    short: str,
    long: str,
    example: str,
) -> Parser:
    parser: Parser = commands.add_parser(
        name, help=short, description=long, examples=f"Example:  {PROGRAM} {example}"
    )
    return parser


def _out(name: str) -> Path:
    out = Path(name)
    if out.is_dir() or not out.suffix:
        out = out / "poses.pkl"
    if out.suffix.lower() not in SUFFIXES:
        raise file_error(out, f"a pose file is named {' or '.join(SUFFIXES)}; choose such a name")
    return out


def _bvh(args: argparse.Namespace) -> None:
    out, choices, files = _out(args.out), choices_of(args), bvh_files(args.files)
    numbers = clips_name(out)
    _check_outputs([*files_of(out), scale_name(out), numbers], args.force)
    from tqdm import tqdm

    report = Report(choices)
    with tqdm(total=len(files), unit="clips", desc="reading", delay=1, leave=False, disable=None) as bar:

        def done(clip: ClipPoses) -> None:
            report.add(clip)
            bar.update()

        poses, clips = import_clips(files, choices, out.parent, done)
    print(report.text())
    _save(out, poses)
    if choices.camera == "frame":
        numbers.unlink(missing_ok=True)  # of other poses, which --force has replaced
        print(f"next: {PROGRAM} info {out}")
        return
    write_atomically(numbers, lambda file: np.save(file, clips, allow_pickle=False))
    print(f"wrote the number of each pose's clip and view to {numbers}")
    print(f"next: python eval.py --data {out} --clips {numbers} --fps {report.fps}")


def _synth(args: argparse.Namespace) -> None:
    out = _out(args.out)
    if args.n < 1:
        raise InputError(f"-n {args.n}: at least one pose is needed; give a positive number")
    _check_outputs([*files_of(out), scale_name(out)], args.force)
    from tqdm import tqdm

    joint_2d, joint_3d = (Spool(out.parent, (len(COURSE15), dims)) for dims in (2, 3))
    scale = np.empty(args.n, np.float32)
    with tqdm(total=args.n, unit="poses", desc="making people", delay=1, leave=False) as bar:
        for rows in chunks(args.n, CHUNK):
            made = synthesize(rows.stop - rows.start, args.seed, bar.update, rows.start, args.free)
            joint_2d.append(made.joint_2d)
            joint_3d.append(made.joint_3d)
            scale[rows] = made.scale
    _save(out, Poses(joint_2d.rows(), joint_3d.rows(), scale))
    print(f"next: {PROGRAM} split {out}")


def _split(args: argparse.Namespace) -> None:
    poses = load_poses(args.file, scale=find_scale(args.file))
    parts = split_poses(poses, args.fraction, args.seed)
    suffix = ".npz" if poses.mapped else Path(TRAIN).suffix
    paths = [(Path(args.out) / name).with_suffix(suffix) for name in (TRAIN, TEST)]
    taken = [path.resolve() for path in (*files_of(args.file), scale_name(args.file))]
    for path in (*paths, *map(scale_name, paths)):
        if path.resolve() in taken:
            raise file_error(path, "is what is being split; choose another folder with --out")
    _check_outputs([*paths, *map(scale_name, paths)], args.force)
    if poses.ignored:
        print(f"left out, not part of a pose file: {', '.join(poses.ignored)}")
    for path, part in zip(paths, parts, strict=True):
        _save(path, part)
    if poses.joint_3d is None:
        print("these poses have no joint_3d: they can be predicted, not trained on")
    else:
        flags = f" --data {paths[0].name} --test {paths[1].name}" if poses.mapped else ""
        print(f"next: python train.py{flags}" + ("" if args.out == "." else f" in {args.out}"))


def _check_outputs(paths: list[Path], force: bool) -> None:
    check_writable(paths[0].parent)
    for path in paths:
        if path.exists() and not force:
            raise file_error(path, "exists already; choose another --out, or --force to replace it")


def _save(path: Path, poses: Poses) -> None:
    """Write poses and their scale; a scale left there by other poses would give wrong millimetres."""
    beside = scale_name(path)
    save_poses(path, poses)
    if poses.scale is not None:
        save_scale(beside, poses.scale)
    elif beside.is_file():
        beside.unlink()
        print(f"removed {beside}, which belongs to other poses")
    files = [*files_of(path)[: 1 if poses.joint_3d is None else 2]] + [beside] * (poses.scale is not None)
    print(f"wrote {len(poses):,} poses to {' and '.join(map(str, files))}")


if __name__ == "__main__":
    raise SystemExit(main())
