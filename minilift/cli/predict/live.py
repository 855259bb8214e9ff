"""`minilift predict --stream` and `--live`: frames as they come, answered by lines and shown in a page."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, TextIO

import numpy as np

from minilift.cli.predict.live_flags import STANDARD_INPUT
from minilift.cli.predict.live_source import frames_of
from minilift.errors import ArgumentError, as_flag, shown
from minilift.files import os_error
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.lift.live.live import Live
from minilift.lift.live.stream import answered
from minilift.ops.threads import limited
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.frames import FrameReader
from minilift.poses.read.keypoints.raw import Asked
from minilift.show.live.feed import Feed


def serve(args: argparse.Namespace, lifter: Lifter, options: LiftOptions, asked: Asked) -> int:
    """Lift every frame of the input, until it ends or is stopped."""
    # one thread: a second helps a single pose little, and waits for the detector, which needs the other cores
    with limited(1):
        return (_stream if args.stream else _show)(args, lifter, options, asked)


def _stream(args: argparse.Namespace, lifter: Lifter, options: LiftOptions, asked: Asked) -> int:
    """Answer every line on the standard output."""
    live, reader, told = Live(lifter, options), FrameReader(asked), False
    with _opened(args.input[0]) as source, _page(args, sys.stderr) as feed, _quietly_stopped():
        for one in answered(source, live, reader, lambda error: error.told(partial(_said, args))):
            if one.people and not told:
                told = True
                print(f"stream: {_told(one.people, lifter)}", file=sys.stderr)
            sys.stdout.write(json.dumps(one.value, allow_nan=False, separators=(",", ":")) + "\n")
            if getattr(sys.stdout, "problem", ""):
                break  # nobody can read what would follow
            if feed is not None and one.people is not None:
                _put(feed, one.people, one.value["frame"])
        return 0
    return 130


def _show(args: argparse.Namespace, lifter: Lifter, options: LiftOptions, asked: Asked) -> int:
    """Show every frame in the page, those of a file at their own pace. Ctrl-C is how a camera is ended."""
    live, told = Live(lifter, options), False
    with frames_of(args, asked) as source, _page(args, sys.stdout) as feed, _quietly_stopped():
        assert feed is not None
        if source.waits:
            print("it begins when the page is opened")
            while not feed.watched.wait(0.2):
                pass
        for found, image in source.frames:
            try:
                people = live.push(found)
            except ArgumentError as problem:
                if problem.name != "time":  # of two frames with one time the first is shown
                    raise
                continue
            if people and not told:
                told = True
                print(f"{args.input[0]}: {_told(people, lifter)}")
            _put(feed, people, int(found.frames[0]), image)
        print("that was all of it")
    return 0


def _quietly_stopped() -> contextlib.AbstractContextManager[None]:
    """Ctrl-C ends what is within without a word: so it is meant."""
    return contextlib.suppress(KeyboardInterrupt)


def _put(feed: Feed, people: LiftedPeople, frame: int, image: np.ndarray | None = None) -> None:
    from minilift.show.live.page import frame_text  # only for who has a page
    from minilift.show.live.picture import picture_url

    feed.put(frame_text(people, frame, None if image is None else picture_url(image)))


@contextlib.contextmanager
def _page(args: argparse.Namespace, out: TextIO) -> Iterator[Feed | None]:
    """A page that is served, where it is asked for."""
    if not args.live:
        yield None
        return
    from minilift.show.live.page import live_page
    from minilift.show.live.server import LiveServer

    name = "keypoints" if args.input[0] == STANDARD_INPUT else args.input[0]
    feed = Feed()
    server = LiveServer(feed, lambda: live_page(name), args.port or 0)
    server.start()
    try:
        print(f"live: {server.url} on this machine; Ctrl-C ends it", file=out, flush=True)
        yield feed
    finally:
        server.close()


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """The input, to be read line by line. Raises InputError where it cannot be."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with open(name, "rb") as source:
            yield source
    except OSError as error:
        remedy = "give a file with one frame a line, or - for the standard input"
        raise os_error(name, error, remedy) from None


def _said(args: argparse.Namespace, name: str, value: object) -> str:
    """An argument as the flag that it is, or as the key of the line that its value was in."""
    if name in ("people", "frame"):
        return shown(value)  # how many
    if name == "time" or (name == "layout" and args.layout is None):
        return f"{name} {shown(value)}"
    return as_flag(name, value)


def _told(people: LiftedPeople, lifter: Lifter) -> str:
    """What was found and assumed, in a line."""
    unit = "metres" if people.unit == "m" else "1 is the distance of the first person"
    camera = people.camera.get("source") or "not needed"
    parts = [people.format, people.layout, f"camera: {camera}", f"unit: {unit}", f"axes: {people.axes}"]
    if not lifter.has_trust:
        parts.append("no expected errors: these weights have no trust file")
    return "; ".join(parts)
