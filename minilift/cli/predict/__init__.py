"""`minilift predict`: keypoints of a detector in, people in 3D out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from minilift.cli.keypoint_flags import add_keypoint_flags, asked_of
from minilift.cli.parser import Parser, tell_device
from minilift.cli.predict.beside import Beside
from minilift.cli.predict.clips import lift_clip, not_done
from minilift.cli.predict.flags import add_camera, add_media, add_people
from minilift.cli.predict.inputs import Media, inputs_of
from minilift.cli.predict.live_flags import add_live_flags, is_live
from minilift.cli.predict.outputs import DEFAULT, FORMATS, File, plan
from minilift.cli.predict.tell import trust_warning
from minilift.errors import ArgumentError, InputError, run_program
from minilift.files import file_error
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.lift.weights.starting import STARTING, USUAL, weights_here
from minilift.poses.body.file import read_body
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.away import read_distances
from minilift.poses.read.keypoints.clips import Clip
from minilift.poses.read.keypoints.raw import Asked

if TYPE_CHECKING:
    from minilift.cli.predict.media import Detectors

Lift = Callable[[Clip, Sequence[File]], tuple[str, ...]]

PROGRAM = "minilift predict"
SAME = (
    "focal", "fov", "confidence", "person", "height", "distance", "same", "axes", "level", "fill", "smooth",
    "flip", "project",
)  # fmt: skip
"""Options that go by the same name in `LiftOptions`."""

DESCRIPTION = """\
Lift people in photos and videos, or 2D keypoints, to 3D.

INPUT is a photo, a video (docs/video.md), or what a detector wrote: JSON of OpenPose, MMPose, COCO, MediaPipe
and others, CSV, NumPy arrays, or a folder of them (docs/your-keypoints.md). Format and layout are found out.
"""
MORE = """\
What is written by default is NAME_3d.npz with all numbers and NAME_3d.html, a page with the people moving.
Without --weights and without a liftModel in this folder, the starting weights are used, which come with
minilift (docs/starting-model.md).
--stream answers frames as they come, each with a line of JSON; --live and camera:0 show them in a page
(docs/live.md).
The unit of the joints is the distance from the camera to the middle of the hips, or metres where --height or
--distance is given (docs/cameras.md). docs/outputs.md describes every format.
"""

EXAMPLES = """\
examples:
  minilift predict clip.mp4 photo.jpg
  minilift predict results.json --size 1920x1080 --height 1.75 -o walk.bvh
  minilift predict video.csv --to npz csv glb trc -o out/ --smooth one-euro
  minilift predict data_test_lift.pkl -o joints.npz
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _predict, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES, MORE)
    add = parser.add_argument
    add("input", nargs="+", metavar="INPUT", help="keypoints, photos, videos, folders")
    add("-o", "--out", metavar="OUT", help="a file, whose ending says the format, or a folder")
    add(
        "--to", nargs="+", metavar="FORMAT", choices=list(FORMATS), help=f"{', '.join(FORMATS)} [{DEFAULT}]"
    )  # fmt: skip
    add("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    add("--force", action="store_true", help="replace files that exist")
    add("--check", action="store_true", help="print how far joints project off their keypoints")
    add_keypoint_flags(parser)
    add_media(parser)
    add_camera(parser)
    add_people(parser)
    add_live_flags(parser)
    return parser


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
    if args.media is not None:
        asked = Beside(args.media).asked(asked)
    inputs = inputs_of(args.input, asked)
    clips = inputs.clips
    if args.media is not None and (len(clips) > 1 or isinstance(clips[0], Media)):
        raise ArgumentError("media", args.media, "names the video of one file of keypoints; lift that alone")
    if args.workers and any(isinstance(clip, Media) for clip in clips):
        raise ArgumentError("workers", args.workers, "lift keypoints; give photos and videos without it")
    outputs = plan(args, clips)
    lifter = _lifter(args)
    if chosen and args.weights == STARTING:
        print(f"weights: the starting ones (there is no {USUAL} here)")
    for line in inputs.notes:
        print(f"note: {line}", file=sys.stderr)
    if args.workers:
        bad = lift_on(args.workers, clips, outputs, options, asked, args)
    else:
        with ExitStack() as closed:
            bad = _lift_here(clips, outputs, _lifting(args, lifter, options, asked, closed))
    for line in bad:
        print(f"not done: {line}", file=sys.stderr)
    return 1 if bad else 0


def _lift_here(clips: Sequence[Clip], outputs: Sequence[Sequence[File]], lift: Lift) -> list[str]:
    """Clip after clip. Returns what was not done; raises InputError where the only one was not."""
    bad: list[str] = []
    for clip, files in zip(clips, outputs, strict=True):
        try:
            bad += lift(clip, files)
        except InputError as problem:
            if len(clips) == 1:
                raise
            bad.append(not_done(clip, problem))
    return bad


def _lifting(
    args: argparse.Namespace, lifter: Lifter, options: LiftOptions, asked: Asked, closed: ExitStack
) -> Lift:
    """What lifts a clip, and returns a line for each part of it that could not be read. What it opens for
    several of them is closed with `closed`."""
    detectors: list[Detectors] = []  # loaded with the first photo or video, and kept for the others

    def lift(clip: Clip, files: Sequence[File]) -> tuple[str, ...]:
        if not isinstance(clip, Media):
            return lift_clip(clip, files, lifter, options, asked, args.check)
        from minilift.cli.predict.media import Detectors, lift_media

        if not detectors:
            detectors.append(closed.enter_context(closing(Detectors(args))))
        return lift_media(clip, files, lifter, options, asked, args, detectors[0])

    return lift


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
