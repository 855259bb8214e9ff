"""Which files are pictures and videos: by the ending of the name, and without one by how they begin."""

from __future__ import annotations

import os
import re
from pathlib import Path

from minilift.files import PathLike

PHOTO, VIDEO, CAMERA = "photo", "video", "camera"

PHOTOS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".heic"),
    *(".heif", ".hif", ".jp2", ".ppm", ".pgm", ".tga"),
)
VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv"),
    *(".flv", ".3gp", ".3g2", ".ogv", ".vob", ".mjpg", ".mjpeg"),
)
HEIF = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")
"""How pictures of newer phones go on after four bytes."""

_STARTS = (
    (b"\xff\xd8\xff", PHOTO), (b"\x89PNG\r\n\x1a\n", PHOTO), (b"GIF8", PHOTO), (b"BM", PHOTO),
    (b"II*\0", PHOTO), (b"MM\0*", PHOTO), (b"\x1aE\xdf\xa3", VIDEO), (b"FLV\x01", VIDEO),
    (b"\0\0\x01\xba", VIDEO), (b"\0\0\x01\xb3", VIDEO),
)  # fmt: skip


def kind_of_media(path: PathLike) -> str:
    """PHOTO, VIDEO or CAMERA; empty for anything else. Only a file without an ending is looked into."""
    name = os.fspath(path)
    if re.fullmatch(r"camera:\d{1,3}", name):
        return CAMERA
    ending = Path(name).suffix.lower()
    if ending in PHOTOS:
        return PHOTO
    if ending in VIDEOS:
        return VIDEO
    return _by_content(name) if not ending and os.path.isfile(name) else ""


def is_media(path: PathLike) -> bool:
    return bool(kind_of_media(path))


def _by_content(name: str) -> str:
    try:
        with open(name, "rb") as file:
            start = file.read(16)
    except OSError:
        return ""
    if start[4:8] == b"ftyp":
        return PHOTO if start[4:12] in (*HEIF, b"ftypavif") else VIDEO
    if start[:4] == b"RIFF":
        return {b"WEBP": PHOTO, b"AVI ": VIDEO}.get(start[8:12], "")
    return next((kind for beginning, kind in _STARTS if start.startswith(beginning)), "")
