"""MediaPipe's 33 landmarks: JSON that people write of them, the results of its Tasks, and its text protobuf.

Source: docs/solutions/pose.md, mediapipe/framework/formats/landmark.proto and
mediapipe/tasks/web/vision/pose_landmarker/pose_landmarker_result.d.ts of github.com/google-ai-edge/mediapipe.
x and y are fractions of the picture's width and height, z is a depth, visibility is the score.

ML Kit's landmarks (com.google.mlkit.vision.pose.PoseLandmark; Flutter's google_mlkit_pose_detection) are the
same 33 in pixels, with type and inFrameLikelihood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.objects.points import Pose, add_all, is_point, pose_of
from minilift.poses.read.keypoints.objects.tfjs import with_unit
from minilift.poses.read.keypoints.raw import FRACTION, Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, is_list_of, number, whole

_KEYS = ("landmarks", "pose_landmarks", "poseLandmarks", "landmark")
_MLKIT = ("inFrameLikelihood", "likelihood", "type", "landmarkType")
_LOOKED_AT = 100


def _frames(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = found.get("frames", found.get("results", [found]))
    return found if isinstance(found, list) else []


def _landmarks(frame: Any) -> Any:
    """The landmarks of a frame: of one person, or of each of several."""
    for _ in range(2):  # a protobuf as JSON is {pose_landmarks: {landmark: [...]}}
        if isinstance(frame, dict):
            frame = next((frame[key] for key in _KEYS if key in frame), None)
    return frame


def _first(document: Document) -> Any:
    """The first landmarks that there are."""
    frames = _frames(document.json)[:_LOOKED_AT]
    found: Any = next((some for frame in frames if (some := _landmarks(frame))), None)
    return found if isinstance(found, list) else [None]


def is_frames(document: Document) -> bool:
    """Frames with one person's landmarks."""
    first = _first(document)[0]
    return is_point(first) and "keypoints" not in first


def is_tasks(document: Document) -> bool:
    """Results of PoseLandmarker: landmarks[person][33]."""
    first = _first(document)[0]
    return isinstance(first, list) and bool(first) and is_point(first[0])


def is_mlkit(document: Document) -> bool:
    first = _first(document)[0]
    return is_point(first) and any(key in first for key in _MLKIT)


def read_frames(document: Document, asked: Asked) -> Raw:
    return _read(document, single=True)


def read_tasks(document: Document, asked: Asked) -> Raw:
    return _read(document, single=False)


def _read(document: Document, single: bool) -> Raw:
    content, rows = document.json, Rows(document.path)
    names = add_all(document.path, rows, _poses(document, rows, single))
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


def _poses(document: Document, rows: Rows, single: bool) -> Iterator[Pose]:
    for row, frame in enumerate(_frames(document.json)):
        about = frame if isinstance(frame, dict) else {}
        at = whole(about.get("frame", about.get("frame_id", about.get("frameIndex"))), row)
        rows.frames.append(at)
        found = _landmarks(frame)
        people = [found] if single and found else found or []
        for person in people if isinstance(people, list) else [people]:
            if not is_list_of(person, dict) or not is_point(person[0]):
                raise file_error(document.path, f"has no landmarks in frame {at}; write the file again")
            yield pose_of(at, person)


def _only_33(raw: Raw) -> str | None:
    return "mediapipe33" if raw.xy.shape[1] == 33 else None


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
