"""easy_ViTPose's JSON: {keypoints: [{person: [[y, x, score], ...]}, ...], skeleton: {number: name}}.

Source: inference.py and to_openpose.py of github.com/JunkyByte/easy_ViTPose. y comes before x.
"""

from __future__ import annotations

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
        for name, joints in people.items() if isinstance(people, dict) else enumerate(people or ()):
            rows.add(frame, joints, 3, track=name)
    raw = rows.raw()
    raw.xy = raw.xy[:, :, ::-1]
    skeleton = content["skeleton"]
    if isinstance(skeleton, dict) and len(skeleton) == raw.xy.shape[1]:
        raw.names = tuple(str(skeleton.get(str(row))) for row in range(len(skeleton)))
    elif len(rows):
        raise file_error(document.path, "its skeleton does not name its joints; write the file again")
    return raw
