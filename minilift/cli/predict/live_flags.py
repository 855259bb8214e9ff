"""The options of `minilift predict` for frames as they come, and what they cannot be had with."""

from __future__ import annotations

import argparse

from minilift.cli.parser import Parser
from minilift.errors import ArgumentError, InputError
from minilift.poses.tracks.smooth import CAUSAL

STANDARD_INPUT = "-"
_OF_FILES = ("out", "to", "check", "clip", "workers")
"""Options that belong to files that are written, or to clips."""


def add_live_flags(parser: Parser) -> None:
    group = "frames as they come"
    parser.add_argument(
        "--stream", action="store_true", group=group, further=True,
        help="INPUT is - or a file with one frame a line, as JSON; each is answered by a line",
    )  # fmt: skip


def is_live(args: argparse.Namespace) -> bool:
    """Whether frames are answered as they come. Raises ArgumentError for what that cannot be had with."""
    if not args.stream:
        if STANDARD_INPUT in args.input:
            raise InputError("-: the standard input is read frame by frame; add --stream")
        return False
    if len(args.input) > 1:
        raise ArgumentError(
            "stream", True, f"has {len(args.input)} inputs; give one, - for the standard input"
        )
    for name in _OF_FILES:
        if getattr(args, name):
            raise ArgumentError(name, getattr(args, name), "a stream writes no files; leave it out")
    if args.smooth is None:
        args.smooth = CAUSAL
    return True
