"""Sets of poses: reading, writing and splitting them, and the metres per unit that belong to them."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, write_atomically
from minilift.files.mapped import Points, blocks
from minilift.files.npz import read_npy
from minilift.poses.checks import clean_scale
from minilift.poses.layouts import COURSE15
from minilift.poses.pose_set import Poses
from minilift.poses.read.course import files_of, pair_name, read_course
from minilift.poses.read.detect import detect
from minilift.poses.read.formats import CLIP, SKELETON
from minilift.poses.read.shards import read_shards
from minilift.poses.write.formats import format_of

__all__ = [
    "Poses", "find_scale", "load_poses", "load_scale", "save_poses", "save_scale", "scale_fits", "scale_name",
    "split_poses",
]  # fmt: skip

LEGS = [i for i, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


def load_poses(
    path: PathLike, need_3d: bool = False, scale: PathLike | None = None, mapped: bool | None = None
) -> Poses:
    """Read a set of poses: a pickle or .npz (told apart by content) with joint_2d_1 and, perhaps, joint_3d;
    or the pair NAME_2d.npy and NAME_3d.npy, under either name or as NAME.npy; or a folder of these (but for
    pickles), one after the other.

    Accepted too: any number type, byte and memory order, nested lists, (N, 30) and (N, 45), the name
    joint_2d. Other keys are listed in `.ignored`. `scale` names a .npy file of metres per unit.

    Float32 arrays in C order, of a .npy or of a .npz that is not compressed, can stay in the file, to be read
    as they are needed. `mapped` says whether they do; None: where the files are larger than 256 MB.

    Raises InputError naming the file: nothing there, not readable, keys, shapes, N, NaN or infinity, points
    behind the camera; with `need_3d` also where joint_3d is missing, with `mapped` where it cannot be done.
    No code in the file is ever run.
    """
    if Path(path).is_dir():
        poses = read_shards(path, lambda file, *how: _reader(file)(file, *how), need_3d, mapped)
    else:
        poses = _reader(path)(path, need_3d, mapped)
    return poses if scale is None else replace(poses, scale=load_scale(scale, len(poses)))


def _reader(path: PathLike) -> Callable[[PathLike, bool, bool | None], Poses]:
    """What reads a set of poses, by the table of formats. Raises InputError for motion-capture clips.

    A file that is not there, or of no known kind, is left to the reader of the course's files to explain.
    """
    first = files_of(path)[0]
    known = detect(first) if first.is_file() and first.stat().st_size else None
    if known is not None and known.gives in (CLIP, SKELETON):
        problem = f"is motion capture ({known.name}), not a set of poses"
        raise file_error(path, f"{problem}; make poses of clips with: minilift data clips")
    return read_course if known is None else known.read


def save_poses(path: PathLike, poses: Poses) -> None:
    """Write joint_2d_1 and joint_3d to a .npz, a pair of .npy files, or else a pickle, atomically.

    Mapped poses are copied a few MB at a time. The scale has a file of its own. Every numpy from 1.23 on
    reads the pickle with plain pickle.load.
    """
    format_of(path).write(path, poses)


def split_poses(poses: Poses, fraction: float = 0.8, seed: int = 0) -> tuple[Poses, Poses]:
    """Split into train and test at random; the same seed gives the same split.

    Raises InputError where a part would be empty.
    """
    if seed < 0:
        raise InputError(f"seed {seed} is negative; choose 0 or more")
    # Rounded down, as the course split 78,047 into 62,437 and 15,610; 0.29 * 100 must still give 29.
    first = math.floor(len(poses) * fraction + 1e-9) if 0 < fraction < 1 else 0
    if not 0 < first < len(poses):
        raise InputError(
            f"fraction {fraction} of {len(poses)} poses leaves a part empty; choose one between 0 and 1, "
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
