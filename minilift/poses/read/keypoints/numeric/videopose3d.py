"""VideoPose3D's .npz files of 2D keypoints: data sets by subject, action and camera, and Detectron's own.

Source: data/prepare_data_2d_custom.py, data/data_utils.py and inference/infer_video_d2.py of
github.com/facebookresearch/VideoPose3D. They hold pickled dicts, which are read without running any code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import file_error, one_line
from minilift.files.pickles.objects import read_objects
from minilift.poses.layouts import COCO17, H36M17
from minilift.poses.layouts.find import implausible
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.numeric.npz import names_of
from minilift.poses.read.keypoints.numeric.plain import of_array
from minilift.poses.read.keypoints.raw import Asked, Raw

_LAYOUTS = {("coco", 17): "coco17", ("h36m", 17): "h36m17", ("h36m", 16): "h36m16", ("h36m", 32): "h36m32"}
_LISTED = 12


def is_videopose3d(document: Document) -> bool:
    return "positions_2d" in names_of(document)


def is_detectron(document: Document) -> bool:
    return {"boxes", "keypoints", "metadata"} <= set(names_of(document))


def read_videopose3d(document: Document, asked: Asked) -> Raw:
    found = read_objects(document.path, document.content)
    clips = _clips(document, found["positions_2d"])
    told: Any = found.get("metadata")
    about: dict[Any, Any] = told if isinstance(told, dict) else {}
    label = _chosen(document, list(clips), asked)
    raw = of_array(document.path, clips[label], asked)
    joints = raw.xy.shape[1]
    raw.layout = _LAYOUTS.get((str(about.get("layout_name")), joints))
    if raw.layout == H36M17.name and asked.layout is None:
        _correct_layout(raw)
    videos = about.get("video_metadata")
    name = label[0]
    if isinstance(videos, dict) and isinstance(videos.get(name), dict):
        raw.size = _size(videos[name])
    if len(clips) > 1:
        raw.notes.append(f"clip {one_line(' '.join(label), 80)}, one of {len(clips)}")
    return raw


def _correct_layout(raw: Raw) -> None:
    """Files of detections say h36m of numbers in COCO's order, for the training script wants that word."""
    missing = np.isnan(raw.xy).any(axis=2)
    wrong = implausible(H36M17, raw.xy, missing)
    if wrong and not implausible(COCO17, raw.xy, missing):
        raw.layout = COCO17.name
        raw.warnings.append(f"the file says h36m, but {wrong}: taken for coco17; give layout to decide")


_Label = tuple[str, str, str]


def _clips(document: Document, positions: Any) -> dict[_Label, np.ndarray]:
    """The arrays (F, J, 2 or 3) of all subjects, actions and cameras. Raises InputError without any."""
    clips: dict[_Label, np.ndarray] = {}
    for subject, actions in positions.items() if isinstance(positions, dict) else ():
        for action, cameras in actions.items() if isinstance(actions, dict) else ():
            if isinstance(cameras, np.ndarray) and cameras.ndim == 3:
                cameras = [cameras]
            if not isinstance(cameras, (list, np.ndarray)):
                continue
            for number, array in enumerate(cameras):
                if isinstance(array, np.ndarray) and array.dtype.kind in "iuf" and array.ndim == 3:
                    clips[str(subject), str(action), str(number)] = array
    if not clips:
        problem = "its positions_2d is no dict of subjects, actions and arrays (frames, joints, 2)"
        raise file_error(document.path, f"{problem}; write it again with prepare_data_2d_custom.py")
    return clips


def _chosen(document: Document, labels: list[_Label], asked: Asked) -> _Label:
    """The clip that is asked for: its subject, action and camera, or words of these that fit one alone.

    Raises InputError, with a list, where they fit several or none.
    """
    fitting = labels
    if asked.clip is not None:
        wanted = asked.clip.lower().split()
        exact = [label for label in labels if " ".join(label).lower().split() == wanted]
        fitting = exact or [label for label in labels if _within(wanted, " ".join(label).lower().split())]
    if len(fitting) == 1:
        return fitting[0]
    shown = fitting or labels
    listed = ", ".join(" ".join(label) for label in shown[:_LISTED])
    more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    which = "is needed" if asked.clip is None else f"is {'not one alone' if fitting else 'none of them'}"
    holds = f"{one_line(str(document.path))} holds {len(shown)} clips: {one_line(listed, 300)}{more}"
    problem = f"{which}: {holds} (subject, action, camera); give words such as {' '.join(shown[0])!r}"
    raise ArgumentError("clip", "WORDS" if asked.clip is None else asked.clip, problem)


def _within(wanted: list[str], words: list[str]) -> bool:
    """Whether the words wanted stand in this order among the words of a label."""
    left = iter(words)
    return all(any(word == other for other in left) for word in wanted)


def _size(about: dict[Any, Any]) -> tuple[int, int] | None:
    sides = about.get("w"), about.get("h")
    if all(isinstance(side, (int, np.integer)) and 0 < side < 1 << 20 for side in sides):
        return int(sides[0]), int(sides[1])  # type: ignore[arg-type]
    return None


def read_detectron(document: Document, asked: Asked) -> Raw:
    """keypoints[frame][class 1] is (people, 4, 17): rows x, y, 0, score; [] where there is no one."""
    found = read_objects(document.path, document.content)
    frames, boxes = found["keypoints"], found["boxes"]
    if not isinstance(frames, list):
        raise file_error(document.path, "its keypoints are no list of frames; run infer_video_d2.py again")
    people: list[np.ndarray] = []
    frame: list[int] = []
    weight: list[float] = []
    for number, classes in enumerate(frames):
        here = classes[1] if isinstance(classes, list) and len(classes) > 1 else None
        if not isinstance(here, np.ndarray) or not here.size:
            continue
        if here.ndim != 3 or here.shape[1:] != (4, 17) or here.dtype.kind != "f":
            problem = f"frame {number}: keypoints of shape {here.shape}, not (people, 4, 17)"
            raise file_error(document.path, f"{problem}; run infer_video_d2.py again")
        people.append(here.transpose(0, 2, 1))
        frame += [number] * len(here)
        weight += _sure(boxes, number, len(here))
    joints = np.concatenate(people) if people else np.zeros((0, 17, 4))
    about = found.get("metadata")
    return Raw(
        joints[:, :, :2].astype(np.float64),
        np.array(frame, np.int64),
        score=joints[:, :, 3],
        weight=np.array(weight) if np.isfinite(weight).any() else None,
        frames=np.arange(len(frames), dtype=np.int64),
        layout="coco17",
        size=_size(about) if isinstance(about, dict) else None,
    )


def _sure(boxes: Any, number: int, people: int) -> list[float]:
    """The fifth number of the boxes of a frame: how sure the detector is of each person."""
    try:
        found = boxes[number][1]
        if isinstance(found, np.ndarray) and found.shape == (people, 5):
            return [float(value) for value in found[:, 4]]
    except (IndexError, TypeError, KeyError):
        pass
    return [float("nan")] * people
