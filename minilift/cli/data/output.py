"""Where the subcommands of `minilift data` write: names of files, and what is there already."""

from pathlib import Path

from minilift.errors import counted
from minilift.files import check_writable, file_error
from minilift.poses.poses import Poses, save_poses, save_scale, scale_name
from minilift.poses.read.course import files_of
from minilift.poses.write.formats import SUFFIXES

HELP = "a .pkl or .npz file, NAME.npy for NAME_2d.npy and NAME_3d.npy, or a folder [%(default)s]"


def pose_file(name: str) -> Path:
    """The file that --out names, which may be a folder. Raises InputError for other kinds of files."""
    out = Path(name)
    if out.is_dir() or not out.suffix:
        out = out / "poses.pkl"
    if out.suffix.lower() not in SUFFIXES:
        raise file_error(out, f"a pose file is named {' or '.join(SUFFIXES)}; choose such a name")
    return out


def check_outputs(paths: list[Path], force: bool) -> None:
    """Raise InputError where the folder cannot be written, or a file is there and --force is not given."""
    check_writable(paths[0].parent, f"--out {paths[0]}")
    for path in paths:
        if path.exists() and not force:
            raise file_error(path, "exists already; choose another --out, or --force to replace it")


def save(path: Path, poses: Poses) -> None:
    """Write poses and their scale; a scale left there by other poses would give wrong millimetres."""
    beside = scale_name(path)
    save_poses(path, poses)
    if poses.scale is not None:
        save_scale(beside, poses.scale)
    elif beside.is_file():
        beside.unlink()
        print(f"removed {beside}, which belongs to other poses")
    files = [*files_of(path)[: 1 if poses.joint_3d is None else 2]] + [beside] * (poses.scale is not None)
    print(f"wrote {counted(len(poses), 'pose')} to {' and '.join(map(str, files))}")
