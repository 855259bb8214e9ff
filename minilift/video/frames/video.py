"""A video, decoded with PyAV: upright frames with their own times, from any of them on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from minilift.errors import InputError, counted
from minilift.extras import load
from minilift.files import PathLike, file_error, one_line
from minilift.video.frame import LARGEST, Frame, Mark, fingerprint
from minilift.video.frames.photo import SMALLEST
from minilift.video.frames.turn import Turn

_CONVERT = "convert it: ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p out.mp4"
_SLACK = 0.5  # seconds, and
_SHARE = 0.02  # share of the length, that a whole video may lack at its end


class Video:
    """A file with moving pictures. Raises InputError for one that has none, or whose first one cannot be had.

    Every call of `frames` opens the file anew: memory does not grow with its length.
    """

    still = False
    focal: float | None = None
    focal_source = ""

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.notes: list[str] = []
        self.warnings: list[str] = []
        with self._opened() as (container, stream):
            first = next((frame for frame in self._decoded(container, stream)), None)
            if first is None:
                problem = "has no picture that can be decoded: it is empty or cut off at its beginning"
                raise file_error(self.path, f"{problem}; copy it again")
            self._measure(container, stream)
            self._begin = first.pts
            self._turn = _turn_of(first)
            self._shape(first, stream)
        if abs(self._turn.over) > 1:
            told = f"its tag says to turn it by {self._turn.over + 90 * self._turn.quarters:.0f} degrees"
            self.warnings.append(f"{told}, and {90 * self._turn.quarters} are done; turn it upright first")

    def _measure(self, container: Any, stream: Any) -> None:
        """Rate, length and number of frames, as the file says or as they follow from one another."""
        rate = stream.average_rate or getattr(stream, "guessed_rate", None)
        self.fps: float | None = float(rate) if rate and 0.01 < float(rate) < 10_000 else None
        self._tick = float(stream.time_base) if stream.time_base else None
        length = stream.duration * self._tick if stream.duration and self._tick else None
        if length is None and container.duration:
            length = container.duration / 1e6
        self._length: float | None = length if length and length > 0 else None
        estimate = round(self._length * self.fps) if self._length and self.fps else None
        self.count: int | None = int(stream.frames) or estimate

    def _shape(self, first: Any, stream: Any) -> None:
        """Sizes: as decoded with square pixels, and upright; and of the copies that are handed on."""
        aspect = getattr(stream, "sample_aspect_ratio", None) or 1
        square = float(aspect) if 0.1 < float(aspect) < 10 else 1.0
        width, height = max(round(first.width * square), 1), first.height
        self.size = self._turn.size(width, height)
        if min(self.size) < SMALLEST:
            problem = f"{width}x{height} pixels are too few to see a person; give the original"
            raise file_error(self.path, problem)
        share = min(1.0, LARGEST / max(width, height))
        self._sides = max(round(width * share), 1), max(round(height * share), 1)

    def frames(self, start: int = 0, after: Mark | None = None) -> Iterator[Frame]:
        if start and after is not None and after.time is not None:
            with self._opened() as (container, stream):
                found = self._behind(container, stream, after)
                if found is not None:
                    yield from self._numbered(found, start, after.time)
                    return
        with self._opened() as (container, stream):
            decoded = self._decoded(container, stream)
            yield from self._numbered(decoded, 0, None, start)

    def close(self) -> None:
        """Nothing is open between the calls."""

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _numbered(
        self, decoded: Iterator[Any], number: int, last: float | None, start: int = 0
    ) -> Iterator[Frame]:
        """The decoded frames from here on, with their numbers and times; pictures from `start` on."""
        for frame in decoded:
            last = self._time(frame, last)
            if number >= start:
                yield Frame(number, last, self._pixels(frame))
            number += 1
        self._tell_end(number, last)

    def _time(self, frame: Any, last: float | None) -> float:
        """Seconds since the first frame. Where the stamps lack or go back, the mean rate goes on."""
        if frame.pts is not None and self._begin is not None and self._tick is not None:
            time = (frame.pts - self._begin) * self._tick
            if last is None or time > last:
                return float(time)
        return 0.0 if last is None else last + 1 / (self.fps or 30.0)

    def _pixels(self, frame: Any) -> np.ndarray:
        width, height = self._sides
        return self._turn.apply(frame.reformat(width, height, format="rgb24").to_ndarray())

    def _behind(self, container: Any, stream: Any, mark: Mark) -> Iterator[Any] | None:
        """The frames behind that one, found by its time and known by its picture; None where it is not."""
        if self._begin is None or self._tick is None or mark.time is None:
            return None
        pts = self._begin + round(mark.time / self._tick)
        decoded = self._decoded(container, stream)
        with suppress(*av_problems()):  # then from the beginning
            container.seek(pts, stream=stream)
            for frame in decoded:
                if frame.pts is None or frame.pts > pts:
                    return None
                if frame.pts == pts:
                    return decoded if fingerprint(self._pixels(frame)) == mark.print else None
        return None

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Whole frames; what is damaged is left out and counted."""
        self._damaged, packets = 0, container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av_problems():  # InvalidDataError and its like: the rest cannot be read
                self._damaged += 1
                return
            try:
                frames = [] if packet.is_corrupt else packet.decode()
            except av_problems():
                frames = []
                self._damaged += 1
            self._damaged += bool(packet.is_corrupt)
            for frame in frames:
                if frame.is_corrupt:
                    self._damaged += 1
                else:
                    yield frame

    def _tell_end(self, number: int, last: float | None) -> None:
        """A warning, where the video ends before it should, or parts of it could not be decoded."""
        end = 0.0 if last is None else last + 1 / (self.fps or 30.0)
        whole = self._length
        if whole is not None and end < whole * (1 - _SHARE) - _SLACK:
            told = f"ends after {end:.1f} of {whole:.1f} s: cut off or damaged"
        elif self._damaged:
            told = f"cut off or damaged in {counted(self._damaged, 'place')}"
        else:
            return
        self.warnings.append(f"{told}; copy it again ({counted(number, 'whole frame')} used)")

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        """The file and its stream of pictures, ready to be decoded."""
        av = load("av", f"reading {one_line(str(self.path))}", "video")
        # A path, not a name with a protocol; and nothing that a play list in it names
        name = f"file:{os.fspath(self.path)}"
        try:
            container = av.open(name, options={"protocol_whitelist": "file"}, metadata_errors="replace")
        except av_problems() as problem:
            raise _not_opened(self.path, problem) from None
        with container:
            yield container, self._stream(container)

    def _stream(self, container: Any) -> Any:
        streams = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not streams:
            others = sorted({str(stream.type) for stream in container.streams if stream.type != "video"})
            held = f", only {' and '.join(others)}" if others else ""
            raise file_error(self.path, f"has no moving pictures in it{held}; give a video")
        stream = streams[0]
        if stream.codec_context is None:
            raise file_error(self.path, f"nothing here decodes its pictures; {_CONVERT}")
        stream.thread_type = "AUTO"
        return stream


def av_problems() -> tuple[type[Exception], ...]:
    """What PyAV raises. Not all of its own are a ValueError or an OSError: the end of a file is none."""
    return ValueError, OSError, load("av", "reading a video", "video").FFmpegError


def _is_cover(stream: Any) -> bool:
    """The picture that belongs to a piece of music."""
    return "attached_pic" in str(getattr(stream, "disposition", "")).lower()


def _turn_of(frame: Any) -> Turn:
    for data in frame.side_data:
        if "DISPLAYMATRIX" in str(data.type):
            return Turn.of_matrix(bytes(data))
    return Turn()


def _not_opened(path: Path, problem: Exception) -> InputError:
    reason = one_line(getattr(problem, "strerror", None) or str(problem), 120)
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 16)
    except OSError:
        start = b""
    if start[4:8] == b"ftyp":
        told = f"its list of frames, which stands at the end, is missing or damaged ({reason})"
        return file_error(path, f"is cut off: {told}; copy it again")
    return file_error(path, f"is no video that can be read ({reason}); copy it again, or {_CONVERT}")
