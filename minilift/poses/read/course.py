"""Which files hold a set of poses, and the arrays in them: a pickle, a .npz, or a pair of .npy files."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minilift.files import LARGEST_FILE, PathLike, file_error, one_line, read_bytes
from minilift.files.npz import CannotMap, map_npy, map_npz, read_npy, read_npz
from minilift.poses.checks import check_in_front, clean_points
from minilift.poses.pose_set import Poses

KEYS_2D = ("joint_2d_1", "joint_2d")  # the course's name, and the plain one
KEYS = (*KEYS_2D, "joint_3d")
SECOND = "view 2 of a two-view file"  # how what is ignored of it is called
SECOND_VIEW = ("joint_2d_2", "rot", "transl", "focal_len_1", "focal_len_2")
"""The keys of another camera, in a file of two views."""
LARGE = 256 << 20  # bytes: the arrays of larger files stay there, where they can
MAKE_ONE = "check the name, or make one with: minilift data synth"
WRITE_AGAIN = "write it again as a dict of numpy arrays joint_2d_1 (N,15,2) and joint_3d (N,15,3)"
TO_MAP = "write float32 arrays with numpy.savez, or as NAME_2d.npy and NAME_3d.npy"
PAIR = "poses in .npy files are a pair, NAME_2d.npy and NAME_3d.npy"


def pair_name(path: PathLike) -> str:
    """NAME of NAME_2d.npy, NAME_3d.npy or NAME.npy."""
    return re.sub("_[23]d$", "", Path(path).stem)


def files_of(path: PathLike) -> tuple[Path, ...]:
    """The files of a set of poses: the pair for each of its three names, otherwise the one that is named."""
    path = Path(path)
    if path.suffix.lower() != ".npy":
        return (path,)
    return tuple(path.with_name(f"{pair_name(path)}_{d}d{path.suffix}") for d in (2, 3))


def read_keys(path: PathLike, mapped: bool | None = None, keys: tuple[str, ...] = KEYS) -> dict[Any, Any]:
    """The arrays of these keys as they are stored, unchecked, by key; what else there is is None, unread.

    Of large files they are mapped, where they can be; `mapped` decides otherwise, as in load_poses.
    """
    files = files_of(path)
    pair = dict(zip((KEYS_2D[0], "joint_3d"), files, strict=True)) if len(files) == 2 else {}
    start = read_bytes(files[0], PAIR if pair else MAKE_ONE, first=4)
    if pair and not files[1].exists():
        del pair["joint_3d"]
    size = sum(os.stat(file).st_size for file in pair.values() or files)
    if pair or start == b"PK\x03\x04":
        if mapped or (mapped is None and size > LARGE):
            try:
                return {key: map_npy(pair[key]) for key in pair} or dict(map_npz(path, keys))
            except CannotMap as problem:
                if mapped or size > LARGEST_FILE:
                    raise file_error(path, f"{problem}; {TO_MAP}") from None
        return {key: read_npy(pair[key]) for key in pair} or dict(read_npz(path, read_bytes(path), keys))
    if mapped or size > LARGEST_FILE:
        raise file_error(path, f"a pickle has to fit in memory; {TO_MAP}")
    from minilift.files.pickles.arrays import read_pickle  # few files are pickles

    content = read_pickle(path, read_bytes(path), WRITE_AGAIN, keys, "a pickle or .npz of poses")
    if not isinstance(content, dict):
        raise file_error(path, f"holds a {type(content).__name__}, not a dict; {WRITE_AGAIN}")
    return content


def read_course(path: PathLike, need_3d: bool = False, mapped: bool | None = None) -> Poses:
    """The poses in a course file, checked; `load_poses` says what is accepted and what is refused."""
    content, files = read_keys(path, mapped), files_of(path)
    flat, deep = files if len(files) == 2 else (path, path)
    key = next((k for k in KEYS_2D if k in content), None)
    if key is None:
        found = one_line(", ".join(map(str, list(content)[:8])) or "nothing", 120)
        raise file_error(path, f"no key joint_2d_1, found {found}; name the 2D points joint_2d_1")
    joint_2d = clean_points(flat, key, content[key], 2)
    joint_3d = None
    if content.get("joint_3d") is not None:
        joint_3d = clean_points(deep, "joint_3d", content["joint_3d"], 3)
        if len(joint_3d) != len(joint_2d):
            problem = f"{key} has {len(joint_2d)} poses, joint_3d has {len(joint_3d)}"
            raise file_error(path, f"{problem}; store the same poses in both")
        check_in_front(deep, joint_3d)
    elif need_3d:
        missing = "no key joint_3d, which" if flat == deep else "no such file, and its 3D joints are what"
        remedy = "use a file that has the 3D joints (docs/weak.md is about training without)"
        raise file_error(deep, f"{missing} training and evaluation need; {remedy}")
    used = (key, "joint_3d", *(SECOND_VIEW if has_second_view(content) else ()))
    ignored = tuple(one_line(str(k), 40) for k in content if k not in used)
    second = (SECOND,) if has_second_view(content) else ()
    return Poses(joint_2d, joint_3d, ignored=second + ignored)


def has_second_view(keys: Iterable[Any]) -> bool:
    """Whether a file with these keys has two views."""
    return "joint_2d_2" in keys
