"""Where lifted people stand: how far away, in which unit, and in which axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.clip.options import LiftOptions
from minilift.poses.few import distinct
from minilift.poses.joint_state import ESTIMATED, SEEN
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import ROOT
from minilift.poses.lens.axes import Axes
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.check import reprojection
from minilift.poses.lens.scale import Scale
from minilift.poses.lens.turn import back
from minilift.poses.lifted import LiftedPeople


@dataclass
class Lifted:
    """n detections, lifted one by one: each in units of its own distance, the mid-hip straight ahead."""

    own: np.ndarray
    """(n, 15, 3) float32, the mid-hip at (0, 0, -1)."""
    rays: np.ndarray
    """(n, 15, 2) float32, what was lifted; NaN where not seen."""
    image: np.ndarray
    """(n, 15, 2) float32, the same where points are exact; else where the lifter puts them, if it was told of
    the noise: it knows people, so that is nearer to the truth, and in keeping with its depths."""
    sigma: np.ndarray
    """(n, 15) float32 image units: the standard deviation of the rays."""
    turned: np.ndarray
    """(n, 3, 3): what the rays were turned by."""
    joint_2d: np.ndarray
    root_2d: np.ndarray
    confidence: np.ndarray
    state: np.ndarray
    frame: np.ndarray
    person: np.ndarray
    expected_error: np.ndarray | None
    unlike: np.ndarray | None
    interval: np.ndarray | None
    """(n, 15, 2): 90% of the errors lie between these."""
    share: np.ndarray | None = None
    """(n, 15): what a body leaves of the spread of a pose; NaN where none was used."""

    @classmethod
    def joined(cls, parts: Sequence[Lifted]) -> Lifted:
        columns: dict[str, Any] = {}
        for field in fields(cls):
            column = [getattr(part, field.name) for part in parts]
            columns[field.name] = None if column[0] is None else np.concatenate(column)
        return cls(**columns)

    @property
    def seen(self) -> np.ndarray:
        """(n, 15) bool: what a detector gave, or made of what it gave."""
        return np.asarray(self.state <= ESTIMATED)


@dataclass(frozen=True)
class Placement:
    """What a whole clip, or a sample of it, says of every detection: its scale and its ground."""

    scale: Scale
    axes: Axes

    @classmethod
    def fit(cls, lifted: Lifted, scale: Scale, options: LiftOptions) -> Placement:
        """Of detections, and the scale that they have."""
        depth = scale.over_time(lifted.own, lifted.seen, lifted.person, lifted.frame)
        joint_3d, root = placed(lifted, depth)
        axes = Axes.fit(options.axes, joint_3d, root, lifted.seen, level=options.level)
        return cls(scale, axes)


def scale_of(lifted: Lifted, stills: bool, options: LiftOptions) -> Scale:
    """The scale by the lifter's bones. `stills`: whether the rows have nothing to do with each other."""
    course = options.course
    if course is not None and len(course) > 1 and len(np.unique(lifted.person)) > 1:
        problem = "by frame is that of one person, and there are several; choose one with {0}"
        raise ArgumentError("distance", f"{len(course)} frames", problem, ("person", "longest"))
    if course is not None and len(course) > 1 and not stills:
        low, high = min(course), max(course)
        if not ((low <= lifted.frame) & (lifted.frame <= high)).any():
            first, last = int(lifted.frame.min()), int(lifted.frame.max())
            problem = f"are frames {low} to {high}, and the clip has {first} to {last}; number them alike"
            raise ArgumentError("distance", f"{len(course)} frames", problem)
    scale = Scale.fit(
        lifted.own, lifted.seen, lifted.person, stills=stills, height=options.height,
        distance=options.metres,
    )  # fmt: skip
    return replace(scale, course=course)


def placed(lifted: Lifted, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints (n, 15, 3) and mid-hips (n, 3) in the camera's axes, where these are `depth` (n,) away."""
    joint_3d = back(lifted.own, lifted.turned) * depth[:, None, None]
    root = back(np.broadcast_to(ROOT, (len(depth), 1, 3)), lifted.turned)[:, 0] * depth[:, None]
    return joint_3d, root


def people_of(
    lifted: Lifted, found: Keypoints, camera: Camera, placement: Placement, names: dict[int, str],
    body: Mapping[int, Any], notes: tuple[str, ...], depth: np.ndarray | None = None,
) -> LiftedPeople:  # fmt: skip
    """The people of a clip, or of a block of it, where they stand; `found` are the same detections.

    `names` are what the file calls them, `body` their bodies as dicts, `notes` what is told of the scale.
    `depth` (n,) is how far away the mid-hips are; None: as the scale has it over the time of the clip.
    """
    if depth is None:
        depth = placement.scale.over_time(lifted.own, lifted.seen, lifted.person, lifted.frame, found.fps)
    joint_3d, root = placed(lifted, depth)
    check = reprojection(camera, joint_3d, lifted.joint_2d, lifted.state == SEEN)
    expected = None if lifted.expected_error is None else lifted.expected_error * depth[:, None]
    interval = None if lifted.interval is None else lifted.interval * depth[:, None, None]
    axes, present = placement.axes, set(distinct(lifted.person).tolist())
    return LiftedPeople(
        joint_3d=axes.turn(joint_3d).astype(np.float32),
        root=axes.turn(root).astype(np.float32),
        joint_2d=lifted.joint_2d.astype(np.float32),
        root_2d=lifted.root_2d.astype(np.float32),
        frame=lifted.frame,
        person=lifted.person,
        confidence=lifted.confidence.astype(np.float32),
        state=lifted.state,
        expected_error=None if expected is None else expected.astype(np.float32),
        interval=None if interval is None else interval.astype(np.float32),
        unlike=lifted.unlike,
        check=check.astype(np.float32),
        axes=axes.name,
        unit=placement.scale.unit,
        to_camera=axes.to_camera,
        layout=found.layout.name,
        format=found.format,
        fps=found.fps,
        size=found.size,
        stills=found.stills,
        rays=found.rays,
        camera=camera.as_dict(),
        people={number: name for number, name in names.items() if number in present},
        notes=(*found.notes, f"camera: {camera.source}", *notes, *axes.notes),
        warnings=found.warnings,
        body={number: one for number, one in body.items() if number in present},
        media=found.media,
        times=found.times_of(lifted.frame),
    )
