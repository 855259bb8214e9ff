"""Writing people seen by two cameras in the course's form."""

from pathlib import Path

import numpy as np

from minilift.files import PathLike, file_error, write_atomically
from minilift.files.mapped import Points
from minilift.files.npz import write_npz
from minilift.poses.views.two_views import TwoViews
from minilift.poses.write.course import write_opcodes

SUFFIXES = (".pkl", ".pickle", ".npz")


def save_two_views(path: PathLike, views: TwoViews) -> None:
    """Write joint_2d_1, joint_2d_2, rot (N, 9) row by row, transl (N, 3), focal_len_1 and focal_len_2 (N, 2),
    all 1, and joint_3d, where there is one, to a .npz or a pickle, atomically. Raises InputError for other
    names."""
    suffix, n = Path(path).suffix.lower(), len(views)
    if suffix not in SUFFIXES:
        raise file_error(path, f"a file of two views is named {' or '.join(SUFFIXES)}; choose such a name")
    arrays: dict[str, Points] = {"joint_2d_1": views.joint_2d_1, "joint_2d_2": views.joint_2d_2}
    if views.joint_3d is not None:
        arrays["joint_3d"] = views.joint_3d
    arrays |= {"rot": views.rotation.reshape(n, 9), "transl": views.translation}
    arrays |= {f"focal_len_{k}": np.ones((n, 2), np.float32) for k in (1, 2)}
    arrays = {k: a.astype("<f4") if isinstance(a, np.ndarray) else a for k, a in arrays.items()}
    write = write_npz if suffix == ".npz" else write_opcodes
    write_atomically(path, lambda file: write(file, arrays))
