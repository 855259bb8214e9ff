"""OpenPose's JSON: a file a frame, people with pose_keypoints_2d, x y score for every joint.

Source: doc/02_output.md of github.com/CMU-Perceptual-Computing-Lab/openpose. Version 1.0 wrote
pose_keypoints; keypoint_scale 3 and 5 write fractions, 4 numbers from -1 to 1. Pose2Sim, Sports2D and rtmlib
write such files with the joints of COCO-17, Halpe-26 and COCO-WholeBody. A joint that was not found is 0, 0,
0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import INCLUSIVE, PIXELS, SIGNED, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows

_KEYS = ("pose_keypoints_2d", "pose_keypoints")
_NAMES = ("openpose_coco18", "mpi15", "halpe26", "coco17", "coco_wholebody133")
_LAYOUTS = {len(LAYOUTS[name]): name for name in _NAMES}


def is_openpose(document: Document) -> bool:
    return is_frame(document.json)


def is_frame(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("people"), list):
        return False
    people = found["people"]
    return "version" in found if not people else any(key in people[0] for key in _KEYS if _is_person(people))


def _is_person(people: list[Any]) -> bool:
    return isinstance(people[0], dict)


def read_openpose(document: Document, asked: Asked) -> Raw:
    rows = Rows(document.path)
    rows.frames = [0]
    only_3d = False
    for person in document.json["people"]:
        key = next((key for key in _KEYS if isinstance(person, dict) and key in person), None)
        if key is not None and person[key]:
            rows.add(0, person[key], 3)
        elif isinstance(person, dict) and person.get("pose_keypoints_3d"):
            only_3d = True
    if only_3d and not len(rows):
        problem = "has pose_keypoints_3d alone: its people are 3D already"
        raise file_error(document.path, f"{problem}; write 2D keypoints, without OpenPose's option 3d")
    found = rows.raw(layout=_LAYOUTS.get(rows.joints().shape[1]))
    return finish(found)


def finish(found: Raw) -> Raw:
    """What is missing, and the unit that the numbers have: OpenPose says neither."""
    xy, score = found.xy, found.score
    if score is None or not len(xy):
        return found
    found.missing = (xy == 0).all(axis=2) & (score == 0)
    seen = xy[~found.missing]
    if len(seen) and np.nanmax(np.abs(seen)) <= _LARGEST_FRACTION:
        signed = ((xy == -1).all(axis=2) & (score == 0)) | found.missing
        low = np.nanmin(xy[~signed], initial=0.0)
        found.unit = SIGNED if low < _LOWEST_FRACTION or (xy == -1).all(axis=2).any() else INCLUSIVE
        if found.unit == SIGNED:
            found.missing = (xy == -1).all(axis=2) & (score == 0)
    else:
        found.unit = PIXELS
    return found


_LARGEST_FRACTION = 2.5
"""No person is as small as that in pixels, and few are so far outside of the picture in fractions of it."""
_LOWEST_FRACTION = -0.3
