"""`minilift predict`: keypoints of a detector in, people in 3D out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from minilift.cli.keypoint_flags import add_keypoint_flags, asked_of
from minilift.cli.parser import Parser, number, tell_device
from minilift.cli.predict.clips import lift_clip
from minilift.cli.predict.live_flags import add_live_flags, is_live
from minilift.cli.predict.outputs import DEFAULT, FORMATS, File, plan
from minilift.cli.predict.tell import trust_warning
from minilift.errors import InputError, run_program
from minilift.files import file_error
from minilift.lift.clip.options import CONFIDENCE, LiftOptions
from minilift.lift.lifter import Lifter
from minilift.lift.weights.starting import STARTING, USUAL, weights_here
from minilift.poses.body.file import read_body
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.away import read_distances
from minilift.poses.lens.axes import NAMES as AXES
from minilift.poses.read.keypoints.clips import Clip, clips_of
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.tracks.smooth import WAYS as SMOOTH

PROGRAM = "minilift predict"
SAME = (
    "focal", "fov", "confidence", "person", "height", "distance", "same", "axes", "level", "fill", "smooth",
    "flip", "project",
)  # fmt: skip
"""Options that go by the same name in `LiftOptions`."""

DESCRIPTION = """\
Lift 2D keypoints to people in 3D.

INPUT is a detector's file, or a folder of files: JSON of OpenPose, AlphaPose, MMPose, COCO, Ultralytics,
MediaPipe and others, CSV, NumPy arrays, or a pose file of the course. Format and layout are found out and
told. docs/your-keypoints.md has the commands for every detector.
"""
MORE = """\
What is written by default is NAME_3d.npz with all numbers and NAME_3d.html, a page with the people moving.
Without --weights and without a liftModel in this folder, the starting weights are used, which come with
minilift (docs/starting-model.md).
--stream answers frames as they come, each with a line of JSON (docs/live.md).
The unit of the joints is the distance from the camera to the middle of the hips, or metres where --height or
--distance is given (docs/cameras.md). docs/outputs.md describes every format.
"""

EXAMPLES = """\
examples:
  minilift predict walk_keypoints/
  minilift predict results.json --size 1920x1080 --height 1.75 -o walk.bvh
  minilift predict video.csv --to npz csv glb trc -o out/ --smooth one-euro
  minilift predict data_test_lift.pkl -o joints.npz
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _predict, argv)


def distance(text: str) -> float | str:
    """Metres, or the name of the file that has them by frame: the `type` of an argument."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not value > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _workers(text: str) -> int | str:
    """A number of workers on this machine, or a scheduler's address: the `type` of an argument."""
    if "://" in text:
        return text
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be a number of workers, or an address as tcp://host:8786")
    return int(text)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES, MORE)
    add = parser.add_argument
    add("input", nargs="+", metavar="INPUT", help="files or folders of 2D keypoints")
    add("-o", "--out", metavar="OUT", help="a file, whose ending says the format, or a folder")
    add(
        "--to", nargs="+", metavar="FORMAT", choices=list(FORMATS), help=f"{', '.join(FORMATS)} [{DEFAULT}]"
    )  # fmt: skip
    add("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    add("--force", action="store_true", help="replace files that exist")
    add("--check", action="store_true", help="print how far joints project off their keypoints")
    add_keypoint_flags(parser)
    _add_camera(parser)
    _add_people(parser)
    add_live_flags(parser)
    return parser


def _add_camera(parser: Parser) -> None:
    group = "camera, scale and axes"
    add, positive = parser.add_argument, number(float, 0, open_low=True)
    add("--focal", type=positive, metavar="PX", group=group, help="focal length in pixels [guessed]")
    add(
        "--fov", type=positive, metavar="DEGREES", group=group, further=True,
        help="or horizontal field of view",
    )  # fmt: skip
    add(
        "--camera", metavar="FILE", group=group, help="or a calibration of OpenCV or Pose2Sim (FILE#NAME)"
    )  # fmt: skip
    add("--height", type=positive, metavar="M", group=group, help="of the person: the answer is in metres")
    add(
        "--distance", type=distance, metavar="M|FILE", group=group, further=True,
        help="or of the person from the camera; a file has frame and metres in each line",
    )  # fmt: skip
    add(
        "--same", action="store_true", group=group, further=True,
        help="people stay as far away as they are, on the spot or followed by the camera",
    )  # fmt: skip
    add(
        "--body", default="auto", metavar="FILE", group=group, help="of minilift body; none, or auto [auto]"
    )  # fmt: skip
    add("--axes", default=AXES[0], choices=AXES, group=group, help=f"{', '.join(AXES)} [{AXES[0]}]")
    add(
        "--level", action="store_true", group=group, further=True,
        help="turn the ground level, where feet show it",
    )  # fmt: skip


def _add_people(parser: Parser) -> None:
    group = "people and time"
    add = parser.add_argument
    add("--person", metavar="ID", group=group, help="one alone: an id, longest or largest [all]")
    add(
        "--confidence", type=number(float, 0), default=CONFIDENCE, metavar="SCORE", group=group, further=True,
        help=f"a joint with a lower score counts as not seen [{CONFIDENCE:g}]",
    )  # fmt: skip
    add(
        "--noise-px", type=number(float, 0), metavar="PX", group=group, further=True,
        help="how far off keypoints are, standard deviation [from jitter and scores]",
    )  # fmt: skip
    add("--smooth", choices=("none", *SMOOTH), group=group, help=f"over time: {' or '.join(SMOOTH)}")
    add(
        "--fill", type=number(int, 0), default=0, metavar="N", group=group, further=True,
        help="fill gaps of up to N frames [0]",
    )  # fmt: skip
    add("--flip", action="store_true", group=group, further=True, help="average with the mirrored pose")
    add(
        "--project", action="store_true", group=group, further=True,
        help="move joints onto the rays of their keypoints",
    )  # fmt: skip
    add("--device", default="auto", group=group, further=True, help="cpu, gpu, gpu:1 or auto [auto]")
    add(
        "--workers", type=_workers, metavar="N|ADDRESS", group="many clips", further=True,
        help="lift them on N workers of Dask here, or on those of a scheduler, as tcp://host:8786",
    )  # fmt: skip


def _options(args: argparse.Namespace) -> LiftOptions:
    camera = None
    if args.camera is not None:
        from minilift.poses.lens.files import load_camera  # XML and the rest: only for who has such a file

        camera = load_camera(args.camera)
    if isinstance(args.distance, str):
        args.distance = read_distances(args.distance)
    return LiftOptions(
        camera=camera,
        noise=args.noise_px,
        body=args.body if args.body in ("auto", "none") else read_body(args.body),
        **{name: getattr(args, name) for name in SAME},
    )


def _predict(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    live = is_live(args)
    args.smooth = None if args.smooth == "none" else args.smooth
    options, asked = _options(args), asked_of(args)
    chosen, args.weights = not args.weights, args.weights or weights_here()
    if live:
        from minilift.cli.predict.live import serve  # only for who streams

        return serve(args, _lifter(args), options, asked)
    if args.workers:
        from minilift.cli.predict.workers import everywhere, lift_on  # only for who has a cluster

        asked = everywhere(args, asked)
    clips = clips_of(args.input, asked)
    outputs = plan(args, clips)
    lifter = _lifter(args)
    if chosen and args.weights == STARTING:
        print(f"weights: the starting ones (there is no {USUAL} here)")
    if args.workers:
        bad = lift_on(args.workers, clips, outputs, options, asked, args)
    else:
        bad = _lift_here(clips, outputs, lifter, options, asked, args.check)
    for line in bad:
        print(f"not done: {line}", file=sys.stderr)
    return 1 if bad else 0


def _lift_here(
    clips: Sequence[Clip], outputs: Sequence[Sequence[File]], lifter: Lifter, options: LiftOptions,
    asked: Asked, check: bool,
) -> list[str]:  # fmt: skip
    """Clip after clip. Returns what was not done; raises InputError where the only one was not."""
    bad: list[str] = []
    for clip, files in zip(clips, outputs, strict=True):
        try:
            bad += lift_clip(clip, files, lifter, options, asked, check)
        except InputError as problem:
            if len(clips) == 1:
                raise
            bad.append(str(problem))
    return bad


def _lifter(args: argparse.Namespace) -> Lifter:
    lifter = Lifter.load(args.weights, device=args.device)
    tell_device(args.device)
    if lifter.joints != len(COURSE15):
        problem = f"lifts {lifter.joints} joints, not {len(COURSE15)}"
        raise file_error(args.weights, f"{problem}; give weights for {len(COURSE15)}")
    why = trust_warning(lifter, args.weights)
    if why:
        print(f"warning: {why}", file=sys.stderr)
    if lifter.note:
        print(f"note: {args.weights}: {lifter.note}", file=sys.stderr)
    return lifter
