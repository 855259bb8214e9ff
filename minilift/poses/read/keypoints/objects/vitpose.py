"""easy_ViTPose's JSON: {keypoints: [{person: [[y, x, score], ...]}, ...], skeleton: {number: name}}.

Source: inference.py (option save-json) and easy_ViTPose/inference.py of github.com/JunkyByte/easy_ViTPose.
y comes before x. The keys of the people are those of its tracker; early versions had lists of people.
"""

from __future__ import annotations

from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows


def is_vitpose(document: Document) -> bool:
    found = document.json
    return isinstance(found, dict) and isinstance(found.get("keypoints"), list) and "skeleton" in found


def read_vitpose(document: Document, asked: Asked) -> Raw:
    content, rows = document.json, Rows(document.path)
    for frame, people in enumerate(content["keypoints"]):
        rows.frames.append(frame)
        if isinstance(people, dict):
            for name, joints in people.items():
                rows.add(frame, joints, 3, track=name)
        elif isinstance(people, list):
            for joints in people:
                rows.add(frame, joints, 3)
        elif people is not None:
            raise file_error(document.path, f"frame {frame} has no people but a number; write it again")
    raw = rows.raw()
    raw.xy = raw.xy[:, :, ::-1]
    raw.names = _names(content["skeleton"])
    if raw.names is not None and len(rows) and len(raw.names) != raw.xy.shape[1]:
        problem = f"its skeleton names {len(raw.names)} joints, its people have {raw.xy.shape[1]}"
        raise file_error(document.path, f"{problem}; write the file again")
    return raw


def _names(skeleton: Any) -> tuple[str, ...] | None:
    if isinstance(skeleton, dict):
        skeleton = [skeleton.get(str(row)) for row in range(len(skeleton))]
    if not isinstance(skeleton, list) or not skeleton or not all(isinstance(one, str) for one in skeleton):
        return None
    return tuple(skeleton)
