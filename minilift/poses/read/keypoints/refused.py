"""What people give in place of 2D keypoints, told by name: a row says how it is known and what to do
instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minilift.poses.read.keypoints.document import HDF5, JSON, NPY, NPZ, OTHER, PICKLE, TEXT, Document
from minilift.poses.read.keypoints.rows import is_list_of

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Refused:
    """A kind of file that is no input: what it is and the remedy, in one line."""

    fits: Callable[[Document], bool]
    problem: str
    kinds: tuple[str, ...] = (JSON, TEXT, NPY, NPZ, HDF5, PICKLE, OTHER)


def _ends(*suffixes: str) -> Callable[[Document], bool]:
    return lambda document: document.path.name.lower().endswith(suffixes)


def _starts(*words: bytes) -> Callable[[Document], bool]:
    return lambda document: document.content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(words)


def _boxes(document: Document) -> bool:
    found: Any = document.json
    return is_list_of(found, dict) and "bbox" in found[0] and "keypoints" not in found[0]


def _nothing(document: Document) -> bool:
    return document.json in ([], {}, None)


_RUN = "run a 2D detector on it first (docs/your-keypoints.md)"
_ALREADY = "is 3D already: nothing is left to lift"

REFUSED = (
    Refused(_ends(*_VIDEOS), f"is a video, not keypoints; {_RUN}"),
    Refused(_ends(*_PICTURES), f"is a picture, not keypoints; {_RUN}"),
    Refused(_starts(b"HIERARCHY"), f"is a BVH clip, which {_ALREADY}; minilift data clips makes poses of it"),
    Refused(_ends(".c3d"), f"is a C3D file, which {_ALREADY}; give 2D keypoints"),
    Refused(
        _ends(".pk"), f"is a pickle of Python, as HybrIK's, which {_ALREADY}; it is not opened", (PICKLE,)
    ),
    Refused(_starts(b"%YAML"), "is OpenCV's YAML; let OpenPose write JSON instead (its option write_json)"),
    Refused(_boxes, "has boxes of people but no keypoints; give the results of a keypoint model", (JSON,)),
    Refused(_nothing, "is empty: it has no people in it; check the detector", (JSON,)),
)
