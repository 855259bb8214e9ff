"""Arrays by name in a .npz: rtmlib's keypoints and scores, and what people save under names of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import file_error, one_line
from minilift.files.npz import npz_names
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.numeric.plain import of_array
from minilift.poses.read.keypoints.raw import Asked, Raw

KEYPOINTS = (
    "keypoints", "keypoints_2d", "kpts", "kps", "kp", "kpts_2d", "keypoint", "joints_2d", "joints2d",
    "joints", "poses_2d", "pose_2d", "points_2d", "poses", "pose", "landmarks", "xy", "points", "data",
    "arr_0",
)  # fmt: skip
"""What people call the places of joints, the clearest first."""
SCORES = ("scores", "keypoint_scores", "keypoints_scores", "kpt_scores", "score", "confidence", "conf")
_THREE_D = ("3d", "world", "reconstruction", "smpl", "theta")
_PREDICTED = {"joint_3d", "axes", "unit"}


def names_of(document: Document) -> list[str]:
    """The names of the arrays of a .npz; none where it is damaged."""
    try:
        return npz_names(document.path)
    except InputError:
        return []


def is_scored(document: Document) -> bool:
    names = names_of(document)
    return "keypoints" in names and any(name in names for name in SCORES)


def is_npz(document: Document) -> bool:
    return bool(names_of(document))


def read_npz(document: Document, asked: Asked) -> Raw:
    """The array with the clearest name; scores, frame, fps, size and joint names, where they are there."""
    from minilift.files.pickles.objects import read_objects  # as a pickle may lie in it

    found = read_objects(document.path, document.content)
    if set(found) >= _PREDICTED:
        raise file_error(document.path, "is 3D already: it is what minilift predict wrote; give its input")
    name = keypoints_name(document, list(found), asked)
    scores = next((found[key] for key in SCORES if key in found and key != name), None)
    array = found[name]
    if isinstance(array, list):
        array, scores = _padded(document, name, array, scores)
    if not isinstance(array, np.ndarray):
        problem = f"its {one_line(name, 40)} is a {type(array).__name__}, no array of numbers"
        raise file_error(document.path, f"{problem}; save it again as one")
    if isinstance(scores, np.ndarray) and scores.shape[-1:] == (1,) and scores.ndim == array.ndim:
        scores = scores[..., 0]
    if isinstance(scores, np.ndarray) and scores.shape != array.shape[:-1]:
        problem = f"scores of shape {scores.shape} do not fit {one_line(name, 40)} of shape {array.shape}"
        raise file_error(document.path, f"{problem}; save one score for each joint")
    raw = of_array(document.path, array, asked, scores if isinstance(scores, np.ndarray) else None)
    _tell_more(raw, found)
    return raw


def keypoints_name(document: Document, names: Sequence[str], asked: Asked) -> str:
    """The array that holds the keypoints. Raises InputError where it cannot be told, or where it is 3D."""
    if asked.clip is not None and asked.clip in names:
        return asked.clip
    lower = {name.lower(): name for name in reversed(names)}
    known = next((lower[name] for name in KEYPOINTS if name in lower), None)
    if known is not None:
        return known
    listed = one_line(", ".join(names[:8]), 120)
    if any(part in name for name in lower for part in _THREE_D):
        raise file_error(document.path, f"is 3D already: it holds {listed}; give 2D keypoints")
    if len(names) == 1:
        return names[0]
    raise file_error(document.path, f"holds {listed}; call the array of 2D keypoints keypoints")


def _padded(document: Document, name: str, people: list[Any], scores: Any) -> tuple[np.ndarray, Any]:
    """Arrays (P, J, 2 or 3), one a frame with as many people as it has, as one with NaN for the others."""
    frames = [np.zeros((0, 0, 0)) if _nothing(one) else _people_of(one) for one in people]
    if any(one is None for one in frames):
        problem = f"its {one_line(name, 40)} holds no arrays of numbers"
        raise file_error(document.path, f"{problem}; save (frames, people, joints, 2 or 3)")
    full = [one for one in frames if one is not None and one.size]
    if not full or len({one.shape[1:] for one in full}) > 1:
        problem = f"frames of {one_line(name, 40)} differ in their joints, or have none"
        raise file_error(document.path, f"{problem}; keep one layout in a clip")
    most = max(len(one) for one in full)
    joined = np.full((len(frames), most, *full[0].shape[1:]), np.nan)
    for i, one in enumerate(frames):
        if one is not None and one.size:
            joined[i, : len(one)] = one
    if not isinstance(scores, list) or len(scores) != len(frames):
        return joined, None
    beside = np.full(joined.shape[:3], np.nan)
    for i, one in enumerate(scores):
        if isinstance(one, np.ndarray) and one.size and one.shape[-1] == joined.shape[2]:
            rows = one.reshape(-1, joined.shape[2])[:most]
            beside[i, : len(rows)] = rows
    return joined, beside


def _nothing(one: Any) -> bool:
    return one is None or (isinstance(one, (list, np.ndarray)) and np.size(one) == 0)


def _people_of(one: Any) -> np.ndarray | None:
    if not isinstance(one, np.ndarray) or one.dtype.kind not in "iuf" or one.ndim not in (2, 3):
        return None
    return one if one.ndim == 3 else one[None]


def _tell_more(raw: Raw, found: dict[str, Any]) -> None:
    """Frame numbers, frames a second, size of the pictures and names of joints, where they fit."""
    for key in ("frame", "frames", "frame_numbers", "frame_ids", "frame_idx"):
        numbers = found.get(key)
        if not isinstance(numbers, np.ndarray) or numbers.dtype.kind not in "iu" or raw.frames is None:
            continue
        if numbers.shape == raw.frames.shape:
            raw.frame, raw.frames = numbers.astype(np.int64)[raw.frame], numbers.astype(np.int64)
            break
    rate = found.get("fps")
    if isinstance(rate, np.ndarray) and rate.size == 1 and rate.dtype.kind in "iuf":
        raw.fps = float(rate.reshape(())) if 0 < float(rate.reshape(())) < 1e6 else None
    size = next((found[key] for key in ("size", "image_size", "img_size") if key in found), None)
    if isinstance(size, np.ndarray) and size.shape == (2,) and size.dtype.kind in "iuf" and (size > 0).all():
        raw.size = (int(size[0]), int(size[1]))
    for key in ("joint_names", "keypoint_names", "names", "joints_names"):
        names: Any = found.get(key)
        if isinstance(names, np.ndarray) and names.dtype.kind in "SU" and names.shape == raw.xy.shape[1:2]:
            text = names.astype("U") if names.dtype.kind == "S" else names
            raw.names = tuple(one_line(str(name), 40) for name in text)
            break
