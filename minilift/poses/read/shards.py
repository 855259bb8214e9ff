"""A folder of pose files as one set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from minilift.files import PathLike, file_error
from minilift.files.mapped import MappedRows, Points
from minilift.files.shards import ShardedRows
from minilift.poses.pose_set import Poses
from minilift.poses.read.course import LARGE, files_of

ENDINGS = ".npz, or pairs NAME_2d.npy and NAME_3d.npy"
Read = Callable[[PathLike, bool, bool | None], Poses]


def read_shards(folder: PathLike, read: Read, need_3d: bool = False, mapped: bool | None = None) -> Poses:
    """The poses of every .npz and every NAME_2d.npy in a folder, in the order of their names, by `read`.

    They stay in their files where these are large together, as those of one file do. Raises InputError for a
    folder without any, for files some of which have joint_3d and others not, and what `read` raises.
    """
    names = [*Path(folder).glob("*.npz"), *Path(folder).glob("*_2d.npy")]
    shards = sorted(path for path in names if not path.name.startswith("."))
    if not shards:
        raise file_error(folder, f"is a folder without files of poses ({ENDINGS}); name a file")
    sizes = [file.stat().st_size for path in shards for file in files_of(path) if file.exists()]
    mapped = sum(sizes) > LARGE if mapped is None else mapped
    parts = [read(path, need_3d, mapped) for path in shards]
    labelled = [part.joint_3d for part in parts if part.joint_3d is not None]
    if labelled and len(labelled) < len(parts):
        lacking = next(path for path, part in zip(shards, parts, strict=True) if part.joint_3d is None)
        raise file_error(lacking, "no key joint_3d, which others in the folder have; use files of one kind")
    ignored = dict.fromkeys(key for part in parts for key in part.ignored)
    joint_3d = _joined(labelled) if labelled else None
    return Poses(_joined([part.joint_2d for part in parts]), joint_3d, ignored=tuple(ignored))


def _joined(parts: list[Points]) -> Points:
    rows = [part for part in parts if isinstance(part, MappedRows)]
    if len(rows) == len(parts):
        return ShardedRows(rows)
    return np.concatenate([np.asarray(part) for part in parts])
