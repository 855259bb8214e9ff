"""The one table of the formats of 2D keypoints. A new one is a file in this room and a row below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minilift.poses.read.keypoints.document import JSON, Document
from minilift.poses.read.keypoints.openpose import is_openpose, read_openpose
from minilift.poses.read.keypoints.raw import Asked, Raw


@dataclass(frozen=True)
class Format:
    """A format of files of 2D keypoints."""

    name: str
    about: str
    """What writes it, for people."""
    kinds: tuple[str, ...]
    """The kinds of `Document` that it can be."""
    fits: Callable[[Document], bool]
    """Whether a document of such a kind has this format, without doubt. Must not raise on rubbish."""
    read: Callable[[Document, Asked], Raw]
    """Raises InputError of one line, naming the file, for what it cannot read."""
    one_frame: bool = False
    """A file is one frame; the files of a folder are a clip, and their names have the frames' numbers."""
    holes: bool = False
    """A frame without people has no file, so that numbers left out are frames, not holes."""


FORMATS: tuple[Format, ...] = (
    Format("openpose", "OpenPose, a JSON file a frame", (JSON,), is_openpose, read_openpose, one_frame=True),
)
"""Looked through from the first to the last: what is told by less comes later."""
