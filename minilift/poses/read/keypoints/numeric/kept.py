"""The detections that minilift keeps of a photo or a video, NAME_2d.npz: docs/video.md lists its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, one_line
from minilift.files.npz import map_npz, npz_names, read_npz
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.numeric.npz import names_of
from minilift.poses.read.keypoints.raw import Asked, Raw

FORMAT = "minilift-2d"
ROWS = 32_768
"""Detections of a block; a frame is not taken apart. Fewer are lifted as one clip."""
KEYS = {
    "keypoints": "<f4", "scores": "<f4", "weight": "<f4", "frame": "<i8", "frames": "<i8", "times": "<f8",
    "joint_names": "U", "size": "<i8", "fps": "<f8", "focal": "<f8", "focal_source": "U", "media": "U",
    "detector": "U", "kept": "U", "notes": "U", "warnings": "U",
}  # fmt: skip
"""Every array, with its type. n rows by frame, each a person in a frame: keypoints (n, J, 2), NaN where a
joint was not found."""
_MOST_PIXELS = 1_000_000  # of a side
_MAPPED = ("keypoints", "scores")


def is_kept(document: Document) -> bool:
    return set(names_of(document)) >= KEYS.keys()


def read_kept(document: Document, asked: Asked) -> Raw:
    found = read_npz(document.path, document.content, KEYS)
    _check(document.path, found)
    return raw_of(found, slice(0, len(found["frame"])), slice(0, len(found["frames"])))


def kept_blocks(path: PathLike, rows: int = ROWS) -> Iterator[Raw] | None:
    """The same of a file of any size, some `rows` at a time; None for a file of another kind.

    What a frame has, 16 bytes and 12 for each person, is in memory.
    """
    if not set(npz_names(path)) >= KEYS.keys():
        return None
    found: dict[str, Any] = read_npz(path, None, [name for name in KEYS if name not in _MAPPED])
    found |= {name: rows for name, rows in map_npz(path, _MAPPED).items() if name in _MAPPED}
    _check(path, found)
    return _blocks(found, rows)


def _blocks(found: Mapping[str, Any], size: int) -> Iterator[Raw]:
    ends = np.searchsorted(found["frame"], found["frames"], side="right")  # of the rows of each frame
    row = frame = 0
    while True:
        last = min(int(np.searchsorted(ends, row + size)), len(ends) - 1)
        stop = int(ends[last]) if len(ends) - 1 > last else len(found["frame"])
        end = last + 1
        yield raw_of(found, slice(row, stop), slice(frame, end))
        if end >= len(ends):
            return
        row, frame = stop, end


def raw_of(found: Mapping[str, Any], rows: slice, frames: slice) -> Raw:
    """These rows and frames of arrays by the names of KEYS."""
    xy = np.asarray(found["keypoints"][rows], np.float64)
    weight = np.asarray(found["weight"][rows], np.float64)
    times, focal, fps = (
        np.asarray(found["times"][frames], np.float64),
        float(found["focal"]),
        float(found["fps"]),
    )
    return Raw(
        xy=xy,
        frame=np.asarray(found["frame"][rows], np.int64),
        score=np.asarray(found["scores"][rows]),
        missing=np.asarray(np.isnan(xy).any(axis=2)),
        weight=None if np.isnan(weight).all() else weight,
        frames=np.asarray(found["frames"][frames], np.int64),
        names=tuple(str(name) for name in found["joint_names"]),
        size=(int(found["size"][0]), int(found["size"][1])),
        fps=fps if 0 < fps < 1e6 else None,
        notes=[f"detector: {found['detector']}", *(str(line) for line in found["notes"])],
        warnings=[str(line) for line in found["warnings"]],
        media=str(found["media"]) or None,
        times=None if np.isnan(times).any() else times,
        focal=focal if focal > 0 else None,
        focal_source=str(found["focal_source"]),
    )


def _check(path: PathLike, found: Mapping[str, Any]) -> None:
    """Raise InputError for arrays that are not as KEYS has them."""
    n, frames, joints = (int(np.size(found[name])) for name in ("frame", "frames", "joint_names"))
    shapes = {
        "keypoints": (n, joints, 2), "scores": (n, joints), "weight": (n,), "frame": (n,),
        "frames": (frames,), "times": (frames,), "joint_names": (joints,), "size": (2,),
    }  # fmt: skip
    texts = ("notes", "warnings", "joint_names")
    for name, kind in KEYS.items():
        array, shape = found[name], shapes.get(name, ())
        right = array.ndim == 1 if name in texts else tuple(array.shape) == shape
        if not right or not (array.dtype.kind == "U" if kind == "U" else array.dtype == np.dtype(kind)):
            told = f"its {name} is {tuple(array.shape)} of {array.dtype}, not {shape} of {kind}"
            raise file_error(path, f"{one_line(told)}; detect once more")
    if not ((found["size"] > 1) & (found["size"] < _MOST_PIXELS)).all():
        raise file_error(path, f"pictures of {found['size'].tolist()} pixels; detect once more")
    ascending = (np.diff(found["frames"]) > 0).all() and (np.diff(found["frame"]) >= 0).all()
    if not ascending or not np.isin(found["frame"], found["frames"]).all() or not frames:
        raise file_error(path, "its frames are out of order; detect once more")
