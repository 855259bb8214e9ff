"""People lifted frame by frame, as the frames come: every answer is made of the past alone."""

from minilift.lift.live.live import Live

__all__ = ["Live"]
