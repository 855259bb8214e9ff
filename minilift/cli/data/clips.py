"""`minilift data clips`: make poses of motion-capture clips."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli.data.clip_files import clip_files
from minilift.cli.data.clips_report import Report
from minilift.cli.data.output import check_outputs, pose_file, save
from minilift.cli.parser import number
from minilift.errors import InputError
from minilift.files import PathLike, write_atomically
from minilift.poses.clips.cameras import import_clips
from minilift.poses.clips.frames import UP, Choices, ClipPoses
from minilift.poses.poses import scale_name
from minilift.poses.read.course import files_of
from minilift.poses.read.joints.maps import read_maps

DESCRIPTION = """\
Show the people of motion-capture clips (.bvh, or .amc with its .asf) to made-up cameras: a pose file, and
another one with the metres per unit of each pose. docs/clips.md says more.
"""

EXAMPLES = """\
examples:
  minilift data clips walks/ kick.bvh --out people.npz --views 8 --every 2
  minilift data clips 16_01.amc --skeleton 16.asf --camera clip
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "clips", help="make poses of motion-capture clips", description=DESCRIPTION, examples=EXAMPLES
    )
    flag, default = parser.add_argument, Choices()
    flag("files", nargs="+", metavar="CLIP", help="clips, or folders of them")
    flag("--out", default="poses.pkl", help="a .pkl, .npz or .npy file, or a folder [%(default)s]")
    flag("--force", action="store_true", help="replace files that exist")
    flag("--views", type=number(int, 1), default=default.views, help="cameras per frame [%(default)s]")
    flag("--every", type=number(int, 1), default=1, metavar="N", help="take every Nth frame [%(default)s]")
    flag("--skeleton", metavar="FILE.asf", help="the skeleton of .amc clips [found in the folder of each]")
    flag("--map", metavar="FILE.json", help='joints by name: {"right_hip": "RightUpLeg", ...}')
    unit = number(float, 0, 1000, open_low=True)
    flag("--unit", type=unit, metavar="M", help="metres per unit of the files [guessed from the legs]")
    flag("--up", choices=tuple(UP), default=default.up, help="the axis that points up [%(default)s]")
    _add_further(parser, default)
    parser.set_defaults(run=run)


def _add_further(parser: Any, default: Choices) -> None:
    def flag(*names: str, **options: Any) -> None:
        parser.add_argument(*names, further=True, **options)

    flag(
        "--min-move", type=number(float, 0), default=default.min_move, metavar="M",
        help="drop frames whose joints moved less than M metres, on average, since the last one kept "
        "[%(default)g]",
    )  # fmt: skip
    flag("--keep-first", action="store_true", help="keep the first frame where it is a rest pose, too")
    flag("--fps", type=number(float, 1, 10_000), help="frames per second [what the files say; .amc: 120]")
    flag("--leave-flips", action="store_true", help="leave out frames in which a knee is on the wrong side")
    flag(
        "--guess-thorax", action="store_true",
        help="where a CMU clip lacks its thorax, and no .asf says how long it is: as long as the bone below",
    )  # fmt: skip
    flag(
        "--camera", choices=("frame", "clip", "static"), default=default.camera,
        help="frame: another one for each, to train on; to measure movement: clip, one for each view of a "
        "clip, which goes along with the person, or static, which stands still [%(default)s]",
    )  # fmt: skip
    for name, what in (("elevation", "degrees above the hips"), ("distance", "metres from the hips")):
        low, high = getattr(default, name)
        flag(
            f"--{name}", type=float, nargs=2, default=(low, high), metavar=("LOW", "HIGH"),
            help=f"bounds for the cameras: {what} [{low:g} {high:g}]",
        )  # fmt: skip
    flag(
        "--seed", type=number(int, 0), default=default.seed, help="another seed, other cameras [%(default)s]"
    )


def choices_of(args: argparse.Namespace) -> Choices:
    """The choices that the flags make. Raises InputError for values that cannot be."""
    maps = read_maps(args.map) if args.map else ()
    try:
        return Choices(
            args.views, args.every, args.min_move, args.keep_first, args.camera, tuple(args.elevation),
            tuple(args.distance), args.seed, args.unit, args.up, maps, args.fps, args.skeleton,
            args.leave_flips, args.guess_thorax,
        )  # fmt: skip
    except InputError as problem:  # it begins with the name of the choice
        name, _, rest = str(problem).partition(" ")
        raise InputError(f"--{name.replace('_', '-')} {rest}") from None


def clips_name(path: PathLike) -> Path:
    """Where the clip numbers of a pose file belong: a_lift.pkl -> a_clips.npy."""
    beside = scale_name(path)
    return beside.with_name(beside.name.removesuffix("_scale.npy") + "_clips.npy")


def run(args: argparse.Namespace) -> None:
    out, choices = pose_file(args.out), choices_of(args)
    files, passed = clip_files(args.files)
    numbers = clips_name(out)
    check_outputs([*files_of(out), scale_name(out), numbers], args.force)
    from tqdm import tqdm

    report = Report(choices, passed)
    with tqdm(total=len(files), unit="clips", desc="reading", delay=1, leave=False, disable=None) as bar:

        def done(clip: ClipPoses) -> None:
            report.add(clip)
            bar.update()

        poses, clips = import_clips(files, choices, out, done)
    print(report.text())
    save(out, poses)
    if choices.camera == "frame":
        numbers.unlink(missing_ok=True)  # of other poses, which --force has replaced
        print(f"next: minilift data info {out}")
        return
    write_atomically(numbers, lambda file: np.save(file, clips, allow_pickle=False))
    print(f"wrote the number of each pose's clip and view to {numbers}")
    print(f"next: minilift eval --data {out} --clips {numbers} --fps {report.fps}")
