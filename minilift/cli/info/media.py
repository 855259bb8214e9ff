"""What a photo or a video is, as `minilift predict` would take it."""

from __future__ import annotations

from typing import Any

from minilift.files import one_line
from minilift.video.frames import open_frames


def describe_media(path: str) -> dict[str, Any]:
    """Raises InputError for a file that cannot be read, and where the library that reads it is missing."""
    with open_frames(path) as frames:
        width, height = frames.size
        facts: dict[str, Any] = {
            "kind": "a photo" if frames.still else "a video",
            "size": f"{width}x{height} pixels, upright",
        }
        if frames.still:
            said = f"{frames.focal:.0f} px, {frames.focal_source}" if frames.focal is not None else None
            facts["focal length"] = said or "the file does not say"
        else:
            facts["frames per second"] = frames.fps
            facts["frames"] = frames.count if frames.count is not None else "the file does not say"
        return facts | {
            "notes": list(frames.notes),
            "warnings": list(frames.warnings),
            "more": f"minilift predict {one_line(path)}",
        }
