"""`minilift explain`: one pose looked into."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minilift.cli.explain.report import Alike, Units, as_dict, as_text
from minilift.cli.keypoint_flags import add_keypoint_flags, asked_of
from minilift.cli.parser import Parser, number
from minilift.errors import ArgumentError, InputError, run_program
from minilift.files import file_error
from minilift.lift.clip.lift import camera_of
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.prepare import prepare
from minilift.lift.clip.stand_in import stand_in
from minilift.lift.explain import Explained, explain
from minilift.lift.lifter import Lifter
from minilift.lift.weights.starting import STARTING, USUAL, weights_here
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature
from minilift.poses.nearest import nearest_shapes
from minilift.poses.poses import find_scale, load_poses, load_scale
from minilift.poses.read.keypoints.clips import clips_of

PROGRAM = "minilift explain"
DESCRIPTION = """\
Look into the network's answer for one pose: the error to expect of each joint, the depth of its bone, how
small a change of the picture turns that to the other sign, the odds that it has the other sign, and which 2D
joint moves it most.

With --data it also says which of those poses look most alike. docs/playground.md derives it all; minilift
playground shows the same in a browser, of poses that you move.
"""
EXAMPLES = """\
examples:
  minilift explain walk_keypoints/ --frame 12 --height 1.75
  minilift explain data_test_lift.pkl --frame 100 --data data_train_lift.pkl
  minilift explain results.json --plot pose.png --json
"""
NEAREST = 3


class Pose(NamedTuple):
    """One person in one frame, ready for the lifter."""

    rays: np.ndarray  # (15, 2)
    sigma: np.ndarray | None  # (15,)
    frame: int
    person: int
    focal: float  # pixels for a unit of the image
    row: int  # among the detections of the file
    filled: int  # joints that were not seen, in whose place others stand


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _explain, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    add, positive = parser.add_argument, number(float, 0, open_low=True)
    add("file", metavar="FILE", help="2D keypoints, or poses of the course")
    add("--frame", type=number(int), metavar="N", help="which frame, or row of poses [the first with anyone]")
    add("--person", type=number(int, 0), default=0, metavar="N", help="which of its people [0]")
    add("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    add("--data", metavar="POSES", help="poses among which the nearest are found")
    add("-k", type=number(int, 1, 1000), default=NEAREST, metavar="K", help=f"how many of them [{NEAREST}]")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    add("--plot", metavar="OUT", help="draw it: .png, .svg or .pdf")
    group = "camera and scale"
    add("--height", type=positive, metavar="M", group=group, help="of the person: the answer is in mm")
    add("--distance", type=positive, metavar="M", group=group, help="or of the person from the camera")
    add("--focal", type=positive, metavar="PX", group=group, help="focal length in pixels [guessed]")
    noise = "how far off keypoints are [from jitter and scores]"
    add("--noise-px", type=number(float, 0), metavar="PX", group=group, help=noise)
    add_keypoint_flags(parser)
    return parser


def _explain(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    if args.plot:
        from minilift.show.style import check_picture

        check_picture(args.plot)
    options = LiftOptions(
        focal=args.focal, noise=args.noise_px, height=args.height, distance=args.distance, body="none"
    )
    clips = clips_of([args.file], asked_of(args))
    if len(clips) != 1:
        many = f"has {len(clips)} clips" if clips else "has no files of keypoints"
        raise file_error(args.file, f"{many}; name one file")
    found = clips[0].load()
    args.weights = args.weights or weights_here()
    lifter = Lifter.load(args.weights)
    if lifter.joints != len(COURSE15):
        problem = f"lifts {lifter.joints} joints, not {len(COURSE15)}"
        raise file_error(args.weights, f"{problem}; give weights for {len(COURSE15)}")
    pose = _pose(args, found, lifter, options)
    explained = explain(lifter, pose.rays, pose.sigma)
    units = _units(args, found, pose, explained)
    alike = _alike(args, explained) if args.data else []
    about = {
        "file": str(args.file), "frame": pose.frame, "person": pose.person, "weights": str(args.weights),
        "filled": pose.filled,
    }  # fmt: skip
    if args.plot:
        from minilift.show.charts.explained import plot_explained

        plot_explained(explained, units.length, units.metres is not None, args.plot)
    if args.json:
        print(json.dumps({**about, **as_dict(explained, units, alike)}, allow_nan=False))
    else:
        print(as_text(about, explained, units, alike))
    if args.plot:
        print(f"wrote {args.plot}", file=sys.stderr if args.json else sys.stdout)
    return 0


def _pose(args: argparse.Namespace, found: Keypoints, lifter: Lifter, options: LiftOptions) -> Pose:
    """The person who is asked for. Raises ArgumentError where there is none."""
    camera = camera_of(found, options)
    ready = prepare(found, found.person, camera, options)
    there = np.flatnonzero(~ready.empty)
    if not len(there):
        raise InputError(f"{args.file}: there is no one who can be lifted; see minilift inspect")
    frame = int(found.frame[there[0]]) if args.frame is None else args.frame
    rows = there[found.frame[there] == frame]
    if not len(rows):
        first, last = int(found.frame[there].min()), int(found.frame[there].max())
        problem = f"there is no one who can be lifted in it; there are people from {first} to {last}"
        raise ArgumentError("frame", frame, problem)
    if args.person >= len(rows):
        raise ArgumentError("person", args.person, f"frame {frame} has {len(rows)}, counted from 0")
    row = int(rows[args.person])
    one = ready.rays[row : row + 1]
    missing = int(np.isnan(one).any(axis=2).sum())
    rays = one if lifter.takes_missing else stand_in(one)
    sigma = ready.sigma[row] if lifter.takes_noise else None
    focal = 1000.0 if found.rays else float(np.sqrt(camera.fx * camera.fy))
    return Pose(rays[0], sigma, frame, args.person, focal, row, 0 if lifter.takes_missing else missing)


def _units(args: argparse.Namespace, found: Keypoints, pose: Pose, explained: Explained) -> Units:
    """What a unit is in metres, if that is known: by a distance, a height, or the file beside poses."""
    metres = args.distance
    if args.height:
        bones = COURSE15.bone_lengths(explained.joint_3d[None])
        metres = args.height / float(stature(bones)[0])
    beside = find_scale(args.file) if found.rays and Path(args.file).is_file() else None
    if metres is None and beside is not None:
        metres = float(load_scale(beside, len(found))[pose.row])
    return Units(metres, pose.focal, not found.rays)


def _alike(args: argparse.Namespace, explained: Explained) -> list[Alike]:
    """The poses of --data that look most alike, and how the answer differs from what they are in 3D."""
    data = load_poses(args.data)
    rows, gaps = nearest_shapes(data.joint_2d, explained.joint_2d, args.k)
    order = np.argsort(rows)
    some = data.read(rows[order])
    seen = np.isfinite(explained.joint_2d).all(axis=1)
    found: list[Alike | None] = [None] * len(rows)
    for at, place in enumerate(order):
        apart = None
        if some.joint_3d is not None:
            image = np.asarray(some.joint_2d)[at]
            larger = np.linalg.norm(explained.joint_2d[seen]) / np.linalg.norm(image[seen])
            ahead = np.array([0.0, 0.0, 1.0])
            other = (np.asarray(some.joint_3d)[at] + ahead) * larger
            apart = float(np.linalg.norm(explained.joint_3d + ahead - other, axis=1).mean())
        found[place] = Alike(int(rows[place]), float(gaps[place]), apart)
    return [one for one in found if one is not None]
