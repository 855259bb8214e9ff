"""Writing a set of poses in the course's format: a pickle, a .npz, or a pair of .npy files."""

import math
import pickle
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.files.mapped import Points, blocks
from minilift.files.npz import write_npy, write_npz
from minilift.poses.pose_set import Poses
from minilift.poses.read.course import KEYS_2D, files_of


def write_pickle(path: PathLike, poses: Poses) -> None:
    """Write joint_2d_1 and, where there is one, joint_3d as a pickle, which numpy from 1.23 on reads."""
    write_atomically(path, lambda file: write_opcodes(file, _arrays(poses)))


def write_zip(path: PathLike, poses: Poses) -> None:
    """The same as a .npz."""
    write_atomically(path, lambda file: write_npz(file, _arrays(poses)))


def write_pair(path: PathLike, poses: Poses) -> None:
    """Write NAME_2d.npy and NAME_3d.npy; a NAME_3d.npy of other poses goes where these have none."""
    flat, deep = files_of(path)
    joint_2d, joint_3d = poses.joint_2d, poses.joint_3d
    if joint_3d is None:
        deep.unlink(missing_ok=True)
        write_atomically(flat, lambda file: write_npy(file, joint_2d))
        return

    def both(file: BinaryIO) -> None:
        write_npy(file, joint_3d)
        file.flush()  # what can fail does so before either is replaced
        write_atomically(flat, lambda other: write_npy(other, joint_2d))

    write_atomically(deep, both)


def _arrays(poses: Poses) -> dict[str, Points]:
    deep = {} if poses.joint_3d is None else {"joint_3d": poses.joint_3d}
    return {KEYS_2D[0]: poses.joint_2d, **deep}


def write_opcodes(file: BinaryIO, arrays: Mapping[str, Points]) -> None:
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
