"""Videos and photos made for the tests: every picture shows which one it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZE = (64, 48)


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3): a grey that grows with the number, the upper left quarter red, the upper right one blue."""
    width, height = size
    image = np.full((height, width, 3), 40 + 8 * (number % 25), np.uint8)
    image[: height // 2, : width // 2] = 220, 30, 30
    image[: height // 2, width // 2 :] = 30, 30, 220
    return image


def number_of(image: np.ndarray) -> int:
    """The number of a picture, modulo 25, by the grey of its lower half."""
    lower = image[image.shape[0] * 3 // 4 :, image.shape[1] // 3 : image.shape[1] * 2 // 3]
    return round((float(lower.mean()) - 40) / 8)


def write_video(
    path: Path, frames: int = 12, *, size: tuple[int, int] = SIZE, stamps: Sequence[int] | None = None,
    rate: int = 25, codec: str = "libx264", sound: bool = False, **options: str,
) -> Path:  # fmt: skip
    """A video of `picture`s; `stamps` are their times in 1/rate s."""
    import av

    muxing = {"movflags": "faststart"} if options.pop("faststart", "") else {}
    with av.open(str(path), "w", options=muxing) as container:
        stream: Any = container.add_stream(codec, rate=rate, options={"g": "6", "b": "4000000", **options})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if sound:
            _add_sound(container)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.pts = number if stamps is None else stamps[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file with sound alone."""
    import av

    with av.open(str(path), "w") as container:
        _add_sound(container)
    return path


def _add_sound(container: Any) -> None:
    import av

    stream = container.add_stream("aac", rate=16000)
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 16000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


def turned(path: Path, matrix: tuple[float, float, float, float]) -> Path:
    """The same MP4 with a, b, c, d in the matrix of its pictures, as a phone that was turned writes it."""
    content = path.read_bytes()
    at = content.index(b"tkhd") + 44  # version 0: times, number and length stand before it
    a, b, c, d = (round(value * (1 << 16)) for value in matrix)
    numbers = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(content[:at] + numbers + content[at + 36 :])
    return path


def write_photo(path: Path, image: np.ndarray, mode: str | None = None, **options: Any) -> Path:
    """A photo; `exif` may be a dict of tags, those of the Exif part among them."""
    from PIL import Image

    made = Image.fromarray(image)
    if mode is not None:
        made = made.convert(mode)
    tags = options.pop("exif", None)
    if tags is not None:
        exif = Image.Exif()
        for tag, value in tags.items():
            part = exif.get_ifd(0x8769) if tag >= 0x8200 else exif
            part[tag] = value
        options["exif"] = exif
    content = io.BytesIO()
    made.save(content, options.pop("format", None) or path.suffix[1:].replace("jpg", "jpeg"), **options)
    path.write_bytes(content.getvalue())
    return path
