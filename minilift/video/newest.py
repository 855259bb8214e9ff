"""The newest frame of a camera, or of a video at its pace: what the detector is too slow for is left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from minilift.poses.keypoints import Keypoints, frame_of
from minilift.video.frame import Frame, Frames
from minilift.video.person import Detector, Remembers


class Newest:
    """Frames, each the newest when it is asked for: a thread reads ahead and keeps one.

    `pace`: a frame comes no sooner than its time says, as those of a camera do by themselves. What reading
    raises is raised here, behind the last frame.
    """

    def __init__(self, frames: Frames, pace: bool) -> None:
        self._frames, self._pace = frames, pace
        self._change = threading.Condition()
        self._frame: Frame | None = None
        self._ended, self._stop = False, threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="minilift-frames", daemon=True)

    def __iter__(self) -> Iterator[Frame]:
        self._thread.start()
        while (frame := self._next()) is not None:
            yield frame
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        """Read no further; a camera that gives nothing is not waited for longer than a second."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _next(self) -> Frame | None:
        with self._change:
            while self._frame is None and not self._ended:
                self._change.wait(0.2)  # with a limit, so that Ctrl-C is heard everywhere
            frame, self._frame = self._frame, None
            return frame

    def _read(self) -> None:
        began = time.monotonic()
        try:
            for frame in self._frames.frames():
                if self._pace and frame.time is not None:
                    self._stop.wait(max(began + frame.time - time.monotonic(), 0))
                if self._stop.is_set():
                    break
                self._put(frame)
        except BaseException as problem:  # whatever it is, it is for the thread that takes the frames
            self._problem = problem
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _put(self, frame: Frame) -> None:
        with self._change:
            self._frame = frame
            self._change.notify_all()


def seen(frames: Newest, detector: Detector, size: tuple[int, int]) -> Iterator[tuple[Keypoints, np.ndarray]]:
    """The people of every frame, as keypoints of that frame alone, and its picture (H, W, 3).

    `size` is width and height of the pictures.
    """
    if isinstance(detector, Remembers):
        detector.reset()
    for frame in frames:
        people = detector(frame)
        joints = len(detector.layout)
        weights = [np.nan if one.weight is None else one.weight for one in people]
        found = frame_of(
            np.array([one.xy for one in people], np.float64).reshape(-1, joints, 2),
            np.array([one.score for one in people], np.float32).reshape(-1, joints),
            missing=np.array([one.missing for one in people], bool).reshape(-1, joints),
            weight=np.array(weights, np.float64),
            layout=detector.layout.name,
            frame=frame.number,
            time=frame.time,
            size=size,
        )
        yield replace(found, format=detector.name), frame.image
