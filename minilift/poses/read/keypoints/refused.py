"""What people give in place of 2D keypoints, told by name: a row says how it is known and what to do
instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minilift.poses.read.keypoints.document import HDF5, JSON, NPY, NPZ, OTHER, PICKLE, TEXT, Document

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
    return lambda document: document.start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(words)


_LOOKED_AT = 100


def _objects(document: Document) -> list[dict[str, Any]]:
    """The object that a file is, or those of its list, or of the lists in it."""
    found: Any = document.json
    items = found[:_LOOKED_AT] if isinstance(found, list) else [found]
    flat = [one for item in items for one in (item[:_LOOKED_AT] if isinstance(item, list) else [item])]
    return [one for one in flat if isinstance(one, dict)]


def _boxes(document: Document) -> bool:
    found = _objects(document)
    boxes = [bool({"bbox", "box"} & one.keys()) and "keypoints" not in one for one in found]
    return bool(boxes) and all(boxes)


_3D = {
    "worldLandmarks", "pose_world_landmarks", "poseWorldLandmarks", "keypoints3D", "keypoints_3d",
    "joints_3d", "joints3d", "pose_3d", "pose_keypoints_3d",
}  # fmt: skip
_2D = {"landmarks", "pose_landmarks", "poseLandmarks", "keypoints", "keypoints_2d", "people", "predictions"}


def _only_3d(document: Document) -> bool:
    found = _objects(document)
    return any(_3D & one.keys() for one in found) and not any(_2D & one.keys() for one in found)


def _body_model(document: Document) -> bool:
    """Parameters of SMPL and its like."""
    return any("betas" in one and "keypoints" not in one for one in _objects(document)[:1])


def _nothing(document: Document) -> bool:
    return document.json in ([], {}, None)


def _people(document: Document) -> bool:
    return isinstance(document.json, dict) and document.json.get("schema") == "minilift people"


_RUN = "minilift predict finds the people in it, if it or its folder is named (docs/video.md)"
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
    Refused(_people, "is 3D already: it is what minilift predict wrote; give its input", (JSON,)),
    Refused(_only_3d, f"has 3D keypoints alone: it {_ALREADY}; give the 2D ones", (JSON,)),
    Refused(_body_model, f"has parameters of a body model, as SMPL's, which {_ALREADY}", (JSON,)),
    Refused(_nothing, "is empty: it has no people in it; check the detector", (JSON,)),
)
