"""Plain arrays of keypoints, of .npy, .npz and nested lists in JSON: what each axis and the third number
mean.

(J, 2 or 3) is one person, (F, J, 2 or 3) one in every frame, (F, P, J, 2 or 3) several, (F, 2 J or 3 J) flat.
MoveNet's own output is (F, 1, 1, 17, 3) or (F, 6, 56), y before x; tfhub.dev/google/movenet has its
description.
"""

from __future__ import annotations

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts.find import by_count, counts
from minilift.poses.read.keypoints.document import NPY, Document
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS, SQUARE, Asked, Raw

_METRES = 10.0  # no picture is so small, no person so large
_HIGHEST_SCORE = 4.0  # AlphaPose's and Detectron's are above 1
_MOVENET_ROW = 56  # 17 joints y, x, score, then a box and its score
_COCO = 17


def is_array(document: Document) -> bool:
    if document.kind == NPY:
        return document.array.ndim >= 1
    try:
        found = np.array(_first(document.json, 40))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return False
    return found.dtype.kind in "iuf" and found.ndim >= 2


def _first(found: object, most: int) -> object:
    return found[:most] if isinstance(found, list) else found


def read_array(document: Document, asked: Asked) -> Raw:
    if document.kind == NPY:
        return of_array(document.path, document.array, asked)
    try:
        found = np.array(document.json, np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise file_error(
            document.path, "its lists are not equally long; write one layout in a clip"
        ) from None
    return of_array(document.path, found, asked)


def is_movenet(document: Document) -> bool:
    """MoveNet's own forms, which no other array has."""
    if document.kind != NPY:
        return False
    shape = document.array.shape
    return shape[-4:] == (1, 1, _COCO, 3) or (len(shape) == 3 and shape[-1] == _MOVENET_ROW)


def read_movenet(document: Document, asked: Asked) -> Raw:
    array = np.asarray(document.array, np.float64)
    weight = None
    if array.ndim == 3 and array.shape[-1] == _MOVENET_ROW:
        weight = array[..., -1]
        array = array[..., : 3 * _COCO].reshape(*array.shape[:2], _COCO, 3)
    elif array.ndim >= 3 and array.shape[-2:] == (_COCO, 3):
        array = array.reshape(len(array) if array.ndim > 3 else -1, -1, _COCO, 3)
    else:
        problem = f"has shape {array.shape}; MoveNet gives (F, 1, 1, 17, 3) or (F, 6, 56)"
        raise file_error(document.path, problem)
    found = _rows(document.path, array[..., [1, 0]], array[..., 2])
    if weight is not None:
        found.weight = weight.reshape(-1)
        assert found.missing is not None
        found.missing |= (found.weight == 0)[:, None]
    found.unit, found.layout = SQUARE if asked.padded else FRACTION, "coco17"
    return found


def of_array(path: PathLike, array: np.ndarray, asked: Asked, score: np.ndarray | None = None) -> Raw:
    """Keypoints of a plain array; `score` (..., J) is given where the file has it apart.

    Raises InputError for what is 3D already, several cameras, and numbers of joints of no layout.
    """
    if array.dtype.kind not in "iuf":
        raise file_error(
            path, f"an array of {array.dtype}, not of numbers; write x, y and score of each joint"
        )
    array = np.asarray(array, np.float64)
    if array.ndim == 2 and array.shape[-1] not in (2, 3):
        array = _unfolded(path, array, asked)
    if array.ndim == 2:
        array = array[None]
    if array.ndim < 3 or array.ndim > 4 or array.shape[-1] not in (2, 3):
        shape = "(frames, joints, 2 or 3) or (frames, people, joints, 2 or 3)"
        raise file_error(path, f"an array of shape {array.shape}, not {shape}; write it so")
    if array.ndim == 3:
        array = array[:, None]
    joints = array.shape[2]
    if asked.layout is None and not by_count(joints):
        problem = f"{joints} joints, and no layout has so many (known: {counts()})"
        raise file_error(
            path, f"{problem}; describe yours in a .json file (docs/layouts.md) and give it as layout"
        )
    _refuse_cameras(path, array)
    third = _third(path, array) if array.shape[-1] == 3 and score is None else None
    found = _rows(path, array[..., :2], score if score is not None else third)
    if score is None and third is None and array.shape[-1] == 3:
        found.notes.append("the third number of each joint is a depth, not a score: not used")
    known = np.abs(found.xy[np.isfinite(found.xy)])
    if len(known) and np.percentile(known, 90) <= 1.5:
        found.unit = FRACTION
    return found


def _unfolded(path: PathLike, array: np.ndarray, asked: Asked) -> np.ndarray:
    """(F, 51) as (F, 17, 3): the width that a layout has, with x, y and score before x, y."""
    columns = array.shape[1]
    for width in (3, 2):
        if columns % width == 0 and (by_count(columns // width) or asked.layout):
            return array.reshape(len(array), -1, width)
    raise file_error(path, f"{columns} numbers a row are no joints of a known layout (joints: {counts()})")


def _refuse_cameras(path: PathLike, array: np.ndarray) -> None:
    """(cameras, frames, joints, 3) as FreeMoCap saves it: two to a few, and the third number is always 0."""
    cameras, frames = array.shape[:2]
    empty = array.shape[-1] == 3 and frames > cameras > 1 and (np.nan_to_num(array[..., 2]) == 0).all()
    if empty:
        problem = f"shape {array.shape} is of {cameras} cameras; save one of them by itself: array[0]"
        raise file_error(path, problem)


def _third(path: PathLike, array: np.ndarray) -> np.ndarray | None:
    """The scores (F, P, J), None where the third number is a depth. Raises InputError for what is 3D
    already."""
    places, third = array[..., :2], array[..., 2]
    known = third[np.isfinite(third)]
    size = float(np.nanpercentile(np.abs(places), 99)) if np.isfinite(places).any() else 0.0
    low, high = float(known.min(initial=0)), float(known.max(initial=0))
    both = bool((places < -0.05).any() and (places > 0.05).any()) if size else False
    if size < _METRES and (low < -0.01 or (both and high > 0)) and both:
        problem = "x, y and z of both signs, none larger than a few metres: it is 3D already"
        raise file_error(path, f"{problem}; give the 2D keypoints that it was made of")
    return third if low >= 0 and high <= _HIGHEST_SCORE else None


def _rows(path: PathLike, places: np.ndarray, score: np.ndarray | None) -> Raw:
    """Rows of (F, P, J, 2): people who have no joint are left out, their frames are not."""
    frames, people, joints = places.shape[:3]
    xy = places.reshape(-1, joints, 2)
    flat = None if score is None else score.reshape(-1, joints)
    missing = (xy == 0).all(axis=2) if flat is None else (xy == 0).all(axis=2) & ~(flat > 0)
    if flat is not None and flat.shape[0] != len(xy):
        raise file_error(path, f"scores of shape {score.shape if score is not None else ()} do not fit")
    frame = np.repeat(np.arange(frames, dtype=np.int64), people)
    return Raw(xy, frame, flat, missing, frames=np.arange(frames, dtype=np.int64), unit=PIXELS)
