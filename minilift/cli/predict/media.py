"""One photo or video: its people found, kept in NAME_2d.npz, and lifted while the next ones are found."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from minilift.cli.predict.clips import lift_found, rows_of
from minilift.cli.predict.flags import detector_of
from minilift.cli.predict.inputs import Media
from minilift.cli.predict.outputs import File, kept_path
from minilift.errors import ArgumentError, counted
from minilift.files import file_error, one_line
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.blocks import kept_keypoints, with_people
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.video.frame import Frames
from minilift.video.frames import open_frames
from minilift.video.kept.about import about
from minilift.video.kept.arrays import is_complete
from minilift.video.kept.records import RecordFile
from minilift.video.person import Detector
from minilift.video.run import Detection

_DARK = 12
"""Of 255: the mean of pictures that are called dark where nobody is found in them."""


class Detectors:
    """Those that are open: one for photos and one for videos, as loading one takes longer than a photo."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._open: dict[bool, Detector] = {}

    def of(self, frames: Frames) -> Detector:
        if frames.still not in self._open:
            self._open[frames.still] = detector_of(self._args, still=frames.still)
        return self._open[frames.still]

    def close(self) -> None:
        for detector in self._open.values():
            detector.close()


def lift_media(
    clip: Media, files: Sequence[File], lifter: Lifter, options: LiftOptions, asked: Asked,
    args: argparse.Namespace, detectors: Detectors,
) -> tuple[str, ...]:  # fmt: skip
    """Find, lift, write and tell.

    Raises InputError where nothing can be done, KeyboardInterrupt after Ctrl-C, with what was done written.
    """
    begin, path = time.perf_counter(), kept_path(args.out, clip)
    with open_frames(clip.path) as frames:
        if args.fps is not None and frames.fps and not frames.still:
            problem = f"{one_line(str(clip.path))} has times of its own, {frames.fps:g} frames a second"
            raise ArgumentError("fps", args.fps, f"{problem}; leave it out")
        detector = detectors.of(frames)
        known = about(frames, detector, args.every)
        if args.resume and path.exists() and is_complete(path, known):
            print(f"{clip.name}: the detections that were kept in {path}")
            blocks = kept_keypoints(path, asked, rows_of(options))
            if blocks is None:
                raise file_error(path, "cannot be read; detect once more, with --force")
            return lift_found(clip.name, blocks, files, lifter, options, args.check).bad
        with _detection(clip, path, frames, detector, known, args) as detection:
            blocks = _blocks(clip, path, detection, asked, rows_of(options))
            done = lift_found(clip.name, blocks, files, lifter, options, args.check)
    _tell_speed(detection, done.seconds, time.perf_counter() - begin)
    print(f"kept the detections in {path}")
    if not detection.complete:
        print(f"{counted(detection.file.count, 'frame')} done; --resume goes on from there", file=sys.stderr)
        raise KeyboardInterrupt
    return ()


@contextlib.contextmanager
def _detection(
    clip: Media, path: Path, frames: Frames, detector: Detector, known: dict[str, Any],
    args: argparse.Namespace,
) -> Iterator[Detection]:  # fmt: skip
    """The people of a clip, while they are found; with a bar, and a Ctrl-C that waits for the frame."""
    from tqdm import tqdm

    part = path.with_suffix(".part")
    if args.resume and part.exists():
        file = RecordFile.resume(part, known)
        print(f"{clip.name}: going on behind {counted(file.count, 'frame')} of {part}")
    else:
        file = RecordFile.begin(part, known)
    total = None if frames.count is None else -(-frames.count // args.every)
    bar = tqdm(
        total=total, initial=file.count, unit=" frames", desc=clip.name, delay=1, leave=False, disable=None
    )  # fmt: skip
    with bar:
        detection = Detection(frames, detector, file, args.every, bar.update)
        try:
            with _stopping(detection):
                yield detection
        finally:
            detection.close()
            if detection.complete or not file.count:  # else a run with --resume goes on with it
                file.remove()


def _blocks(clip: Media, path: Path, detection: Detection, asked: Asked, rows: int) -> Iterator[Keypoints]:
    """The people in blocks; behind the last one all of them are kept."""
    anyone = False

    def parts() -> Iterator[Raw]:
        nonlocal anyone
        for part in detection.parts(rows):
            anyone = anyone or bool(len(part.xy))
            yield part

    yield from with_people(parts(), clip.path, asked)
    if anyone:
        detection.keep(path)
        return
    if detection.file.last is None:
        raise KeyboardInterrupt
    frames = detection.frames
    where = "it" if frames.still else f"its {counted(detection.file.count, 'frame')}"
    if detection.light < _DARK:
        dark = f"{'it is' if frames.still else 'they are'} nearly black"
        raise file_error(clip.path, f"no person was found in {where}, and {dark}; make it brighter")
    if frames.warnings:  # it is damaged, or its tag turns it by no quarter
        raise file_error(clip.path, f"no person was found in {where}; {frames.warnings[0]}")
    remedy = "is anybody to be seen, upright and not tiny? --detector names another detector"
    raise file_error(clip.path, f"no person was found in {where}; {remedy}")


@contextlib.contextmanager
def _stopping(detection: Detection) -> Iterator[None]:
    """Ctrl-C ends the search behind the frame that is worked on; a second one ends everything at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        detection.stop()
        print("\nstopping; what is done will be written (Ctrl-C once more: at once)", file=sys.stderr)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _tell_speed(detection: Detection, lifting: float, seconds: float) -> None:
    """How fast the two were, each by the time that it was at work."""
    speed = detection.speed
    if detection.frames.still or not speed.frames:
        return
    found = f"detector {speed.frames / max(speed.finding, 1e-9):.1f} frames a second"
    lifted = f"lifter {detection.file.count / max(lifting, 1e-9):,.0f}"
    read = f"reading {speed.frames * detection.every / max(speed.reading, 1e-9):,.0f}"
    print(f"{found}, {lifted}, {read}; {counted(speed.frames, 'frame')} in {seconds:.1f} s altogether")
