"""Poses of TensorFlow.js: MoveNet, BlazePose and PoseNet, as people save what their functions return.

Source: pose-detection/README.md and posenet/README.md of github.com/tensorflow/tfjs-models: poses are lists
of {keypoints: [{x, y, score, name}]}, PoseNet's keypoints {part, position: {x, y}, score}. keypoints3D is
metres.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, is_list_of


def _joints(pose: Any) -> list[Any]:
    found = pose.get("keypoints") if isinstance(pose, dict) else None
    return found if is_list_of(found, dict) else []


def _frames(found: Any) -> list[Any]:
    """Frames of poses; a list of single poses is one pose a frame, one pose is one frame."""
    if isinstance(found, dict):
        found = found.get("poses", found.get("frames", [found]))
    if not isinstance(found, list):
        return []
    return [frame if isinstance(frame, list) else [frame] for frame in found]


def is_poses(document: Document) -> bool:
    joints = _joints(first_of([first_of(frame) for frame in _frames(document.json)[:100]]))
    return bool(joints) and {"x", "y"} <= joints[0].keys() and "name" in joints[0]


def is_posenet(document: Document) -> bool:
    joints = _joints(first_of([first_of(frame) for frame in _frames(document.json)[:100]]))
    return bool(joints) and isinstance(joints[0].get("position"), dict) and "part" in joints[0]


def read_poses(document: Document, asked: Asked) -> Raw:
    return _read(document, "name")


def read_posenet(document: Document, asked: Asked) -> Raw:
    return _read(document, "part")


def _read(document: Document, name: str) -> Raw:
    rows, names = Rows(document.path), None
    for frame, poses in enumerate(_frames(document.json)):
        rows.frames.append(frame)
        for pose in poses:
            joints = _joints(pose)
            if not joints:
                continue
            here = tuple(str(joint.get(name)) for joint in joints)
            if names is not None and here != names:
                raise file_error(
                    document.path, f"names other joints in frame {frame}; keep one layout in a clip"
                )
            names = here
            places = [_place(joint) for joint in joints]
            scores = [joint.get("score") for joint in joints]
            rows.add(frame, places, 2, scores=scores, track=pose.get("id"), weight=pose.get("score"))
    found = rows.raw(names=names)
    if found.score is not None and not np.isfinite(found.score).any():
        found.score = None
    return with_unit(found)


def _place(joint: Any) -> list[Any]:
    at = joint.get("position", joint) if isinstance(joint, dict) else {}
    return [at.get("x"), at.get("y")] if isinstance(at, dict) else [None, None]


def with_unit(found: Raw) -> Raw:
    """Numbers that are all within 0 to 1, or not far off, are fractions of the picture."""
    known = np.abs(found.xy[np.isfinite(found.xy)])
    found.unit = FRACTION if len(known) and np.percentile(known, 90) <= 1.5 else PIXELS
    return found


def is_named(document: Document) -> bool:
    """A list of frames, each {joint: {x, y}}: one person."""
    found = document.json
    if not is_list_of(found, dict) or "keypoints" in found[0]:
        return False
    joints = list(found[0].values())
    return len(joints) > 2 and all(
        isinstance(joint, dict) and {"x", "y"} <= joint.keys() for joint in joints[:3]
    )


def read_named(document: Document, asked: Asked) -> Raw:
    frames = document.json
    names = tuple(dict.fromkeys(name for frame in frames if isinstance(frame, dict) for name in frame))
    rows = Rows(document.path)
    for number, frame in enumerate(frames):
        rows.frames.append(number)
        if isinstance(frame, dict) and frame:
            joints = [frame.get(name, {}) for name in names]
            scores = [joint.get("score") if isinstance(joint, dict) else None for joint in joints]
            rows.add(number, [_place(joint) for joint in joints], 2, scores=scores)
    found = rows.raw(names=names)
    if found.score is not None and not np.isfinite(found.score).any():
        found.score = None
    return with_unit(found)
