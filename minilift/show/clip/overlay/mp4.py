"""Pictures as an .mp4 that any player shows: H.264, or MPEG-4 where PyAV comes without it."""

from __future__ import annotations

from fractions import Fraction
from queue import Queue
from threading import Thread
from typing import Any, BinaryIO

import numpy as np

from minilift.extras import load
from minilift.show.clip.overlay.letters import PURPOSE

ONE = {"threads": "1"}  # with more of them, equal pictures gave other bytes from run to run
# Without the macroblock tree: where a width is no multiple of 128, x264's code for AVX-512 reads memory there
# that nobody has written, and equal pictures gave other bytes
QUALITY = {"preset": "veryfast", "crf": "20", "mbtree": "0"}
TICKS = {"libx264": 120_000, "mpeg4": 60_000}  # a second: whole for all usual rates; MPEG-4 has 16 bits
BITS = 0.2  # of MPEG-4, a pixel a second at 25 frames: H.264 has a quality instead
WAITING = 3  # pictures between who draws and who encodes
BT709 = 1  # the number of the colours of HD pictures in H.264


class Mp4:
    """Encodes in a thread of its own while the next picture is drawn; a context manager.

    Pictures have one even size (width, height). Leaving it with an exception drops what is not encoded yet.
    """

    def __init__(self, file: BinaryIO, size: tuple[int, int], rate: float) -> None:
        self._av: Any = load("av", PURPOSE)
        name = next((one for one in TICKS if one in self._av.codecs_available), "mpeg4")
        self._container = self._av.open(file, "w", format="mp4")
        self._stream = stream = self._container.add_stream(name, rate=Fraction(rate).limit_denominator(1001))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS[name])
        stream.codec_context.color_range = stream.codec_context.colorspace = BT709
        stream.codec_context.color_primaries = stream.codec_context.color_trc = BT709
        stream.options = {**ONE, **QUALITY} if name == "libx264" else ONE
        if name != "libx264":
            stream.bit_rate = int(BITS * 25 * size[0] * size[1])
        self._ticks, self._last = TICKS[name], -1
        self._queue: Queue[Any] = Queue(WAITING)
        self._problem: BaseException | None = None
        self._thread = Thread(target=self._encode, daemon=True)

    def add(self, picture: np.ndarray, time: float) -> None:
        """The next picture (H, W, 3) uint8, which is copied, at `time` in seconds; times ascend."""
        frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = self._last = max(round(time * self._ticks), self._last + 1)
        frame.time_base = Fraction(1, self._ticks)
        self._queue.put(frame)
        if self._problem is not None:
            raise self._problem

    def _encode(self) -> None:
        """Take pictures until there is none; after a problem, take them and do nothing."""
        while (frame := self._queue.get()) is not None:
            if self._problem is not None:
                continue
            try:
                pts, base = frame.pts, frame.time_base
                frame = frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=BT709)
                frame.pts, frame.time_base = pts, base
                self._container.mux(self._stream.encode(frame))
            except BaseException as problem:  # told by the next `add`, in the thread of who draws
                self._problem = problem

    def __enter__(self) -> Mp4:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._problem is None:
            self._problem = KeyboardInterrupt()  # what waits is of no use any more
        self._queue.put(None)
        self._thread.join()
        try:
            if self._problem is None:
                self._container.mux(self._stream.encode())
            self._container.close()
        except Exception as problem:  # of a disk that is full: also while an earlier problem is on its way
            self._problem = self._problem or problem
        if kind is None and self._problem is not None:
            raise self._problem
