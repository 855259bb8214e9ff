"""A camera of this machine."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.video.frame import Frame, Mark
from minilift.video.frames.video import av_problems


class Camera:
    """Frames as they come, until it is closed. Raises InputError, of one line, where there is no camera."""

    still = False
    focal: float | None = None
    focal_source = ""
    count: int | None = None

    def __init__(self, number: int) -> None:
        self.path = Path(f"camera:{number}")
        self.notes: list[str] = []
        self.warnings: list[str] = []
        source = _by_system(number) or _by_opencv(number)
        if source is None:
            remedy = "connect one, or give another number, such as camera:1"
            raise InputError(f"{self.path}: there is no camera that can be opened here; {remedy}")
        self._source = source
        self.fps: float | None = source.fps
        self.size = source.size

    def frames(self, start: int = 0, after: Mark | None = None) -> Iterator[Frame]:
        """Numbers begin with `start`, times with the first frame of this call."""
        begin, number = time.monotonic(), start
        while True:
            image = self._source.read()
            if image is None:
                self.warnings.append("the camera gives no more pictures")
                return
            yield Frame(number, time.monotonic() - begin, image)
            number += 1

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def device_of(number: int) -> tuple[str, str] | None:
    """What PyAV opens for a camera, and the format; None where it opens none by number."""
    if sys.platform.startswith("linux"):
        return f"/dev/video{number}", "v4l2"
    return (str(number), "avfoundation") if sys.platform == "darwin" else None


class _Decoded:
    """A camera through PyAV."""

    def __init__(self, container: Any) -> None:
        stream = container.streams.video[0]
        self._container, self._frames = container, container.decode(stream)
        self.fps = float(stream.average_rate) if stream.average_rate else None
        self.size = stream.codec_context.width, stream.codec_context.height

    def read(self) -> np.ndarray | None:
        with suppress(*av_problems(), StopIteration):
            return np.ascontiguousarray(next(self._frames).to_ndarray(format="rgb24"))
        return None

    def close(self) -> None:
        self._container.close()


class _Captured:
    """A camera through OpenCV."""

    def __init__(self, capture: Any, first: np.ndarray) -> None:
        self._capture = capture
        self.size = first.shape[1], first.shape[0]
        fps = float(capture.get(5))  # CAP_PROP_FPS
        self.fps = fps if 0 < fps < 1000 else None

    def read(self) -> np.ndarray | None:
        there, image = self._capture.read()
        return np.ascontiguousarray(image[..., ::-1]) if there else None

    def close(self) -> None:
        self._capture.release()


def _by_system(number: int) -> _Decoded | None:
    device = device_of(number)
    if device is None:
        return None
    # No such camera or format, it may not be used, or there is no PyAV
    with suppress(ValueError, IndexError), suppress(*av_problems()):
        return _Decoded(load("av", "a camera", "video").open(device[0], format=device[1]))
    return None


def _by_opencv(number: int) -> _Captured | None:
    if importlib.util.find_spec("cv2") is None or sys.platform.startswith("linux"):
        return None  # on Linux it would open the same device, and chatter about it
    capture = importlib.import_module("cv2").VideoCapture(number)
    there, first = capture.read()
    if there:
        return _Captured(capture, first)
    capture.release()
    return None
