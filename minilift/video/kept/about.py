"""What kept detections are of: the video, the detector, and which frames."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from minilift.files import os_error
from minilift.video.frame import Frames
from minilift.video.person import Detector

VERSION = 1
_HEAD = 1 << 20  # bytes of the file that are compared


def about(frames: Frames, detector: Detector, every: int) -> dict[str, Any]:
    """All that is the same for every frame, fit for JSON. `of` tells whether detections may be used again."""
    return {
        "of": {
            "version": VERSION,
            **_file(frames),
            "detector": detector.name,
            "joints": list(detector.layout.joints),
            "every": every,
        },
        "size": list(frames.size),
        "fps": None if frames.fps is None else frames.fps / every,
        "focal": frames.focal,
        "focal_source": frames.focal_source,
        "media": str(frames.path),
    }


def _file(frames: Frames) -> dict[str, Any]:
    """What tells a file from another one, and from itself when it has changed; nothing of a camera."""
    if not os.path.isfile(frames.path):
        return {"bytes": None, "changed": None, "begins": None}
    try:
        status = os.stat(frames.path)
        with open(frames.path, "rb") as file:
            begins = hashlib.sha256(file.read(_HEAD)).hexdigest()
    except OSError as error:
        raise os_error(frames.path, error, "check the file") from None
    return {"bytes": status.st_size, "changed": status.st_mtime_ns, "begins": begins}
