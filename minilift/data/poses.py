"""Reading, writing and splitting pose files in the course's format."""

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.data.checks import check_in_front, clean_points, clean_scale
from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line, read_bytes, write_atomically
from minilift.files.array_pickle import read_pickle
from minilift.files.npz import read_npy, read_npz, write_npz
from minilift.pose.skeleton import COURSE15

MAKE_ONE = "check the name, or make one with: python -m minilift.data synth"
WRITE_AGAIN = "write it again as a dict of numpy arrays joint_2d_1 (N,15,2) and joint_3d (N,15,3)"
LEGS = [i for i, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]
KEYS_2D = ("joint_2d_1", "joint_2d")  # the course's name, and the plain one


@dataclass(frozen=True)
class Poses:
    """N people: what the camera saw, and where the joints are.

    The camera is the origin and looks down -Z, X is right, Y up. The mid-hip lies at exactly (0, 0, -1)
    and is not stored, so each sample's unit is its own camera-to-hip distance.
    """

    joint_2d: np.ndarray
    """(N, 15, 2) float32: x/-z, y/-z, focal length 1."""
    joint_3d: np.ndarray | None = None
    """(N, 15, 3) float32 in units, or None."""
    scale: np.ndarray | None = None
    """(N,) float32 metres per unit, or None."""
    ignored: tuple[str, ...] = field(default=())
    """Keys of the file that were not used."""

    def __post_init__(self) -> None:
        for name, part in (("joint_3d", self.joint_3d), ("scale", self.scale)):
            if part is not None and len(part) != len(self.joint_2d):
                raise ValueError(f"joint_2d has {len(self.joint_2d)} poses, {name} has {len(part)}")

    def __len__(self) -> int:
        return len(self.joint_2d)

    def take(self, rows: np.ndarray | slice) -> "Poses":
        """The poses of these rows (indices, mask or slice), in this order."""
        parts = [part if part is None else part[rows] for part in (self.joint_3d, self.scale)]
        return Poses(self.joint_2d[rows], parts[0], parts[1], self.ignored)


def load_poses(path: PathLike, need_3d: bool = False, scale: PathLike | None = None) -> Poses:
    """Read a pose file: a pickle or .npz (told apart by content) with joint_2d_1 and, perhaps, joint_3d.

    Accepted too: any number type, byte and memory order, nested lists, (N, 30) and (N, 45), the name
    joint_2d. Other keys are listed in `.ignored`. `scale` names a .npy file of metres per unit.
    Raises InputError naming the file: nothing there, not readable, keys, shapes, N, NaN or infinity, points
    behind the camera; with `need_3d` also where joint_3d is missing. No code in the file is ever run.
    """
    content = read_keys(path)
    key = next((k for k in KEYS_2D if k in content), None)
    if key is None:
        found = one_line(", ".join(map(str, list(content)[:8])) or "nothing", 120)
        raise file_error(path, f"no key joint_2d_1, found {found}; name the 2D points joint_2d_1")
    joint_2d = clean_points(path, key, content[key], 2)
    joint_3d = None
    if content.get("joint_3d") is not None:
        joint_3d = clean_points(path, "joint_3d", content["joint_3d"], 3)
        if len(joint_3d) != len(joint_2d):
            problem = f"{key} has {len(joint_2d)} poses, joint_3d has {len(joint_3d)}"
            raise file_error(path, f"{problem}; store the same poses in both")
        check_in_front(path, joint_3d)
    elif need_3d:
        raise file_error(
            path, "no key joint_3d, which training and evaluation need; use a file that has the 3D joints"
        )
    metres = None if scale is None else load_scale(scale, len(joint_2d))
    ignored = tuple(one_line(str(k), 40) for k in content if k not in (key, "joint_3d"))
    return Poses(joint_2d, joint_3d, metres, ignored)


def save_poses(path: PathLike, poses: Poses) -> None:
    """Write joint_2d_1 and joint_3d to a .npz or else a pickle, atomically; the scale has a file of its own.

    Every numpy from 1.23 on reads the pickle with plain pickle.load.
    """
    arrays = {"joint_2d_1": poses.joint_2d}
    if poses.joint_3d is not None:
        arrays["joint_3d"] = poses.joint_3d
    write = write_npz if Path(path).suffix.lower() == ".npz" else _write_pickle
    write_atomically(path, lambda file: write(file, arrays))


def split_poses(poses: Poses, fraction: float = 0.8, seed: int = 0) -> tuple[Poses, Poses]:
    """Split into train and test at random; the same seed gives the same split.

    Raises InputError where a part would be empty.
    """
    if seed < 0:
        raise InputError(f"--seed {seed} is negative; choose 0 or more")
    # Rounded down, as the course split 78,047 into 62,437 and 15,610; 0.29 * 100 must still give 29.
    first = math.floor(len(poses) * fraction + 1e-9) if 0 < fraction < 1 else 0
    if not 0 < first < len(poses):
        raise InputError(
            f"--fraction {fraction} of {len(poses)} poses leaves a part empty; choose one between 0 and 1, "
            "or give more poses"
        )
    order = np.random.default_rng(seed).permutation(len(poses))
    return poses.take(order[:first]), poses.take(order[first:])


def load_scale(path: PathLike, n: int) -> np.ndarray:
    """Metres per unit of n samples from a .npy file: float32 (n,), positive, finite. Raises InputError."""
    return clean_scale(path, read_npy(path, "name the .npy file of metres per unit"), n)


def save_scale(path: PathLike, scale: np.ndarray) -> None:
    """Write metres per unit as a .npy file, atomically."""
    write_atomically(path, lambda file: np.save(file, np.asarray(scale, np.float32), allow_pickle=False))


def find_scale(path: PathLike) -> Path | None:
    """The scale file beside a pose file, if it is there (`scale_name`); nothing loads it unasked."""
    beside = scale_name(path)
    return beside if beside.is_file() else None


def scale_fits(joint_3d: np.ndarray, scale: np.ndarray) -> bool:
    """Whether metres per unit (N,) can belong to these poses (N, 15, 3).

    People differ in size by less than their distances from a camera do. So legs in metres are more alike than
    in units; with the scale of other poses they are less so, by about 1.4 for distances from 2.5 to 6 m.
    Few poses, or equidistant ones, always pass.
    """
    legs = COURSE15.bone_lengths(joint_3d)[:, LEGS].sum(axis=1)
    in_units, in_metres = (np.std(size) / max(np.mean(size), 1e-12) for size in (legs, legs * scale))
    return bool(len(legs) < 30 or in_metres < max(1.2 * in_units, 0.15))


def scale_name(path: PathLike) -> Path:
    """Where a pose file's scale belongs: data_test_lift.pkl -> data_test_scale.npy, a.pkl -> a_scale.npy."""
    path = Path(path)
    return path.parent / (path.stem.removesuffix("_lift") + "_scale.npy")


def read_keys(path: PathLike) -> dict[Any, Any]:
    """The file's dict as it is stored, unchecked; of a .npz, arrays under other keys are None, unread."""
    raw = read_bytes(path, MAKE_ONE)
    if raw[:4] == b"PK\x03\x04":
        return dict(read_npz(path, raw, (*KEYS_2D, "joint_3d")))
    content = read_pickle(path, raw, WRITE_AGAIN)
    if not isinstance(content, dict):
        raise file_error(path, f"holds a {type(content).__name__}, not a dict; {WRITE_AGAIN}")
    return content


def _write_pickle(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """A dict of little-endian float32 arrays as pickle opcodes.

    Not pickle.dump: numpy 2 would name numpy._core.multiarray, which numpy before 1.26 cannot import, while
    every numpy 2 still answers to numpy.core.multiarray.
    """
    file.write(pickle.PROTO + b"\x04" + pickle.EMPTY_DICT + pickle.MARK)
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
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
        file.write(pickle.BINBYTES8 + len(raw).to_bytes(8, "little") + raw + pickle.TUPLE + pickle.BUILD)
    file.write(pickle.SETITEMS + pickle.STOP)


def _opcodes(value: object) -> bytes:
    """The opcodes of a small plain value, without the start and the stop of a pickle."""
    return pickle.dumps(value, 3)[2:-1]
