"""The table of detectors. Another one is one more file and one more row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minilift.errors import ArgumentError
from minilift.extras import Later
from minilift.files import PathLike
from minilift.video.person import Detector

_mediapipe = Later("minilift.video.detect.mediapipe")
_rtmlib = Later("minilift.video.detect.rtmlib")


@dataclass(frozen=True)
class Row:
    """A detector: how it is opened, what it finds, and what file its model is."""

    open: Callable[[PathLike | None, bool], Detector]
    """Given `model` and `still` of open_detector."""
    about: str
    model: str


DETECTORS = {
    "mediapipe": Row(
        _mediapipe.MediaPipe,
        "33 landmarks, several people, its networks inside the wheel",
        "pose_landmarker_full.task, or _lite, or _heavy",
    ),
    "rtmlib": Row(
        _rtmlib.open_rtmlib,
        "17, 26 or 133 keypoints, several people, by networks that you give",
        "RTMO as .onnx or .zip; a folder with YOLOX and RTMPose",
    ),
}


def open_detector(name: str = "mediapipe", model: PathLike | None = None, *, still: bool) -> Detector:
    """Open a detector by its name in DETECTORS.

    name   a row of DETECTORS
    model  the file with its network, where it has another one than its own
    still  for photos; else for the frames of one video, in their order

    Raises InputError, one line with the remedy, for a name that is none, a library that is missing, and a
    file that is no such network.
    """
    if name not in DETECTORS:
        raise ArgumentError("detector", name, f"must be one of {', '.join(DETECTORS)}")
    return DETECTORS[name].open(model, still)
