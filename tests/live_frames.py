"""Two people who walk, frame by frame: as keypoints, and as the lines of a stream."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from walkers import FPS, SIZE, walkers

from minilift import Lifter
from minilift.poses.keypoints import Keypoints, frame_of
from minilift.poses.lens.camera import Camera
from minilift.poses.lifted import LiftedPeople

LIFTER = Lifter.load()
TALL = 1.75


def people(frames: int = 40, count: int = 2) -> LiftedPeople:
    """Those of known 3D in the camera's axes, who are seen."""
    found = walkers(frames, count, axes="camera")
    return found.take(~np.isnan(found.joint_2d).all(axis=(1, 2)))


def camera(of: LiftedPeople) -> Camera:
    return Camera(*(of.camera[name] for name in ("fx", "fy", "cx", "cy")), size=SIZE)


def frames(of: LiftedPeople, ids: bool = False, noise: float = 0.0) -> list[Keypoints]:
    rng = np.random.default_rng(0)
    found = []
    for number in np.unique(of.frame).tolist():
        rows = of.frame == number
        xy = of.joint_2d[rows] + noise * rng.standard_normal(of.joint_2d[rows].shape)
        names = [f"p{one}" for one in of.person[rows]] if ids else None
        sure = np.where(np.isnan(xy[..., 0]), 0, 0.9)
        found.append(
            frame_of(xy, sure, layout="course15", frame=number, time=number / FPS, size=SIZE, ids=names)
        )
    return found


def joints(found: Keypoints, row: int) -> list[Any]:
    """x, y, score of the joints, null where not seen."""
    return [
        [None, None, 0] if lost else [round(x, 2), round(y, 2), 0.9]
        for (x, y), lost in zip(found.xy[row].tolist(), found.missing[row].tolist(), strict=True)
    ]


def line(found: Keypoints, **more: Any) -> str:
    """A frame in our own schema."""
    who = [{"keypoints": joints(found, row)} for row in range(len(found))]
    assert found.times is not None
    value = {"frame": int(found.frames[0]), "time": float(found.times[0]), "people": who, "size": SIZE}
    return json.dumps({**value, "layout": "course15", **more})
