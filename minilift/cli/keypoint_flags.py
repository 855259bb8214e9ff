"""The options that say what a file of keypoints is: of `minilift predict` and `minilift inspect` alike."""

from __future__ import annotations

import argparse
import re

from minilift.cli.parser import Parser, number
from minilift.poses.read.keypoints.raw import UNITS, Asked

MOST_PIXELS = 100_000
"""Of a side of a picture; more is a mistake."""


def add_keypoint_flags(parser: Parser) -> None:
    group = "what the file is, where it does not say so"
    add = parser.add_argument
    add("--format", metavar="NAME", group=group, help="the format, such as openpose or coco-result")
    what = "of the joints, such as coco17; or a .json file"
    add("--layout", metavar="NAME", group=group, help=what)
    add("--size", type=size, metavar="WxH", group=group, help="of the pictures in pixels, such as 1280x720")
    add("--fps", type=number(float, 0, open_low=True), group=group, help="frames a second")
    add(
        "--clip", metavar="WORDS", group=group, further=True,
        help="which clip, where a file or folder holds several: words of its name",
    )  # fmt: skip
    add(
        "--unit", choices=UNITS, group=group, further=True,
        help="of coordinates: pixels; fractions of the sides, 0 to 1; signed, -1 to 1; or about the middle "
        "by the width alone, as VideoPose3D has them",
    )  # fmt: skip
    add(
        "--padded", action="store_true", group=group, further=True,
        help="pictures were padded to a square before the detector saw them (MoveNet)",
    )  # fmt: skip


def asked_of(args: argparse.Namespace) -> Asked:
    return Asked(args.format, args.layout, args.size, args.fps, args.clip, args.padded, args.unit)


def size(text: str) -> tuple[int, int]:
    """1280x720 as (1280, 720): the `type` of an argument."""
    found = re.fullmatch(r"\s*(\d{1,7})\s*[xX*×,]\s*(\d{1,7})\s*", text)
    if not found:
        raise argparse.ArgumentTypeError("give width and height of the pictures in pixels, such as 1280x720")
    width, height = int(found[1]), int(found[2])
    if not (1 < width <= MOST_PIXELS and 1 < height <= MOST_PIXELS):
        raise argparse.ArgumentTypeError(f"width and height must be from 2 to {MOST_PIXELS} pixels")
    return width, height
