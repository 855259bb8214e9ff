"""Lifted people drawn over the photo or video that they are of, to a .png or an .mp4."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.errors import counted
from minilift.extras import load, require
from minilift.files import PathLike, write_atomically
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import People, Written, head_of
from minilift.show.clip.overlay.letters import EXTRA, PURPOSE
from minilift.show.clip.overlay.mp4 import Mp4
from minilift.show.clip.overlay.painter import Painter
from minilift.show.clip.overlay.rows import Rows, by_frame, rows_of, sample_of
from minilift.show.clip.overlay.source import Ground, Source, check_size, of_media, of_nothing
from minilift.show.clip.stage import build, fit_to_draw

VIDEO, PHOTO = ".mp4", ".overlay.png"


def photo_path(path: PathLike) -> Path:
    """The picture that is written for a photo, where `path` is what a video's would be called."""
    return Path(path).with_suffix(PHOTO)


def write_overlay(path: PathLike, people: People) -> Written:
    """Draw keypoints over the photo or video that they are of, with the people in 3D beside it.

    `path` ends in .mp4. A video has as many frames, at the same times; of a photo it is a .png, `photo_path`.
    Without `media`, the ground is plain. Memory does not grow with the frames, and a file is whole or not
    there. Raises InputError for `media` that cannot be read, pictures of another size, without Pillow or
    PyAV, and where no one can be shown.
    """
    require("PIL", PURPOSE, EXTRA)
    head = head_of(people)
    sample = fit_to_draw(sample_of(people), path)
    with contextlib.ExitStack() as stack:
        if head.media is None:
            source = of_nothing(people, head, path)
        else:
            from minilift.video.frames import open_frames

            source = of_media(stack.enter_context(open_frames(head.media)))
            check_size(head, source, head.media)
        stage = build(sample)
        several = len(np.unique(sample.person)) > 1
        still = source.still or head.stills
        painter = Painter(source.size, stage, still, several, head.expected_error is not None)
        drawing = Drawing(head, source, painter, by_frame(people, stage.height), stage.height)
        if source.still:
            path = photo_path(path)
            write_atomically(path, lambda file: _write_photo(file, drawing))
        else:
            require("av", PURPOSE)
            write_atomically(path, lambda file: _write_video(file, drawing))
    return Written((Path(path),), drawing.notes())


class Drawing:
    """Draws frame after frame, each with the people who are in it."""

    def __init__(
        self, head: LiftedPeople, source: Source, painter: Painter, people: Iterator[tuple[int, Rows]],
        height: float,
    ) -> None:  # fmt: skip
        self.head, self.source, self.painter = head, source, painter
        self._people, self._nobody = people, rows_of(head, height)
        self._next = next(people, None)
        self._left = 0

    def draw(self, ground: Ground) -> np.ndarray:
        """The drawing of a frame (H, W, 3); the next one draws over it."""
        while self._next is not None and self._next[0] < ground.number:
            self._left += 1
            self._next = next(self._people, None)
        rows = self._nobody
        if self._next is not None and self._next[0] == ground.number:
            rows = self._next[1]
            self._next = next(self._people, None)
        return self.painter.draw(ground.image, rows, self._words(ground))

    def _words(self, ground: Ground) -> str:
        if self.source.still:
            return ""
        if self.head.stills:
            return f"picture {ground.number}"
        return f"frame {ground.number}   {ground.time:.2f} s"

    def notes(self) -> tuple[str, ...]:
        """What could not be drawn, a line each."""
        self._left += sum(1 for _ in self._people) + (self._next is not None)
        left = counted(self._left, "frame")
        line = f"{left} with people not drawn: {self.head.media} has none of that number"
        return (line,) if self._left else ()


def _write_photo(file: BinaryIO, drawing: Drawing) -> None:
    picture = drawing.draw(next(drawing.source.grounds))
    load("PIL.Image", PURPOSE, EXTRA).fromarray(picture).save(file, "PNG", compress_level=4)


def _write_video(file: BinaryIO, drawing: Drawing) -> None:
    from tqdm import tqdm

    source: Any = drawing.source
    bar = tqdm(total=source.count, desc="drawing", unit=" frames", delay=1, leave=False, disable=None)
    with bar, Mp4(file, drawing.painter.sizes.whole, source.rate) as video:
        for ground in source.grounds:
            video.add(drawing.draw(ground), ground.time)
            bar.update()
