"""Photos, videos and cameras as upright pictures with numbers and times."""

from minilift.video.frames.kinds import is_media
from minilift.video.frames.open import open_frames

__all__ = ["is_media", "open_frames"]
