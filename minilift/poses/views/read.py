"""Reading people seen by two cameras from a file in the course's form."""

from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line
from minilift.files.mapped import Points, chunks
from minilift.poses.checks import clean_points, clean_rows, rows
from minilift.poses.few import evenly
from minilift.poses.layouts import ROOT
from minilift.poses.read.course import SECOND_VIEW, read_keys
from minilift.poses.views.convention import (
    FARTHEST,
    HIPS,
    MANY,
    SAMPLE,
    Convention,
    Stored,
    depth_of_hips,
    find_convention,
    wrong_focal,
)
from minilift.poses.views.joints import check_joints, clean_joints
from minilift.poses.views.reasons import all_behind, behind_camera, upside_down
from minilift.poses.views.triangulate import LEAST_SINE, meet, person_miss
from minilift.poses.views.two_views import TwoViews

CAMERAS = SECOND_VIEW[1:]
TO_STORE = {
    "rot": "a rotation matrix (N, 9) from view 1 to view 2",
    "transl": "a translation (N, 3) from view 1 to view 2",
    "focal_len_1": "focal_len_1 (N, 2), ones for points that are divided by it already",
    "focal_len_2": "focal_len_2 (N, 2), ones for points that are divided by it already",
}
"""What each of them is, to tell where it is missing."""
KEYS = ("joint_2d_1", *SECOND_VIEW, "joint_3d")
DOUBTFUL = 0.2
"""Likewise, of the median over all people: then the cameras are wrong, and not some rows."""
OTHER_UNIT = 0.05
"""By so much the distance of the mid-hip may differ from 1 for the translation to be in its unit."""
MAKE_ONE = "make one with: minilift data twoview POSES -o OUT"
CHECK_CAMERAS = "check rot, transl and focal_len, and that both images are of one moment"


def load_two_views(
    path: PathLike, mapped: bool | None = None, divided: bool | None = None
) -> TwoViews:  # fmt: skip
    """Read a pickle or .npz of two views: joint_2d_1 and joint_2d_2 (N, 15, 2), rot (N, 9) or (N, 3, 3),
    transl (N, 3), focal_len_1 and focal_len_2 (N, 2), (N, 1) or (N,), and perhaps joint_3d (N, 15, 3).

    How rot, transl and the focal lengths are meant is found by itself, from how nearly the rays of both
    views meet; `.convention` says it. joint_3d has no part in it, but has to be what view 1 shows. A
    translation in another unit than the distance of the mid-hip from camera 1 is brought to that. `mapped` is
    as in `load_poses`; image points that have to be divided by focal lengths come into memory. `divided` says
    whether they are divided already: images with noise may not show it (docs/weak.md).

    Raises InputError naming the file and the rows: what `load_poses` refuses, a second view that is not
    there, a rot that is no rotation, a y that points down, views that are the same or opposite, people behind
    a camera, rays that do not meet, joint_3d of other people or in another unit. No code in the file is ever
    run.
    """
    if Path(path).suffix.lower() == ".npy":
        raise file_error(path, f"two views are not kept in .npy files; {MAKE_ONE}")
    content = read_keys(path, mapped, KEYS)
    for key in KEYS[:-1]:
        if content.get(key) is None:
            raise file_error(path, _missing(key, content))
    images = [clean_points(path, key, content[key], 2) for key in KEYS[:2]]
    n = len(images[0])
    if len(images[1]) != n:
        problem = f"joint_2d_1 has {n} poses, joint_2d_2 has {len(images[1])}"
        raise file_error(path, f"{problem}; store the same people in both")
    _check_different(path, images)
    rotation = clean_rows(path, "rot", content["rot"], n, ((9,), (3, 3))).reshape(n, 3, 3)
    translation = clean_rows(path, "transl", content["transl"], n, ((3,),))
    focal = [_focal(path, key, content[key], n) for key in CAMERAS[2:]]
    _check_rotation(path, rotation)
    joint_3d = clean_joints(path, content.get("joint_3d"), n)
    found, other_unit = _understood(path, images, focal, rotation, translation, divided)
    if found.undivided and any((lengths != 1).any() for lengths in focal):
        images = [np.asarray(x) / f[:, None] for x, f in zip(images, focal, strict=True)]
    cameras = _checked_cameras(path, images, found, found.cameras(rotation, translation), other_unit)
    if joint_3d is not None:
        check_joints(path, joint_3d, images[0], found.miss)
    ignored = tuple(one_line(str(key), 40) for key in content if key not in KEYS)
    said = found.said() + ("; transl was in another unit" if other_unit else "")
    return TwoViews(images[0], images[1], *cameras, joint_3d, said, ignored)


def _missing(key: str, content: dict[Any, Any]) -> str:
    """What to say of a file that lacks this key."""
    if key in CAMERAS and content.get("joint_2d_2") is not None:
        lacking = [name for name in CAMERAS if content.get(name) is None]
        return f"no key {', '.join(lacking)} of the cameras; store {', '.join(TO_STORE[k] for k in lacking)}"
    what = "no second view: " if key != "joint_2d_1" else ""
    return f"{what}no key {key}; a file of two views has one; {MAKE_ONE}"


def _focal(path: PathLike, key: str, value: Any, n: int) -> np.ndarray:
    """Focal lengths (n, 2), in the unit of the image points."""
    lengths = clean_rows(path, key, value, n, ((2,), (1,), ()))
    wrong = np.asarray((lengths <= 0).any(axis=1))
    if wrong.any():
        raise file_error(path, f"{key} is not positive in {rows(wrong)}; it is x and y in the unit of the 2D")
    return np.broadcast_to(lengths, (n, 2))


def _check_different(path: PathLike, images: list[Points]) -> None:
    """Raise InputError for people of whom both images are the same one."""
    copied = np.zeros(len(images[0]), bool)
    for part in chunks(len(copied)):
        copied[part] = (images[0][part] == images[1][part]).all(axis=(1, 2))
    if copied.any():
        problem = f"joint_2d_2 is joint_2d_1 once more in {rows(copied)}"
        raise file_error(path, f"{problem}; give another view of them, or remove those rows")


def _check_rotation(path: PathLike, rotation: np.ndarray) -> None:
    """Raise InputError for matrices that do more, or less, than to turn."""
    turn = rotation.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(turn @ turn.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
        wrong = np.asarray(~(off < 1e-3))
        if wrong.any():
            problem = f"rot is no rotation in {rows(wrong)}: R R^T is off 1 by {off[wrong].max():.2g}"
            raise file_error(
                path, f"{problem}; store nine numbers of a rotation matrix, or remove those rows"
            )
    mirror = np.linalg.det(turn) < 0
    if mirror.any():
        problem = f"rot is no rotation in {rows(mirror)}: it mirrors (determinant -1)"
        raise file_error(path, f"{problem}; negate the axis that one camera has the other way round")


def _understood(
    path: PathLike,
    images: list[Points],
    focal: list[np.ndarray],
    rotation: np.ndarray,
    translation: np.ndarray,
    divided: bool | None,
) -> tuple[Convention, bool]:
    """The convention of the file, and whether its transl is in another unit than the person's distance.

    Raises InputError where rays do not meet by any, and where other focal lengths would do far better.
    """
    sample, many = (
        Stored(
            (images[0][index], images[1][index]), (focal[0][index], focal[1][index]), rotation[index],
            translation[index],
        )
        for index in (evenly(len(rotation), n) for n in (SAMPLE, MANY))
    )  # fmt: skip
    found = find_convention(sample, divided)
    wrong = wrong_focal(sample, many, found)
    if wrong or found.miss >= DOUBTFUL:
        if names := upside_down(sample, found, divided):
            raise file_error(path, f"y seems to point down: negate y of {names}, for the rays meet then")
        if camera := behind_camera(sample, divided):
            problem = f"people are behind camera {camera}: there the rays of nearly all meet"
            raise file_error(path, f"{problem}; {CHECK_CAMERAS}")
        if found.miss >= DOUBTFUL and all_behind(sample):
            problem = "the rays do not meet: by P2 = rot P1 + transl people are behind camera 2 in every row"
            raise file_error(path, f"{problem}; {CHECK_CAMERAS}")
    if wrong:
        if divided:
            problem = (
                f"the 2D points of {path} are not divided by the right focal lengths: {wrong}; leave it out"
            )
            raise ArgumentError("divided", divided, problem)
        raise file_error(path, f"focal lengths are wrong: {wrong}; give them in the unit of the 2D points")
    depth = depth_of_hips(sample, found)
    known = depth[depth > 0]
    return found, bool(len(known) and abs(np.median(known) - 1) > OTHER_UNIT)


def _checked_cameras(
    path: PathLike,
    images: list[Points],
    found: Convention,
    cameras: tuple[np.ndarray, np.ndarray],
    other_unit: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """R and t, float32, t in units of each person's distance. Raises InputError for rows of no use."""
    turn, moved = cameras
    n = len(turn)
    same, opposite, behind, apart = (np.zeros(n, bool) for _ in range(4))
    for part in chunks(n):
        met = meet(images[0][part], images[1][part], turn[part], moved[part])
        if other_unit:
            hips = met.depth[:, HIPS].mean(axis=1)
            moved[part] /= np.where(hips > 0, hips, 1)[:, None]
        root = turn[part] @ np.array(ROOT) + moved[part]
        cosine, sine = _between(turn[part], moved[part])
        same[part], opposite[part] = ((sine < LEAST_SINE) & (sign * cosine > 0) for sign in (1, -1))
        hidden = met.known & ((met.depth <= 0) | (met.depth_2 <= 0))
        behind[part] = (root[:, 2] >= 0) | (hidden.sum(axis=1) * 2 > met.known.sum(axis=1))
        apart[part] = person_miss(met, images[0][part], images[1][part]) > FARTHEST
    remove, nowhere = "remove those rows", "the rays of both views do not meet"
    for wrong, problem, remedy in (
        (same, "both views are the same", f"they tell no depth, {remove}"),
        (opposite, "the views are opposite ones", f"they tell no depth, {remove}"),
        (behind, "people are behind a camera", f"{CHECK_CAMERAS}, or {remove}"),
        (apart & (found.miss < DOUBTFUL), nowhere, f"{CHECK_CAMERAS}, or {remove}"),
    ):
        if wrong.any():
            raise file_error(path, f"{problem} in {rows(wrong)}; {remedy}")
    if found.miss >= DOUBTFUL:
        problem = f"{nowhere}: of half the people they miss by {found.miss:.0%} of a person or more"
        raise file_error(path, f"{problem}; {CHECK_CAMERAS}")
    return turn.astype(np.float32), moved.astype(np.float32)


def _between(turn: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine (n,) of the angle at the mid-hip between the directions to both cameras; 1 and 0 where
    both are in one place."""
    there = -np.einsum("nkl,nk->nl", turn, moved)  # camera 2 as view 1 has it
    away = there - np.array(ROOT)
    length = np.linalg.norm(away, axis=1)
    cosine = np.where(length > 0, away[:, 2] / np.where(length > 0, length, 1), 1)
    return cosine, np.where(np.linalg.norm(there, axis=1) > 1e-6, np.sqrt(np.maximum(1 - cosine**2, 0)), 0)
