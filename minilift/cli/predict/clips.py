"""One clip from its file to the files that are written of it, and what is told about it."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minilift.cli.predict.beside import Beside
from minilift.cli.predict.outputs import File
from minilift.cli.predict.tell import Told, found_line
from minilift.errors import ArgumentError, InputError, as_flag
from minilift.lift.clip.lift import lift_blocks, lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.poses.few import evenly
from minilift.poses.keypoints import Keypoints
from minilift.poses.lifted import LiftedPeople
from minilift.poses.read.keypoints.blocks import LARGE, kept_keypoints, load_blocks
from minilift.poses.read.keypoints.clips import Clip
from minilift.poses.read.keypoints.numeric import kept
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.tracks.over_blocks import followed
from minilift.poses.write.people.rows import People, PeopleSpool

_QUICK = 1000  # people who are lifted before a bar could be seen
_NOT_IN_BLOCKS = ("person", "fill", "smooth")  # what looks at a whole clip at once
_LARGEST_WHOLE = 64 << 20  # bytes of a file for these
_MOST_WHOLE = 1 << 18  # detections of a video for these
_SAMPLE = 8192  # people of the first block, from which scale and ground of a large clip are found


def lift_clip(
    clip: Clip, files: Sequence[File], lifter: Lifter, options: LiftOptions, asked: Asked, check: bool
) -> tuple[str, ...]:
    """Read, lift, write and tell; returns a line for each part that could not be read.

    Raises InputError where nothing of the clip can be done.
    """
    blocks = kept_keypoints(clip.path, asked, rows_of(options)) if clip.path.is_file() else None
    if blocks is None:
        whole = any(getattr(options, name) for name in _NOT_IN_BLOCKS)
        large = clip.path.is_file() and os.stat(clip.path).st_size > (_LARGEST_WHOLE if whole else LARGE)
        blocks = load_blocks(clip.path, asked) if large else (load() for load in (clip.load,))
    if asked.media is not None:
        blocks = Beside(asked.media).fitted(blocks)
    return lift_found(clip.name, blocks, files, lifter, options, check).bad


def not_done(clip: Clip, problem: InputError) -> str:
    """The line for a clip of several of which nothing can be done."""
    if isinstance(problem, ArgumentError):  # names a flag, and not the clip
        return f"{clip.path}: {problem.told(as_flag)}"
    return str(problem)


def rows_of(options: LiftOptions) -> int:
    """How many detections of a photo or a video are lifted at once."""
    return _MOST_WHOLE if any(getattr(options, name) for name in _NOT_IN_BLOCKS) else kept.ROWS


@dataclass(frozen=True)
class Done:
    """A clip that was lifted and written."""

    seconds: float
    """Of the lifter, without what it waited for."""
    bad: tuple[str, ...]


def lift_found(
    name: str, blocks: Iterator[Keypoints], files: Sequence[File], lifter: Lifter, options: LiftOptions,
    check: bool,
) -> Done:  # fmt: skip
    """Lift what comes in blocks, write and tell. Raises InputError where nothing can be lifted."""
    waiting = _Waiting(blocks)
    blocks = iter(waiting)
    found = next(blocks)
    following = next(blocks, None)
    print(f"{name}: {found_line(found, whole=following is None)}")
    told = Told()
    people: People
    begin = time.perf_counter() - waiting.seconds
    if following is None:
        people = _whole(found, lifter, options)
        told.add(people)
    else:
        people = _in_blocks(found, itertools.chain([found, following], blocks), files, lifter, options, told)
    seconds = time.perf_counter() - waiting.seconds - begin
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
    for warning in told.warnings(name):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"wrote {', '.join(written)}")
    return Done(seconds, found.bad)


class _Waiting:
    """Blocks as they come; `seconds` is how long they were waited for."""

    def __init__(self, blocks: Iterator[Keypoints]) -> None:
        self.seconds, self._blocks = 0.0, blocks

    def __iter__(self) -> Iterator[Keypoints]:
        while True:
            begin = time.perf_counter()
            block = next(self._blocks, None)
            self.seconds += time.perf_counter() - begin
            if block is None:
                return
            yield block


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
            most = f"over {_LARGEST_WHOLE >> 20} MB, or {_MOST_WHOLE:,} detections"
            problem = f"needs a whole clip in memory, and this has {most}; split it"
            raise ArgumentError(name, getattr(options, name), problem)

    if first.format == kept.FORMAT:
        blocks = followed(blocks)
        first = next(blocks)
        blocks = itertools.chain([first], blocks)
    sample = first.take(evenly(len(first), _SAMPLE))
    spool = PeopleSpool(files[0].path.parent, files[0].path)
    bar = tqdm(unit=" people", desc="lifting", delay=1, leave=False, disable=None)
    with bar:
        for block in lift_blocks(sample, blocks, lifter, options):
            spool.add(block)
            told.add(block)
            bar.update(len(block))
    return spool
