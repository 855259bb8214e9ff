"""Reading, writing and splitting pose files in the course's format."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line, write_atomically
from minilift.files.mapped import MappedRows, Points, blocks
from minilift.files.npz import read_npy
from minilift.poses.checks import check_in_front, clean_points, clean_scale
from minilift.poses.layouts import COURSE15
from minilift.poses.read.course import KEYS_2D, files_of, pair_name, read_keys, write_keys

LEGS = [i for i, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


@dataclass(frozen=True)
class Poses:
    """N people: what the camera saw, and where the joints are.

    The camera is the origin and looks down -Z, X is right, Y up. The mid-hip lies at exactly (0, 0, -1)
    and is not stored, so each sample's unit is its own camera-to-hip distance. Joints are arrays, or
    MappedRows, which stay in their file.
    """

    joint_2d: Points
    """(N, 15, 2) float32: x/-z, y/-z, focal length 1."""
    joint_3d: Points | None = None
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

    @property
    def mapped(self) -> bool:
        """Whether the joints stay in their file."""
        return isinstance(self.joint_2d, MappedRows)

    def take(self, rows: np.ndarray | slice) -> "Poses":
        """The poses of these rows (indices, mask or slice), in this order; of mapped ones nothing is read."""

        def part(array: Points) -> Points:
            return array.take(rows) if isinstance(array, MappedRows) else array[rows]

        joint_3d = None if self.joint_3d is None else part(self.joint_3d)
        scale = None if self.scale is None else self.scale[rows]
        return Poses(part(self.joint_2d), joint_3d, scale, self.ignored)

    def read(self, rows: np.ndarray | slice) -> "Poses":
        """The poses of these rows, in memory."""
        joint_3d = None if self.joint_3d is None else self.joint_3d[rows]
        scale = None if self.scale is None else self.scale[rows]
        return Poses(self.joint_2d[rows], joint_3d, scale, self.ignored)


def load_poses(
    path: PathLike, need_3d: bool = False, scale: PathLike | None = None, mapped: bool | None = None
) -> Poses:
    """Read a set of poses: a pickle or .npz (told apart by content) with joint_2d_1 and, perhaps, joint_3d;
    or the pair NAME_2d.npy and NAME_3d.npy, under either name or as NAME.npy.

    Accepted too: any number type, byte and memory order, nested lists, (N, 30) and (N, 45), the name
    joint_2d. Other keys are listed in `.ignored`. `scale` names a .npy file of metres per unit.

    Float32 arrays in C order, of a .npy or of a .npz that is not compressed, can stay in the file, to be read
    as they are needed. `mapped` says whether they do; None: where the files are larger than 256 MB.

    Raises InputError naming the file: nothing there, not readable, keys, shapes, N, NaN or infinity, points
    behind the camera; with `need_3d` also where joint_3d is missing, with `mapped` where it cannot be done.
    No code in the file is ever run.
    """
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
        remedy = "use a file that has the 3D joints"
        raise file_error(deep, f"{missing} training and evaluation need; {remedy}")
    metres = None if scale is None else load_scale(scale, len(joint_2d))
    ignored = tuple(one_line(str(k), 40) for k in content if k not in (key, "joint_3d"))
    return Poses(joint_2d, joint_3d, metres, ignored)


def save_poses(path: PathLike, poses: Poses) -> None:
    """Write joint_2d_1 and joint_3d to a .npz, a pair of .npy files, or else a pickle, atomically.

    Mapped poses are copied a few MB at a time. The scale has a file of its own. Every numpy from 1.23 on
    reads the pickle with plain pickle.load.
    """
    arrays = {KEYS_2D[0]: poses.joint_2d}
    if poses.joint_3d is not None:
        arrays["joint_3d"] = poses.joint_3d
    write_keys(path, arrays)


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


def scale_fits(joint_3d: Points, scale: np.ndarray) -> bool:
    """Whether metres per unit (N,) can belong to these poses (N, 15, 3).

    People differ in size by less than their distances from a camera do. So legs in metres are more alike than
    in units; with the scale of other poses they are less so, by about 1.4 for distances from 2.5 to 6 m.
    Few poses, or equidistant ones, always pass.
    """
    legs = np.concatenate([COURSE15.bone_lengths(part)[:, LEGS].sum(axis=1) for part in blocks(joint_3d)])
    in_units, in_metres = (np.std(size) / max(np.mean(size), 1e-12) for size in (legs, legs * scale))
    return bool(len(legs) < 30 or in_metres < max(1.2 * in_units, 0.15))


def scale_name(path: PathLike) -> Path:
    """Where a pose file's scale belongs: a_lift.pkl -> a_scale.npy, a_2d.npy -> a_scale.npy."""
    path = Path(path)
    name = pair_name(path) if path.suffix.lower() == ".npy" else path.stem
    return path.parent / (name.removesuffix("_lift") + "_scale.npy")
