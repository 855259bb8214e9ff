"""`minilift body`: how long a person's bones are, from a clip, a height or a tape measure."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.cli.keypoint_flags import add_keypoint_flags, asked_of
from minilift.cli.parser import Parser, number
from minilift.errors import InputError, run_program
from minilift.files import file_error
from minilift.lift.clip.calibrate import calibration_body
from minilift.lift.clip.lift import lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.lift.weights.starting import STARTING, USUAL, weights_here
from minilift.poses.body.adults import SEXES
from minilift.poses.body.body import Body
from minilift.poses.body.file import write_body
from minilift.poses.body.posture import ARMS
from minilift.poses.body.prior import Prior, prior
from minilift.poses.body.tape import MEASURES, with_tape
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.files import load_camera
from minilift.poses.read.keypoints.load import load_keypoints

PROGRAM = "minilift body"

DESCRIPTION = """\
Find how long a person's bones are, for minilift predict --body FILE.

From a clip: all frames together say what none says alone. From a person who
holds a pose that is known: --calibrate. From a tape measure, which is better.
From a height, which leaves 4 to 5% of each bone. What is given is put together;
docs/body.md says how.
"""

EXAMPLES = """\
examples:
  minilift body walk_keypoints/ -o anna.json
  minilift body walk_keypoints/ --height 1.72 -o anna.json
  minilift body still.json --calibrate --distance 3.5 --focal 1400
  minilift body --height 1.72 --measure thigh=0.41 shin=0.40 -o anna.json
  minilift predict dance_keypoints/ --body anna.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _body, argv)


def _parser() -> Parser:
    points = "\n".join(
        textwrap.fill(f"  {name}: from {row.start} to {row.end}", 78, subsequent_indent="    ")
        for name, row in MEASURES.items()
    )
    more = f"measures of a tape, in metres (left_ or right_ before one of a limb: one side):\n{points}\n"
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES, more)
    add, positive = parser.add_argument, number(float, 0, open_low=True)
    add("clip", nargs="?", metavar="CLIP", help="a file or folder of keypoints, as predict takes them")
    add("-o", "--out", metavar="FILE", help="write the body to this .json file")
    add("--force", action="store_true", help="replace a file that exists")
    add("--height", type=positive, metavar="M", help="of the person, in metres, without shoes")
    add("--sex", choices=SEXES, help="of the person, where it is known")
    add("--measure", nargs="+", default=[], metavar="NAME=M", help="lengths by a tape, such as thigh=0.41")
    add(
        "--calibrate", action="store_true",
        help="in the clip the person stands upright and still, and faces the camera",
    )  # fmt: skip
    add(
        "--pose",
        choices=tuple(ARMS),
        help="with --calibrate: arms hanging, half way up, or level [recognised]",
    )
    add("--person", metavar="ID", help="of the clip: an id, longest or largest [longest]")
    add("--distance", type=positive, metavar="M", help="of the person from the camera, the median")
    add("--focal", type=positive, metavar="PX", help="focal length in pixels [guessed]")
    add("--camera", metavar="FILE", help="or a calibration of OpenCV or Pose2Sim (FILE#NAME)")
    add("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    add_keypoint_flags(parser)
    return parser


def _body(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    if args.out and not args.force and Path(args.out).exists():
        raise file_error(args.out, "exists; give another name, or --force to replace it")
    measured = dict(_measure(text) for text in args.measure)
    if not (args.clip or measured or args.height or args.sex):
        raise InputError("nothing to go by; give a CLIP, --measure or --height")
    if (args.calibrate and not args.clip) or (args.pose and not args.calibrate):
        flag, wants = ("--calibrate", "a CLIP") if args.calibrate else ("--pose", "--calibrate")
        raise InputError(f"{flag} needs {wants}")
    # no clip tells how tall; how far away is told where the clip is lifted
    unscaled = args.clip and not (args.height or measured or (args.calibrate and args.distance))
    known = prior(args.height, args.sex, unit="relative" if unscaled else "m")
    known = with_tape(known, measured) if measured else known
    of_clip = _calibrated if args.calibrate else _of_clip
    body = of_clip(args, known) if args.clip else Body.of(known)
    print(table(body))
    if args.out:
        write_body(args.out, body)
        print(f"wrote {args.out}; next: minilift predict CLIP --body {args.out}")
    return 0


def _measure(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise InputError(f"--measure {text[:40]}: give a name and metres, such as thigh=0.41") from None


def _of_clip(args: argparse.Namespace, known: Prior) -> Body:
    options = LiftOptions(
        person=args.person or "longest", height=args.height, distance=args.distance, focal=args.focal,
        camera=None if args.camera is None else load_camera(args.camera), known=known,
    )  # fmt: skip
    weights = args.weights or weights_here()
    people = lift_keypoints(load_keypoints(args.clip, asked_of(args)), Lifter.load(weights), options)
    if not people.body:
        raise file_error(args.clip, "has too few frames of one person to find a body; give a longer clip")
    return Body.from_dict(next(iter(people.body.values())))


def _calibrated(args: argparse.Namespace, known: Prior) -> Body:
    camera = None if args.camera is None else load_camera(args.camera)
    options = LiftOptions(person=args.person, focal=args.focal, camera=camera)
    found = load_keypoints(args.clip, asked_of(args))
    return calibration_body(found, known, options, args.pose, args.distance)


def table(body: Body) -> str:
    """A row for each bone: length, how sure, left against right, and where it comes from."""
    metres = body.unit == "m"
    unit = "mm" if metres else "% of the height"
    by = 1000 if metres else 100
    lines = [f"{'bone to':16s} {unit:>15s}    +/-"]
    for joint, name in enumerate(COURSE15.joints):
        length, sure = by * body.lengths[joint], 100 * body.spread[joint]
        other = COURSE15.mirror[joint]
        apart = 100 * np.log(body.lengths[joint] / body.lengths[other])
        differs = f"  {apart:+.1f}% of the other side" if abs(apart) > 0.05 and other != joint else ""
        lines.append(f"{name:16s} {length:15.1f}  {sure:4.1f}%{differs}")
    if metres:
        lines.append(f"as tall as {body.height:.2f} m")
    return "\n".join([*lines, f"from {body.source}", *body.notes])
