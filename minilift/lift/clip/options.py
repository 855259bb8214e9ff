"""What may be said about lifting a clip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.poses.body.body import Body
from minilift.poses.body.prior import Prior
from minilift.poses.lens.axes import NAMES as AXES
from minilift.poses.lens.camera import Camera
from minilift.poses.tracks.smooth import WAYS as SMOOTH

CONFIDENCE = 0.2
"""Below it a joint counts as not seen. What detectors say of hidden or guessed joints is mostly less."""

_BOUNDS = {
    "focal": (1.0, 1e6),
    "fov": (1.0, 178.0),
    "height": (0.3, 3.0),
    "distance": (0.05, 1000.0),
    "noise": (0.0, 1000.0),
    "confidence": (0.0, 1000.0),
}


@dataclass(frozen=True)
class LiftOptions:
    """camera      what took the pictures; None: one that the size of the pictures suggests
    focal       its focal length in pixels alone, or
    fov         its horizontal field of view in degrees
    noise       pixels (image units of rays): the standard deviation of the keypoints; None: found from their
                jitter and scores
    confidence  a joint with a lower score counts as not seen
    person      one person alone: an id, "longest" or "largest"; None: all
    height      metres, of the person (of all of them alike, where there are several): sets the scale
    distance    metres from the camera to the mid-hip: sets the scale. A number is the median over the clip; a
                mapping has it by frame, of one person, and makes poses better, too
    same        people keep their distance over the clip: they stay where they are, or the camera follows
    body        one body a person: "auto" finds it from the clip, "none" uses none, or it is given
    axes        of the answer: AXES, docs/cameras.md
    level       turn the ground level, where feet show it
    fill        gaps of up to so many frames are filled: of single joints in the picture, of people in space
    smooth      over time: one of SMOOTH, or None
    flip        average with the mirrored pose, half as fast
    known       what is known of everyone's body before the clip; None: what a height says
    project     move seen joints onto the rays of their keypoints, as weights with a ray head do anyway

    Raises ArgumentError for values that cannot be.
    """

    camera: Camera | None = None
    focal: float | None = None
    fov: float | None = None
    noise: float | None = None
    confidence: float = CONFIDENCE
    person: str | None = None
    height: float | None = None
    distance: float | Mapping[int, float] | None = None
    same: bool = False
    body: Body | str = "auto"
    known: Prior | None = None
    axes: str = "camera"
    level: bool = False
    fill: int = 0
    smooth: str | None = None
    flip: bool = False
    project: bool = False

    @property
    def metres(self) -> float | None:
        """The median distance, where it is known."""
        if isinstance(self.distance, Mapping):
            return float(np.median(list(self.distance.values())))
        return self.distance

    @property
    def course(self) -> Mapping[int, float] | None:
        """How the distance changes over the frames, where that is known: `Scale.course`."""
        return {0: 1.0} if self.same else self.distance if isinstance(self.distance, Mapping) else None

    def __post_init__(self) -> None:
        if isinstance(self.distance, Mapping):
            low, high = _BOUNDS["distance"]
            wrong = [metres for metres in self.distance.values() if not low <= metres <= high]
            if wrong or not self.distance:
                problem = f"must be from {low:g} to {high:g} in every frame"
                raise ArgumentError("distance", wrong[0] if wrong else "no frame", problem)
            if self.same:
                problem = "says how distances change, and so does {0}; give one of them"
                raise ArgumentError("same", True, problem, ("distance", counted(len(self.distance), "frame")))
        for name, (low, high) in _BOUNDS.items():
            value = self.metres if name == "distance" else getattr(self, name)
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise ArgumentError(name, value, f"must be from {low:g} to {high:g}")
        for name, known in (("axes", AXES), ("smooth", (None, *SMOOTH))):
            if getattr(self, name) not in known:
                words = ", ".join(str(word) for word in known if word)
                raise ArgumentError(name, getattr(self, name), f"unknown; use one of {words}")
        if isinstance(self.body, str) and self.body not in ("auto", "none"):
            raise ArgumentError("body", self.body[:40], "unknown; use auto, none, or a body")
        if self.height is not None and self.distance is not None:
            problem = "sets the scale, and so does {0}; give one of them"
            raise ArgumentError("height", self.height, problem, ("distance", self.metres))
        given = [name for name in ("camera", "focal", "fov") if getattr(self, name) is not None]
        if len(given) > 1:
            problem = "says what {0} says; give one of them"
            raise ArgumentError(given[1], getattr(self, given[1]), problem, (given[0], "..."))
        if self.fill < 0:
            raise ArgumentError("fill", self.fill, "must be at least 0")
        if self.level and self.axes == "camera":
            problem = "has no ground in the axes of the camera; give {0} or z-up"
            raise ArgumentError("level", True, problem, ("axes", "y-up"))
