"""Plain arrays of keypoints, of .npy, .npz and nested lists in JSON: what each axis and the third number
mean.

(J, 2 or 3) is one person, (F, J, 2 or 3) one in every frame, (F, P, J, 2 or 3) several, (F, 2 J or 3 J) flat.
MoveNet's own output is (F, 1, 1, 17, 3) or (F, 6, 56), y before x; tfhub.dev/google/movenet has its
description.
"""

from __future__ import annotations

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line
from minilift.poses.layouts import COCO17
from minilift.poses.layouts.find import by_count, counts
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.document import NPY, Document
from minilift.poses.read.keypoints.raw import FRACTION, PIXELS, SQUARE, Asked, Raw
from minilift.poses.read.keypoints.units import find_unit, sample

_METRES = 10.0  # no picture is so small, no person so large
_PICTURE = 1.2  # no coordinate about the middle of a picture, in its halves, is larger
_HIGHEST_SCORE = 4.0  # AlphaPose's and Detectron's are above 1
_MOVENET_ROW = 56  # 17 joints y, x, score, then a box and its score
_ANKLES = [COCO17.index(f"{side}_ankle") for side in ("left", "right")]
_COCO = 17
_MEDIAPIPE = 33  # x, y, z, visibility, presence


def is_array(document: Document) -> bool:
    return document.array.ndim >= 1


def read_array(document: Document, asked: Asked) -> Raw:
    return of_array(document.path, document.array, asked)


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
    elif array.ndim >= 2 and array.shape[-2:] == (_COCO, 3):
        array = array.reshape(1 if array.ndim == 2 else len(array), -1, _COCO, 3)
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
        problem = f"an array of {array.dtype}, not of numbers"
        raise file_error(path, f"{problem}; write x, y and score of each joint")
    array = _four_axes(path, np.where(np.isfinite(array), array, np.nan).astype(np.float64), asked)
    joints, width = array.shape[2:]
    if asked.layout is None and not by_count(joints):
        problem = f"{joints} joints, and no layout has so many (known: {counts()})"
        remedy = "describe yours in a .json file (docs/layouts.md) and give it as layout"
        raise file_error(path, f"{problem}; {remedy}")
    array = _one_camera(path, array, asked)
    depth = False
    if width > 3:
        score, depth = array[..., 3], True
    elif width == 3 and score is None:
        score = _third(path, array, asked)
        depth = score is None
        if score is not None and not np.nan_to_num(score).any():
            score = None  # a column of zeros, not of scores
    found = _rows(path, array[..., :2], score)
    if depth:
        found.notes.append("the third number of each joint is a depth, not a score: not used")
    find_unit(found, path, asked)
    if found.unit == FRACTION:
        _refuse_y_first(path, found.xy, asked)
    return found


def _four_axes(path: PathLike, array: np.ndarray, asked: Asked) -> np.ndarray:
    """Any form as (F, P, J, 2 to 5)."""
    widths = (2, 3, *((4, 5) if array.shape[-2:-1] == (_MEDIAPIPE,) else ()))
    if array.ndim in (2, 3) and array.shape[-1] not in widths:
        array = _unfolded(path, array, asked)
        array = array if array.ndim == 4 else array[:, None]
    elif array.ndim == 2:
        array = array[None, None]
    elif array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4 or (array.shape[-1] not in (2, 3, 4, 5)):
        shape = "(frames, joints, 2 or 3) or (frames, people, joints, 2 or 3)"
        raise file_error(path, f"an array of shape {array.shape}, not {shape}; write it so")
    return array


def _unfolded(path: PathLike, array: np.ndarray, asked: Asked) -> np.ndarray:
    """(..., 51) as (..., 17, 3): the width that a layout has; where two have one, the one whose third numbers
    may be scores."""
    columns = array.shape[-1]
    joints = len(layout_named(asked.layout)) if asked.layout is not None else None
    fitting = [
        array.reshape(*array.shape[:-1], -1, width)
        for width in (3, 2)
        if columns and columns % width == 0 and (joints == columns // width or not joints)
        and by_count(columns // width)
    ] or [array.reshape(*array.shape[:-1], joints, -1)
          for width in (2, 3) if joints and columns == joints * width]  # fmt: skip
    if not fitting:
        problem = f"{columns} numbers a row are no joints of a known layout"
        raise file_error(path, f"{problem} (joints: {counts()}); give x, y and score of each joint")
    if len(fitting) == 2 and not _scores_apart(fitting[0]):
        return fitting[1]
    return fitting[0]


def _scores_apart(array: np.ndarray) -> bool:
    """Whether the third numbers of joints are no larger than scores, and the others are."""
    known = array[np.isfinite(array).all(axis=-1)]
    if not len(known):
        return True
    return bool(known[:, 2].min() >= 0 and known[:, 2].max() <= min(_HIGHEST_SCORE, known[:, :2].max()))


def _refuse_y_first(path: PathLike, xy: np.ndarray, asked: Asked) -> None:
    """Raise InputError where a person of COCO's joints lies on the side: MoveNet's arrays have y before x.

    Heads are above ankles in most pictures; the first coordinate is then the one that differs.
    """
    if xy.shape[1] != _COCO or asked.format is not None or not len(xy):
        return
    down = np.nanmedian(xy[:, _ANKLES].mean(axis=1) - xy[:, 0], axis=0)
    if abs(down[0]) > 2 * abs(down[1]):
        problem = (
            "fractions of the picture in which people lie on their side: in MoveNet's arrays y is before x"
        )
        remedy = "give movenet-npy, or npy if x is first"
        raise ArgumentError("format", "NAME", f"is needed: {one_line(str(path))} has {problem}; {remedy}")


def _one_camera(path: PathLike, array: np.ndarray, asked: Asked) -> np.ndarray:
    """Of (cameras, frames, joints, 3) as FreeMoCap saves it, the camera asked for as clip; else the array.

    Such an array has two cameras or a few, and the third number is 0 for all joints.
    """
    cameras, frames = array.shape[:2]
    third = np.nan_to_num(array[..., 2:3])
    if not (array.shape[-1] == 3 and frames > cameras > 1 and not third.any()):
        return array
    last = (asked.clip or "").split()[-1:]
    if last and last[0].isdecimal() and int(last[0]) < cameras:
        return array[int(last[0])][:, None]
    problem = f"is needed: {one_line(str(path))} of shape {array.shape} is of {cameras} cameras"
    value = "NUMBER" if asked.clip is None else asked.clip
    raise ArgumentError("clip", value, f"{problem}; give 0 to {cameras - 1}, or save one of them by itself")


def _third(path: PathLike, array: np.ndarray, asked: Asked) -> np.ndarray | None:
    """The scores (F, P, J), None where the third number is MediaPipe's depth.

    Raises InputError for what is 3D already.
    """
    third = array[..., 2]
    low, high = np.fmin.reduce(third, axis=None, initial=0.0), np.fmax.reduce(third, axis=None, initial=0.0)
    places = sample(array)[:, :2]
    size = float(np.nanpercentile(np.abs(places), 99)) if np.isfinite(places).any() else 0.0
    both = bool((places < -0.05).any() and (places > 0.05).any()) if size else False
    if size < _METRES and both and asked.unit is None and (low < -0.01 or size > _PICTURE or high > 1):
        depths = f"the third from {low:.3g} to {high:.3g}"
        problem = f"x and y of both signs, none larger than a few metres, {depths}: it is 3D already"
        raise file_error(path, f"{problem}; give the 2D keypoints that it was made of")
    if low >= 0 and high <= _HIGHEST_SCORE:
        return third
    if array.shape[2] == _MEDIAPIPE:
        return None
    problem = f"the third number of joints goes from {low:.4g} to {high:.4g}, as no score does"
    raise file_error(path, f"{problem}: it is 3D already; give the 2D keypoints that it was made of")


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
