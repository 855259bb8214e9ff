"""Which files hold a set of poses, and the arrays in them: a pickle, a .npz, or a pair of .npy files."""

import math
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.files import LARGEST_FILE, PathLike, file_error, read_bytes, write_atomically
from minilift.files.array_pickle import read_pickle
from minilift.files.mapped import Points, blocks
from minilift.files.npz import CannotMap, map_npy, map_npz, read_npy, read_npz, write_npy, write_npz

KEYS_2D = ("joint_2d_1", "joint_2d")  # the course's name, and the plain one
KEYS = (*KEYS_2D, "joint_3d")
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


def read_keys(path: PathLike, mapped: bool | None = None) -> dict[Any, Any]:
    """The arrays of a set of poses as they are stored, unchecked, by key; those of no use are None, unread.

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
                return {key: map_npy(pair[key]) for key in pair} or dict(map_npz(path, KEYS))
            except CannotMap as problem:
                if mapped or size > LARGEST_FILE:
                    raise file_error(path, f"{problem}; {TO_MAP}") from None
        return {key: read_npy(pair[key]) for key in pair} or dict(read_npz(path, read_bytes(path), KEYS))
    if mapped or size > LARGEST_FILE:
        raise file_error(path, f"a pickle has to fit in memory; {TO_MAP}")
    content = read_pickle(path, read_bytes(path), WRITE_AGAIN)
    if not isinstance(content, dict):
        raise file_error(path, f"holds a {type(content).__name__}, not a dict; {WRITE_AGAIN}")
    return content


def write_keys(path: PathLike, arrays: Mapping[str, Points]) -> None:
    """Write arrays as the name of the file says: a .npz, a pair of .npy files, or else a pickle."""
    files = files_of(path)
    if len(files) == 1:
        write = write_npz if files[0].suffix.lower() == ".npz" else _write_pickle
        write_atomically(path, lambda file: write(file, arrays))
        return

    def both(file: BinaryIO) -> None:
        write_npy(file, arrays["joint_3d"])
        file.flush()  # what can fail does so before either is replaced
        write_atomically(files[0], lambda other: write_npy(other, arrays[KEYS_2D[0]]))

    if "joint_3d" in arrays:
        write_atomically(files[1], both)
    else:
        files[1].unlink(missing_ok=True)  # they belong to other poses
        write_atomically(files[0], lambda file: write_npy(file, arrays[KEYS_2D[0]]))


def _write_pickle(file: BinaryIO, arrays: Mapping[str, Points]) -> None:
    """A dict of little-endian float32 arrays as pickle opcodes.

    Not pickle.dump: numpy 2 would name numpy._core.multiarray, which numpy before 1.26 cannot import, while
    every numpy 2 still answers to numpy.core.multiarray.
    """
    file.write(pickle.PROTO + b"\x04" + pickle.EMPTY_DICT + pickle.MARK)
    for name, array in arrays.items():
        file.write(_opcodes(name) + pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n")
        file.write(
            pickle.GLOBAL
            + b"numpy\nndarray\n"
            + _opcodes((0,))
            + _opcodes(b"b")
            + pickle.TUPLE3
            + pickle.REDUCE
        )
        file.write(pickle.MARK + _opcodes(1) + _opcodes(array.shape))
        file.write(pickle.GLOBAL + b"numpy\ndtype\n" + _opcodes(("f4", False, True)) + pickle.REDUCE)
        file.write(_opcodes((3, "<", None, None, None, -1, -1, 0)) + pickle.BUILD + pickle.NEWFALSE)
        file.write(pickle.BINBYTES8 + (4 * math.prod(array.shape)).to_bytes(8, "little"))
        for block in blocks(array):
            file.write(np.ascontiguousarray(block, dtype="<f4").data)
        file.write(pickle.TUPLE + pickle.BUILD)
    file.write(pickle.SETITEMS + pickle.STOP)


def _opcodes(value: object) -> bytes:
    """The opcodes of a small plain value, without the start and the stop of a pickle."""
    return pickle.dumps(value, 3)[2:-1]
