"""MediaPipe's 33 landmarks: JSON that people write of them, the results of its Tasks, and its text protobuf.

Source: docs/solutions/pose.md and mediapipe/tasks/web/vision of github.com/google-ai-edge/mediapipe. x and y
are fractions of the picture's width and height, z is a depth, visibility is the score.
"""

from __future__ import annotations

import re
from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.tfjs import with_unit
from minilift.poses.read.keypoints.raw import FRACTION, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, first_of, is_list_of, number, whole

_SCORES = ("visibility", "score", "inFrameLikelihood", "presence")


def _is_landmarks(found: Any) -> bool:
    return is_list_of(found, dict) and {"x", "y"} <= found[0].keys() and "keypoints" not in found[0]


def _frames(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = found.get("frames", found.get("results", [found]))
    return found if isinstance(found, list) else []


def _landmarks(frame: Any) -> Any:
    if not isinstance(frame, dict):
        return frame
    return frame.get("landmarks", frame.get("pose_landmarks", frame.get("poseLandmarks")))


def is_frames(document: Document) -> bool:
    """Frames with one person's landmarks."""
    return _is_landmarks(first_of([_landmarks(frame) for frame in _frames(document.json)[:100]]))


def is_tasks(document: Document) -> bool:
    """Results of PoseLandmarker: landmarks[person][33]."""
    found = first_of([_landmarks(frame) for frame in _frames(document.json)[:100]])
    return is_list_of(found, list) and _is_landmarks(found[0])


def is_mlkit(document: Document) -> bool:
    found = first_of([_landmarks(frame) for frame in _frames(document.json)[:100]])
    return _is_landmarks(found) and ("inFrameLikelihood" in found[0] or "type" in found[0])


def read_frames(document: Document, asked: Asked) -> Raw:
    return _read(document, single=True)


def read_tasks(document: Document, asked: Asked) -> Raw:
    return _read(document, single=False)


def _read(document: Document, single: bool) -> Raw:
    content, rows = document.json, Rows(document.path)
    names: tuple[str, ...] | None = None
    for row, frame in enumerate(_frames(content)):
        about = frame if isinstance(frame, dict) else {}
        at = whole(about.get("frame", about.get("frame_id", about.get("frameIndex"))), row)
        rows.frames.append(at)
        found = _landmarks(frame)
        for person in ([found] if single else found) if found else ():
            if not _is_landmarks(person):
                raise file_error(document.path, f"has no landmarks in frame {at}; write the file again")
            key = next((key for key in _SCORES if key in person[0]), None)
            scores = None if key is None else [_get(joint, key) for joint in person]
            rows.add(at, [[_get(joint, "x"), _get(joint, "y")] for joint in person], 2, scores=scores)
            if "type" in person[0] or "name" in person[0]:
                names = tuple(str(_get(joint, "type") or _get(joint, "name")) for joint in person)
    raw = rows.raw(names=names)
    if names is None:
        raw.layout = _only_33(raw)
    raw = with_unit(raw)
    if isinstance(content, dict):
        width, height = (whole(content.get(side), 0) for side in ("width", "height"))
        raw.size = (width, height) if min(width, height) > 1 else None
        fps = number(content.get("fps"))
        raw.fps = fps if fps > 0 else None
    return raw


def _only_33(raw: Raw) -> str | None:
    return "mediapipe33" if raw.xy.shape[1] == 33 else None


def _get(joint: Any, key: str) -> Any:
    return joint.get(key) if isinstance(joint, dict) else None


_BLOCK = re.compile(r"landmark\s*\{([^{}]*)\}")
_FIELD = re.compile(r"\b(x|y|visibility)\s*:\s*([-+0-9.eE]+|nan|inf)")


def is_pbtxt(document: Document) -> bool:
    return bool(_BLOCK.search(document.text[:100_000]))


def read_pbtxt(document: Document, asked: Asked) -> Raw:
    """A NormalizedLandmarkList as text; comments begin with #."""
    text = re.sub(r"#[^\n]*", "", document.text)
    joints = []
    for block in _BLOCK.finditer(text):
        fields = dict(_FIELD.findall(block[1]))
        try:
            joints.append([float(fields[name]) for name in ("x", "y", "visibility") if name in fields])
        except ValueError:
            raise file_error(
                document.path, f"landmark {len(joints)} has no numbers; write it again"
            ) from None
    rows = Rows(document.path)
    rows.add(0, joints, len(joints[0]) if joints else 2)
    raw = rows.raw(unit=FRACTION)
    raw.layout = _only_33(raw)
    return raw
