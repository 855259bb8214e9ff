"""OpenPose's JSON: a file a frame, people with pose_keypoints_2d, x y score for every joint.

Source: doc/02_output.md of github.com/CMU-Perceptual-Computing-Lab/openpose.
Version 1.0 wrote pose_keypoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw

_KEYS = ("pose_keypoints_2d", "pose_keypoints")
_LAYOUTS = {
    25: None,
    18: "openpose_coco18",
    15: "mpi15",
    26: "halpe26",
    17: "coco17",
    133: "coco_wholebody133",
}


def is_openpose(document: Document) -> bool:
    found = document.json
    return isinstance(found, dict) and isinstance(found.get("people"), list) and "version" in found


def read_openpose(document: Document, asked: Asked) -> Raw:
    people = [_numbers(document, person) for person in document.json["people"]]
    people = [numbers for numbers in people if len(numbers)]
    counts = {len(numbers) for numbers in people}
    if len(counts) > 1:
        raise file_error(document.path, f"people of {sorted(counts)} numbers; keep one layout in a clip")
    joints = np.array(people, np.float64).reshape(len(people), -1, 3) if people else np.zeros((0, 0, 3))
    missing = (joints == 0).all(axis=2)
    return Raw(
        joints[:, :, :2],
        np.zeros(len(joints), np.int64),
        score=joints[:, :, 2],
        missing=missing,
        layout=_LAYOUTS.get(joints.shape[1]),
    )


def _numbers(document: Document, person: Any) -> list[float]:
    key = next((key for key in _KEYS if isinstance(person, dict) and key in person), None)
    return [] if key is None else person[key]
