"""Turn whatever a pose file holds into clean float32 arrays, or say in one line why not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error
from minilift.files.mapped import MappedRows, Points, crc32, shown
from minilift.poses.layouts import COURSE15, LAYOUTS

N_JOINTS = len(COURSE15)
_KIND = {2: "2D", 3: "3D"}


def clean_points(path: PathLike, key: str, value: object, dims: int, gaps: bool = False) -> Points:
    """A finite C-contiguous float32 (N, J, dims) array from arrays or lists, flat (N, J*dims) ones too.

    With `gaps` NaN may stand for a point that is not known. Mapped rows stay where they are, once all of them
    have been looked at, and their checksum. Raises InputError naming the file, the key, what is wrong (joint
    count, rows) and the remedy.
    """
    array = _as_array(path, key, value)
    if array.shape[:1] == (0,):
        raise file_error(path, f"{key} holds no poses (N = 0); give at least one")
    if array.ndim == 2 and array.shape[1] == N_JOINTS * dims:
        array = array.reshape(len(array), N_JOINTS, dims)
    if array.ndim == 3 and array.shape[2] == dims and array.shape[1] != N_JOINTS:
        raise _wrong_joints(path, key, array.shape[1])
    if array.ndim == 2 and array.shape[1] and array.shape[1] % dims == 0:
        raise _wrong_joints(path, key, array.shape[1] // dims)
    if array.ndim != 3 or array.shape[2] != dims:
        wanted = f"(N, {N_JOINTS}, {dims}) or (N, {N_JOINTS * dims})"
        raise file_error(
            path, f"{key} has shape {array.shape}, expected {wanted}; store {_KIND[dims]} points so"
        )
    if isinstance(array, MappedRows):
        return _checked(path, key, array, gaps)
    return _finite_float32(path, key, array, gaps)


def clean_rows(
    path: PathLike, key: str, value: object, n: int, shapes: tuple[tuple[int, ...], ...]
) -> np.ndarray:
    """A finite float32 (n, k) array in memory, a row a pose, each of one of these shapes; or InputError."""
    array = _as_array(path, key, value)
    if isinstance(array, MappedRows):
        array = np.asarray(_checked(path, key, array, False))
    if array.ndim and len(array) != n:
        raise file_error(path, f"{key} has {len(array)} rows for {n} poses; store one a pose")
    if array.shape not in [(n, *shape) for shape in shapes]:
        wanted = " or ".join(str(("N", *shape)).replace("'", "") for shape in shapes)
        raise file_error(path, f"{key} has shape {array.shape}, expected {wanted}; store it so")
    return _finite_float32(path, key, array).reshape(n, -1)


def clean_scale(path: PathLike, array: np.ndarray, n: int) -> np.ndarray:
    """A positive finite float32 (n,) array of metres per unit, or InputError."""
    if array.shape != (n,) or array.dtype.kind not in "fiu":
        problem = f"scale has shape {array.shape} of {array.dtype}, expected ({n},) numbers"
        raise file_error(path, f"{problem}; use the file made with these poses")
    clean = _finite_float32(path, "scale", array)
    if not (clean > 0).all():
        raise file_error(
            path, f"scale is not positive in {rows(clean <= 0)}; it is metres per unit, remove those"
        )
    return clean


def check_in_front(path: PathLike, joint_3d: Points) -> None:
    """Raise InputError where a joint lies at or behind the camera, which looks down -Z."""
    behind = _look(joint_3d, lambda part: _behind(part).any(axis=1))
    if behind.any():
        remedy = "remove those rows"
        if _look(joint_3d, lambda part: _behind(part).all(axis=1)).all():
            remedy = "negate z (the camera looks down -Z)"
        elif behind.mean() > 0.5:  # joints around 0: half of them lie behind it in nearly every pose
            remedy = "if the root is at (0, 0, 0) there, move it to (0, 0, -1)"
        raise file_error(path, f"joint_3d has z >= 0, behind the camera, in {rows(behind)}; {remedy}")


def rows(bad: np.ndarray) -> str:
    """Which rows a mask marks: 'row 4' or '7 rows (0, 1, 2, 3, 4, ...)'."""
    index = np.flatnonzero(bad)
    first = ", ".join(str(i) for i in index[:5])
    return (
        f"row {first}"
        if len(index) == 1
        else f"{len(index)} rows ({first}{', ...' if len(index) > 5 else ''})"
    )


def _checked(path: PathLike, key: str, array: MappedRows, gaps: bool) -> MappedRows:
    """Mapped rows, after one pass over all of them: their checksum, and that every number is finite."""
    crc, expected = array.checksum or (0, None)

    def find(part: np.ndarray) -> np.ndarray:
        nonlocal crc
        if expected is not None:
            crc = crc32(part, crc)
        return _bad(part, gaps)

    bad = _look(array, find)
    if expected is not None and crc != expected:
        raise file_error(path, f"the file is damaged (Bad CRC-32 of {key}); copy or write it again")
    _check_finite(path, key, bad, gaps)
    return array


def _finite_float32(path: PathLike, key: str, array: np.ndarray, gaps: bool = False) -> np.ndarray:
    _check_finite(path, key, _look(array, lambda part: _bad(part, gaps)), gaps)
    with np.errstate(over="ignore"):
        clean = np.ascontiguousarray(array, dtype=np.float32)
    bad = _look(clean, lambda part: _bad(part, gaps))
    if bad.any():
        raise file_error(path, f"{key} is too large for float32 in {rows(bad)}; check the unit")
    return clean


def _check_finite(path: PathLike, key: str, bad: np.ndarray, gaps: bool) -> None:
    if bad.any():
        what = "infinity" if gaps else "NaN or infinity"
        raise file_error(path, f"{key} has {what} in {rows(bad)}; remove or repair those rows")


def _behind(part: np.ndarray) -> Any:
    return part[..., 2] >= 0


def _bad(part: np.ndarray, gaps: bool) -> np.ndarray:
    """Which rows hold a number that cannot be used."""
    bad = np.isinf(part) if gaps else ~np.isfinite(part)
    return np.asarray(bad.reshape(len(part), -1).any(axis=1))


def _look(array: Points, find: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What `find` says of each row, as a mask; asked for some thousands at a time."""
    found = np.zeros(len(array), bool)
    for part in shown(array, "checking"):
        found[part] = find(array[part])
    return found


def _wrong_joints(path: PathLike, key: str, count: int) -> Exception:
    known = " or ".join(name for name, layout in LAYOUTS.items() if len(layout) == count)
    if count == N_JOINTS + 1:
        hint = "drop the root (mid-hip), which is not stored"
    elif known:
        hint = f"if they are {known}, make them with minilift.poses.layouts.make"
    else:
        hint = f"map them to these {N_JOINTS} joints"
    return file_error(path, f"{key} has {count} joints, expected {N_JOINTS}; {hint}")


def _as_array(path: PathLike, key: str, value: object) -> Points:
    """A numeric array from an array, or from a list of N rows of numbers or of points."""
    array = value
    if isinstance(value, MappedRows):
        return value
    if isinstance(value, (list, tuple)):
        shapes = {_row_shape(row) for row in value}
        if None in shapes or len(shapes) > 1:
            raise file_error(
                path, f"{key} is a list whose rows are not alike lists of numbers; store an array"
            )
        try:
            array = np.array(value, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            raise file_error(
                path, f"{key} is a list of things that are not numbers; store an array"
            ) from None
    if not isinstance(array, np.ndarray):
        raise file_error(path, f"{key} is of type {type(value).__name__}; store a numpy array")
    if array.dtype.kind not in "fiu":
        raise file_error(path, f"{key} holds {array.dtype} values; store numbers (float32)")
    return array


def _row_shape(row: object) -> tuple[int, ...] | None:
    """The shape of one short row, None where it has none.

    Looked at before numpy is: lists that share their parts can be a terabyte large and still be a small file.
    """
    if isinstance(row, np.ndarray):
        return row.shape if row.size <= 256 else None
    if not isinstance(row, (list, tuple)) or len(row) > 256:
        return None
    lengths = {len(item) if isinstance(item, (list, tuple)) else 0 for item in row}
    if len(lengths) > 1 or max(lengths, default=0) > 16:
        return None
    inner = max(lengths, default=0)
    numbers = (x for item in row for x in item) if inner else iter(row)
    if not all(isinstance(x, (int, float, np.integer, np.floating)) for x in numbers):
        return None
    return (len(row), inner) if inner else (len(row),)
