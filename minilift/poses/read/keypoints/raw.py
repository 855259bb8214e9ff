"""What a reader of one format gives, and what the user says about a file: the contract of all readers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PIXELS = "pixels"
FRACTION = "fraction"
"""x / width, y / height: 0 to 1."""
INCLUSIVE = "inclusive"
"""x / (width - 1), y / (height - 1): OpenPose, keypoint_scale 3."""
SIGNED_INCLUSIVE = "signed inclusive"
"""2 x / (width - 1) - 1, the same for y: OpenPose, keypoint_scale 4."""
SIGNED = "signed"
"""2 x / width - 1, 2 y / height - 1."""
WIDTH = "width"
"""2 x / width - 1, (2 y - height) / width: about the middle, both by the width, as VideoPose3D normalises."""
CENTRED = "centred"
"""SIGNED or WIDTH, which of the two is still to be found."""
SQUARE = "square"
"""Fractions of a square around the picture, which was padded evenly to it: MoveNet."""
RAYS = "rays"
"""No pixels: (x/-z, y/-z), y up, as the course's files have them."""

UNITS = (PIXELS, FRACTION, SIGNED, WIDTH)
"""What a user may say that a file has."""


@dataclass(frozen=True)
class Asked:
    """What the user says about a file; None: to be found out."""

    format: str | None = None
    layout: str | None = None
    """A name of LAYOUTS, or the name of a .json file that describes one."""
    size: tuple[int, int] | None = None
    """Width and height of the pictures in pixels."""
    fps: float | None = None
    clip: str | None = None
    """Which one, where a file or folder holds several: words of its name, such as "S9 Walking 0"."""
    padded: bool = False
    """The picture was padded to a square before the detector saw it."""
    unit: str | None = None
    """One of UNITS: what coordinates are counted in."""
    media: str | None = None
    """The path of the video or photo that the keypoints of the file are of."""


@dataclass
class Raw:
    """The n detections of a file, before layout and pixels are settled; a row is one person in one frame.

    Rows may be in any order; those of one frame stay in that of the file.
    """

    xy: np.ndarray
    """(n, J, 2) float64 in `unit`, x to the right, y down; anything where `missing`; NaN is missing too."""
    frame: np.ndarray
    """(n,) int64. A format whose files hold one frame each gives zeros; the folder knows the numbers."""
    score: np.ndarray | None = None
    """(n, J) float, None where the file has none. Never a visibility flag, never a depth."""
    missing: np.ndarray | None = None
    """(n, J) bool, by the format's own rule; None: only NaN is missing."""
    track: list[str | None] | None = None
    """(n) identities as the file writes them; None where it has none."""
    trusted: bool = False
    """The identities are such, also where all there are is one "0", as detectors write that follow no one."""
    weight: np.ndarray | None = None
    """(n,) the detector's score of the person."""
    frames: np.ndarray | None = None
    """All frames that the file speaks of, with and without people; None: those of the rows."""
    names: tuple[str, ...] | None = None
    """What the file calls its J joints; they decide the layout."""
    layout: str | None = None
    """The layout, where format or file say which; otherwise None, and their number decides."""
    unit: str = PIXELS
    size: tuple[int, int] | None = None
    fps: float | None = None
    stills: bool = False
    media: str | None = None
    """The photo or video that the points are of."""
    times: np.ndarray | None = None
    """Seconds since the first frame, for each of `frames`, where these are known."""
    focal: float | None = None
    """Focal length in pixels, where the picture tells it, and how that is known."""
    focal_source: str = ""
    notes: list[str] = field(default_factory=list)
    """What was found or assumed, a line each, for `minilift inspect`."""
    warnings: list[str] = field(default_factory=list)
    """What is suspicious, a line each, with the remedy."""
