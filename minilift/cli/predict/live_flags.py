"""The options of `minilift predict` for frames as they come, and what they cannot be had with."""

from __future__ import annotations

import argparse

from minilift.cli.parser import Parser, number
from minilift.errors import ArgumentError, InputError
from minilift.poses.tracks.smooth import CAUSAL
from minilift.video.frames.kinds import kind_of_media

STANDARD_INPUT, CAMERA = "-", "camera:"
_OF_FILES = ("out", "to", "check", "workers", "resume", "media")
"""Options that belong to files that are written and drawn, or to many clips."""


def add_live_flags(parser: Parser) -> None:
    group = "frames as they come"
    add = parser.add_argument
    add(
        "--stream", action="store_true", group=group, further=True,
        help="INPUT is - or a file with one frame a line, as JSON; each is answered by a line",
    )  # fmt: skip
    add(
        "--live", action="store_true", group=group, further=True,
        help="show INPUT at its own pace in a page of this machine; camera:0 is shown so anyway",
    )  # fmt: skip
    add(
        "--port", type=number(int, 1, 65535), metavar="N", group=group, further=True,
        help="of that page [any that is free]",
    )  # fmt: skip


def is_live(args: argparse.Namespace) -> bool:
    """Whether frames are answered as they come. Raises ArgumentError for what that cannot be had with."""
    args.live |= any(name.startswith(CAMERA) for name in args.input)
    if args.port is not None and not args.live:
        raise ArgumentError("port", args.port, "is of the page that shows people live; add --live")
    if not (args.stream or args.live):
        if STANDARD_INPUT in args.input:
            raise InputError("-: the standard input is read frame by frame; add --stream")
        return False
    flag = "stream" if args.stream else "live"
    if len(args.input) > 1:
        raise ArgumentError(flag, True, f"has {len(args.input)} inputs; give one")
    kind = kind_of_media(args.input[0])
    if args.input[0].startswith(CAMERA) and not kind:
        raise InputError(f"{args.input[0]}: is no camera; they have numbers, such as camera:0")
    if kind and args.stream:
        problem = f"a {kind} gives pictures, and a stream is of keypoints"
        raise InputError(f"{args.input[0]}: {problem}; leave --stream out")
    if args.input[0] == STANDARD_INPUT and not args.stream:
        raise InputError("-: the standard input is read frame by frame; add --stream")
    for name in _OF_FILES:
        if getattr(args, name):
            what = "stream" if args.stream else "live page"
            raise ArgumentError(name, getattr(args, name), f"a {what} writes no files; leave it out")
    if args.smooth is None:
        args.smooth = CAUSAL
    return True
