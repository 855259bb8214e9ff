"""One clip from its file to the files that are written of it, and what is told about it."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Sequence

from minilift.cli.predict.outputs import File
from minilift.cli.predict.tell import Told, found_line
from minilift.errors import ArgumentError
from minilift.lift.clip.lift import lift_blocks, lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.poses.few import evenly
from minilift.poses.keypoints import Keypoints
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.blocks import LARGE, load_blocks
from minilift.poses.read.keypoints.clips import Clip
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.write.people.rows import People, PeopleSpool

_QUICK = 1000  # people who are lifted before a bar could be seen
_NOT_IN_BLOCKS = ("person", "fill", "smooth")  # what looks at a whole clip at once
_LARGEST_WHOLE = 64 << 20  # bytes of a file for these
_SAMPLE = 8192  # people of the first block, from which scale and ground of a large clip are found


def lift_clip(
    clip: Clip, files: Sequence[File], lifter: Lifter, options: LiftOptions, asked: Asked, check: bool
) -> tuple[str, ...]:
    """Read, lift, write and tell; returns a line for each part that could not be read.

    Raises InputError where nothing of the clip can be done.
    """
    whole = any(getattr(options, name) for name in _NOT_IN_BLOCKS)
    large = clip.path.is_file() and os.stat(clip.path).st_size > (_LARGEST_WHOLE if whole else LARGE)
    blocks = load_blocks(clip.path, asked) if large else iter([clip.load()])
    found = next(blocks)
    following = next(blocks, None)
    print(f"{clip.name}: {found_line(found, whole=following is None)}")
    told = Told()
    people: People
    if following is None:
        people = _whole(found, lifter, options)
        told.add(people)
    else:
        people = _in_blocks(found, itertools.chain([found, following], blocks), files, lifter, options, told)
    told.assumed()
    written: list[str] = []
    notes: list[str] = []
    for file in files:
        done = file.format.write(file.path, people)
        written += [str(path) for path in done.files]
        notes += done.notes
    for note in dict.fromkeys(notes):
        print(f"  note: {note}")
    told.figures(lifter, check)
    for warning in told.warnings(clip.name):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"wrote {', '.join(written)}")
    return found.bad


def _whole(found: Keypoints, lifter: Lifter, options: LiftOptions) -> LiftedPeople:
    if len(found) < _QUICK:
        return lift_keypoints(found, lifter, options)
    from tqdm import tqdm

    bar = tqdm(total=len(found), unit=" people", desc="lifting", delay=1, leave=False, disable=None)
    with bar:
        return lift_keypoints(found, lifter, options, bar.update)


def _in_blocks(
    first: Keypoints, blocks: Iterator[Keypoints], files: Sequence[File], lifter: Lifter, options:
    LiftOptions, told: Told,
) -> PeopleSpool:  # fmt: skip
    """A clip larger than memory should hold: on disk until it is written.

    Raises ArgumentError for an option that needs all of it at once.
    """
    from tqdm import tqdm

    for name in _NOT_IN_BLOCKS:
        if getattr(options, name):
            problem = f"needs a whole clip in memory, and this has over {_LARGEST_WHOLE >> 20} MB; split it"
            raise ArgumentError(name, getattr(options, name), problem)

    sample = first.take(evenly(len(first), _SAMPLE))
    spool = PeopleSpool(files[0].path.parent, files[0].path)
    bar = tqdm(unit=" people", desc="lifting", delay=1, leave=False, disable=None)
    with bar:
        for block in lift_blocks(sample, blocks, lifter, options):
            spool.add(block)
            told.add(block)
            bar.update(len(block))
    return spool
