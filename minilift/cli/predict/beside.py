"""The video or photo that the keypoints of a file are of, where the user names it: to be drawn over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minilift.errors import ArgumentError, counted
from minilift.files import one_line
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.raw import Asked

UNSURE = 0.02  # of the frames of a video: files know only about how many they have


class Beside:
    """What `--media` names: it says how large pictures are, and which frames there are."""

    def __init__(self, path: str) -> None:
        """Raises InputError for what is no photo or video."""
        from minilift.video.frames import open_frames

        self.path = path
        with open_frames(path) as frames:
            self.size, self.fps, self.count = frames.size, frames.fps, frames.count

    def asked(self, asked: Asked) -> Asked:
        """What is asked of a file, with what the video says: the user's own word goes first."""
        return replace(asked, media=self.path, size=asked.size or self.size, fps=asked.fps or self.fps)

    def fitted(self, blocks: Iterator[Keypoints]) -> Iterator[Keypoints]:
        """Keypoints, block by block, that know their video, with its numbers of frames: 0 is the first.

        A file whose first frame is 1 counts from 1, and is moved by one. Raises ArgumentError where the
        pictures have another size, or the video fewer frames.
        """
        shift: int | None = None
        while True:
            try:
                found = next(blocks, None)
            except ArgumentError as problem:
                raise self._told(problem) from None
            if found is None:
                return
            if shift is None:
                shift = 1 if int(found.frames[0]) == 1 else 0
            yield self._fitted(found, shift)

    def _fitted(self, found: Keypoints, shift: int) -> Keypoints:
        if found.size is not None and found.size != self.size:
            (width, height), (w, h) = self.size, found.size
            problem = f"has pictures of {width}x{height} pixels, the keypoints are of {w}x{h}"
            raise ArgumentError("media", self.path, f"{problem}; give the video that they are of")
        last = int(found.frames[-1]) - shift
        if self.count is not None and last >= self.count * (1 + UNSURE) + 1:
            problem = f"has about {counted(self.count, 'frame')}, the keypoints have one of number {last:,}"
            raise ArgumentError("media", self.path, f"{problem}; give the video that they are of")
        note = f"frame {shift} of the keypoints is taken for the first of {one_line(self.path)}"
        return replace(
            found,
            frame=found.frame - shift,
            frames=found.frames - shift,
            media=self.path,
            notes=(*found.notes, note),
        )

    def _told(self, problem: ArgumentError) -> ArgumentError:
        """A size that cannot be is that of the video, where the user gave no other."""
        if problem.name != "size" or problem.value != "{}x{}".format(*self.size):
            return problem
        said = problem.problem.partition("; leave it out")[0]
        return ArgumentError("media", self.path, f"its pictures have {problem.value} pixels; {said}")
