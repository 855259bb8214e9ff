"""OpenPose's JSON: a file a frame, people with pose_keypoints_2d, x y score for every joint.

Source: doc/02_output.md of github.com/CMU-Perceptual-Computing-Lab/openpose, and there
src/openpose/filestream/peopleJsonSaver.cpp, src/openpose/utilities/keypoint.cpp for the scales. Version 1.0
wrote pose_keypoints; keypoint_scale 3 writes fractions, 4 numbers from -1 to 1. A joint that was not found is
0, 0, 0; scaled to -1 to 1 it is -1, -1, 0. keypoint_scale 5 divides by the longer side: its numbers look like
those of 3, and are taken for them.

Pose2Sim, Sports2D and rtmlib write such files with the joints of COCO-17, Halpe-26 and COCO-WholeBody;
AlphaPose's formats open and cmu write them into its folder sep-json, the latter with bodies and joints.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import INCLUSIVE, PIXELS, SIGNED_INCLUSIVE, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows

_KEYS = ("pose_keypoints_2d", "pose_keypoints", "joints")
_NAMES = ("openpose_coco18", "mpi15", "halpe26", "coco17", "coco_wholebody133")
_LAYOUTS = {len(LAYOUTS[name]): name for name in _NAMES}
_NOTHING = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "person_id")


def is_openpose(document: Document) -> bool:
    return is_frame(document.json)


def is_frame(found: Any) -> bool:
    """Whether it is one frame as OpenPose writes it, also one without people."""
    people = _people(found)
    if not people:
        return people == []
    return isinstance(people[0], dict) and any(key in people[0] for key in (*_KEYS, *_NOTHING))


def _people(found: Any) -> list[Any] | None:
    people = found.get("people", found.get("bodies")) if isinstance(found, dict) else None
    return people if isinstance(people, list) else None


def read_openpose(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    add_frame(document, rows, 0)
    return rows.raw()


def add_frame(document: Document, rows: Rows, frame: int) -> None:
    """Raises InputError for people that are 3D alone."""
    rows.frames.append(frame)
    only_3d = False
    people = _people(document.json) or ()
    for person in people:
        if not isinstance(person, dict):
            raise file_error(document.path, "has people that are no objects; write the file again")
        joints = next((person[key] for key in _KEYS if key in person), None)
        if joints:
            rows.add(frame, joints, 3)
        else:
            only_3d = only_3d or bool(person.get("pose_keypoints_3d"))
    if only_3d and not any(person.get(_KEYS[0]) for person in people):
        problem = "has pose_keypoints_3d alone: its people are 3D already"
        raise file_error(document.path, f"{problem}; write 2D keypoints, without OpenPose's option 3d")


_LARGEST_FRACTION = 2.5
"""No person is as small as that in pixels, and few are so far outside of the picture in fractions of it."""
_LOWEST_FRACTION = -0.3


def finish(found: Raw) -> Raw:
    """What is missing, and the unit of the numbers, which OpenPose does not say: the whole clip tells it."""
    xy, score = found.xy, found.score
    found.layout = _LAYOUTS.get(xy.shape[1])
    if score is None or not len(xy):
        return found
    found.missing = ((xy == 0).all(axis=2) | (xy == -1).all(axis=2)) & (score == 0)
    seen = xy[~found.missing]
    if not np.isfinite(seen).any() or np.nanmax(np.abs(seen)) > _LARGEST_FRACTION:
        found.unit = PIXELS
    elif (xy == -1).all(axis=2).any() or np.nanmin(seen) < _LOWEST_FRACTION:
        found.unit = SIGNED_INCLUSIVE
    else:
        found.unit = INCLUSIVE
    return found
