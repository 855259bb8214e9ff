"""`minilift predict --stream`: frames come line by line, and so do the answers."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import BinaryIO

from minilift.cli.predict.live_flags import STANDARD_INPUT
from minilift.errors import as_flag
from minilift.files import os_error
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.lift.live.live import Live
from minilift.lift.live.stream import answered
from minilift.ops.threads import limited
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.frames import FrameReader
from minilift.poses.read.keypoints.raw import Asked


def serve(args: argparse.Namespace, lifter: Lifter, options: LiftOptions, asked: Asked) -> int:
    """Answer every line of the input on the standard output, until it ends or is stopped."""
    live, reader = Live(lifter, options), FrameReader(asked)
    told = False
    # one thread: a second helps a single pose little, and waits for the detector, which needs the other cores
    with limited(1), _opened(args.input[0]) as source, contextlib.suppress(KeyboardInterrupt):
        for one in answered(source, live, reader, lambda error: error.told(as_flag)):
            if one.people and not told:
                told = True
                print(_told(one.people, lifter), file=sys.stderr)
            sys.stdout.write(json.dumps(one.value, allow_nan=False, separators=(",", ":")) + "\n")
            if getattr(sys.stdout, "problem", ""):
                break  # nobody can read what would follow
        return 0
    return 130


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
        raise os_error(
            name, error, "give a file with one frame a line, or - for the standard input"
        ) from None


def _told(people: LiftedPeople, lifter: Lifter) -> str:
    """What was found and assumed, in a line."""
    unit = "metres" if people.unit == "m" else "1 is the distance of the first person"
    camera = people.camera.get("source") or "not needed"
    parts = [people.format, people.layout, f"camera: {camera}", f"unit: {unit}", f"axes: {people.axes}"]
    if not lifter.has_trust:
        parts.append("no expected errors: these weights have no trust file")
    return f"stream: {'; '.join(parts)}"
