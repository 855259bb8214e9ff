"""Poses of TensorFlow.js: MoveNet, BlazePose and PoseNet, as people save what their functions return.

Source: pose-detection/src/types.ts and README.md, and posenet/README.md of github.com/tensorflow/tfjs-models.
A pose is {keypoints: [{x, y, score, name}], score, id}, PoseNet's are [{part, position: {x, y}, score}]. ml5
puts PoseNet's into {pose}, and calls scores confidence. keypoints3D is metres and is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.points import Pose, add_all, is_point, pose_of
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, is_list_of

_LOOKED_AT = 100


def _joints(pose: Any) -> list[Any]:
    if isinstance(pose, dict) and isinstance(pose.get("pose"), dict):
        pose = pose["pose"]
    found = pose.get("keypoints") if isinstance(pose, dict) else None
    return found if is_list_of(found, dict) else []


def _frames(found: Any) -> list[Any]:
    """Frames of poses; a list of single poses is one pose a frame, one pose is one frame."""
    if isinstance(found, dict):
        found = found.get("frames", [found])
    if not isinstance(found, list):
        return []
    return [_poses(frame) for frame in found]


def _poses(frame: Any) -> list[Any]:
    if isinstance(frame, dict):
        frame = frame.get("poses", [frame])
    return frame if isinstance(frame, list) else []


def _first(document: Document) -> Any:
    frames = _frames(document.json)[:_LOOKED_AT]
    return next((joints[0] for poses in frames for pose in poses if (joints := _joints(pose))), None)


def is_poses(document: Document) -> bool:
    joint = _first(document)
    return is_point(joint) and "position" not in joint


def is_posenet(document: Document) -> bool:
    joint = _first(document)
    return is_point(joint) and "part" in joint


def read_poses(document: Document, asked: Asked) -> Raw:
    content, rows = document.json, Rows(document.path)
    names = add_all(document.path, rows, _all(content, rows))
    found = with_unit(rows.raw(names=names))
    if is_list_of(content, dict) and len(content) > 1 and "poses" not in content[0]:
        found.notes.append(
            "a list of poses: each was taken for a frame, not for one of several people in a picture"
        )
    return found


def _all(content: Any, rows: Rows) -> Iterator[Pose]:
    for frame, poses in enumerate(_frames(content)):
        rows.frames.append(frame)
        for pose in poses:
            joints = _joints(pose)
            if joints:
                yield pose_of(frame, joints, pose.get("id"), pose.get("score"))


def with_unit(found: Raw) -> Raw:
    """Numbers that are all within 0 to 1, or not far off, are fractions of the picture."""
    known = np.abs(found.xy[np.isfinite(found.xy)])
    found.unit = FRACTION if len(known) and np.percentile(known, 90) <= 1.5 else PIXELS
    return found
