"""People lifted to 3D: what `predict` gives and every writer takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minilift.poses.joint_state import ESTIMATED
from minilift.poses.layouts import COURSE15


@dataclass(frozen=True)
class LiftedPeople:
    """n rows, each one person in one frame, by frame, then by person. Joints are those of COURSE15."""

    joint_3d: np.ndarray
    """(n, 15, 3) float32 in `unit` and `axes`; NaN for a person without any joint."""
    root: np.ndarray
    """(n, 3) float32: the mid-hip, in the same unit and axes; over the frames it is the path."""
    joint_2d: np.ndarray
    """(n, 15, 2) float32 pixels, x to the right, y down (rays, y up, where `rays`); NaN where not seen."""
    root_2d: np.ndarray
    """(n, 2) float32: the same of the mid-hip."""
    frame: np.ndarray
    """(n,) int64, as the file counts."""
    person: np.ndarray
    """(n,) int64: the same number is the same person in every frame."""
    confidence: np.ndarray
    """(n, 15) float32, NaN where the file has no scores."""
    state: np.ndarray
    """(n, 15) uint8: where each joint comes from, `minilift.poses.joint_state`."""
    expected_error: np.ndarray | None = None
    """(n, 15) float32 in `unit`: how far off each joint is on average; None where the weights do not say."""
    interval: np.ndarray | None = None
    """(n, 15, 2) float32 in `unit`: 90% of the errors lie between these two."""
    unlike: np.ndarray | None = None
    """(n,) bool: the pose is unlike the training data."""
    check: np.ndarray | None = None
    """(n,) float32: mean distance in pixels between the seen 2D joints and the projected 3D ones."""
    axes: str = "camera"
    """camera, y-up or z-up: docs/cameras.md."""
    unit: str = "root-depth"
    """root-depth, or m for metres."""
    to_camera: np.ndarray = field(default_factory=lambda: np.eye(3, 4))
    """(3, 4): camera axes <- `axes`, [R | t] in `unit`."""
    layout: str = "course15"
    format: str = ""
    fps: float | None = None
    size: tuple[int, int] | None = None
    stills: bool = False
    rays: bool = False
    camera: dict[str, Any] = field(default_factory=dict)
    """fx, fy, cx, cy, distortion and source (how they are known), as `Camera.as_dict` gives them."""
    people: dict[int, str] = field(default_factory=dict)
    """What the file calls each person, where it gives them ids."""
    body: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The body of each person that one was found for or given, as `poses.body.body.Body.as_dict` has it."""
    media: str | None = None
    """The path of the photo or video that they are on, where it is known."""
    times: np.ndarray | None = None
    """(n,) float64: seconds since the first frame of the video; None where they are not known."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    joint_names = COURSE15.joints

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def mask(self) -> np.ndarray:
        """(n, 15) bool, true where no detector saw the joint in this frame: it was placed or filled."""
        return np.asarray(self.state > ESTIMATED)

    def take(self, rows: np.ndarray | slice) -> LiftedPeople:
        """The people of these rows (indices, mask or slice), in this order."""
        names = (
            "joint_3d", "root", "joint_2d", "root_2d", "frame", "person", "confidence", "state",
            "expected_error", "interval", "unlike", "check", "times",
        )  # fmt: skip
        arrays: dict[str, Any] = {name: getattr(self, name) for name in names}
        taken: dict[str, Any] = {k: None if v is None else v[rows] for k, v in arrays.items()}
        return replace(self, **taken)
