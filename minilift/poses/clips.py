"""Motion-capture clips as poses: frames chosen, and seen through made-up cameras."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line
from minilift.files.mapped import Spool
from minilift.poses.camera import project, to_camera
from minilift.poses.kinematics import joint_positions
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import Poses
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.maps import JointMap, find_mapped
from minilift.poses.read.joints.units import UNITS, guess_unit

UP = {"y": (0, 1, 2), "z": (1, 2, 0)}  # which axes of a file are the camera's X, Y and Z: both right-handed


@dataclass(frozen=True)
class Choices:
    """What to make of clips; the command's flags are of the same names."""

    views: int = 1
    every: int = 1
    min_move: float = 0.0  # metres, the mean over joints
    keep_first: bool = False
    camera: str = "frame"
    elevation: tuple[float, float] = (-10, 25)  # degrees
    distance: tuple[float, float] = (2.5, 6)  # metres
    seed: int = 0
    unit: float | None = None  # metres
    up: str = "y"
    maps: tuple[JointMap, ...] = ()  # none: joints are found by their names

    def __post_init__(self) -> None:
        low, high = self.elevation
        near, far = self.distance
        for wrong, what in (
            (self.views < 1, f"--views {self.views}: give 1 or more"),
            (self.every < 1, f"--every {self.every}: give 1 or more"),
            (self.seed < 0, f"--seed {self.seed}: give 0 or more"),
            (not 0 <= self.min_move < math.inf, f"--min-move {self.min_move:g}: give metres, 0 or more"),
            (
                not -90 <= low <= high <= 90,
                f"--elevation {low:g} {high:g}: give two angles from -90 to 90, in order",
            ),
            (
                not 0 < near <= far < 1000,
                f"--distance {near:g} {far:g}: give two lengths in metres, in order",
            ),
            (
                self.unit is not None and not 0 < self.unit <= 1000,
                f"--unit {self.unit}: give metres per unit, 0.01 for centimetres",
            ),
            (
                self.camera == "clip" and self.min_move > 0,
                f"--min-move {self.min_move:g}: leaves frames at uneven times, and --camera clip is for "
                "movement; leave one of them out",
            ),
        ):
            if wrong:
                raise InputError(what)


@dataclass(frozen=True)
class ClipPoses:
    """The chosen frames of one clip."""

    file: str
    joints: np.ndarray
    """(n, 15, 3) float64 metres from the mid-hip, Y up."""
    frames: np.ndarray
    """(n,) which frames of the file they are."""
    of: int
    """How many it has."""
    rest: float | None
    """Metres between frame 0, left out as a rest pose, and frame 1; None: it was not."""
    skeleton: str
    unit: str
    fps: float
    """Of the chosen frames."""
    checksum: int


def load_clip(path: PathLike, choices: Choices) -> ClipPoses:
    """Read a BVH file and choose frames. Raises InputError naming the file, as read_bvh, find_joints and
    guess_unit do."""
    clip = read_bvh(path)
    if choices.maps:
        found = find_mapped(path, clip.names, choices.maps)
    else:
        found = find_joints(path, clip.names, clip.parents, clip.offsets, clip.bones)
    positions = joint_positions(clip, found.rows)
    joints = found.place(positions)
    if metres := choices.unit or found.metres:
        unit = f"{metres:g} m" + ("" if choices.unit else ", from the map")
    else:
        name = guess_unit(path, joints)
        metres, unit = UNITS[name], f"{name}, guessed from the legs (else: --unit)"
    joints = COURSE15.from_root(joints[..., UP[choices.up]]) * metres
    if not np.abs(joints).max() < 100:
        raise file_error(path, f"joints {np.abs(joints).max():.3g} m from the hips; check --unit and --map")
    rest = None if choices.keep_first else rest_pose(joints)
    frames = np.arange(rest is not None, len(joints), choices.every)
    if choices.min_move:
        frames = frames[moved(joints[frames], choices.min_move)]
    return ClipPoses(
        one_line(str(path)),
        joints[frames],
        frames,
        len(joints),
        rest,
        found.described(positions),
        unit,
        clip.fps / choices.every,
        clip.checksum,
    )


def _steps(joints: np.ndarray) -> np.ndarray:
    """How far the joints move from each frame to the next, on average: (F - 1,) metres."""
    return np.asarray(np.linalg.norm(np.diff(joints, axis=0), axis=2).mean(axis=1))


def rest_pose(joints: np.ndarray) -> float | None:
    """How far frame 1 is from frame 0 (metres), if frame 0 is no part of the movement; otherwise None.

    Many converters put the skeleton's rest pose first. It is one where the joints (F, 15, 3), in metres from
    the mid-hip, jump more than 3 cm on average, twice as far as in any of the ten steps after it, and five
    times as far as they mostly do: people do not stop within a frame.
    """
    steps = _steps(joints)
    if len(steps) < 2 or not steps[0] > max(0.03, 2 * steps[1:11].max(), 5 * np.median(steps[1:])):
        return None
    return float(steps[0])


def moved(joints: np.ndarray, least: float) -> np.ndarray:
    """Rows of joints (F, 15, 3) that differ by `least` metres on average from the row kept before: near
    duplicates go."""
    kept = [0] if len(joints) else []
    for row in range(1, len(joints)):
        if np.linalg.norm(joints[row] - joints[kept[-1]], axis=1).mean() >= least:
            kept.append(row)
    return np.array(kept, np.intp)


def seen(clip: ClipPoses, view: int, choices: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The clip through one more camera: joint_3d (n, 15, 3) float32, and metres per unit (n,) float32.

    With camera "frame" each frame of the file has a camera of its own, uniform in azimuth, elevation and
    distance; with "clip" the first of them goes along with the person. They depend on the seed, the view and
    the bytes of the file, not on the other files, nor on which of its frames are chosen.
    """
    rng = np.random.default_rng([choices.seed, clip.checksum, view])
    drawn = rng.random((clip.of, 3))
    drawn = drawn[clip.frames] if choices.camera == "frame" else np.tile(drawn[0], (len(clip.frames), 1))
    (low, high), (near, far) = np.radians(choices.elevation), choices.distance
    azimuth, elevation = np.pi * (2 * drawn[:, 0] - 1), low + (high - low) * drawn[:, 1]
    distance = near + (far - near) * drawn[:, 2]
    reach = float(np.linalg.norm(clip.joints, axis=2).max(initial=0))
    if reach >= near:
        problem = f"a joint is {reach:.2f} m from the hips, so it can lie behind a camera at {near:g} m"
        raise file_error(clip.file, f"{problem}; raise --distance, or check --unit and --map")
    return to_camera(clip.joints, azimuth, elevation, distance).astype(np.float32), distance.astype(
        np.float32
    )


def import_clips(
    files: Sequence[PathLike], choices: Choices, folder: PathLike, done: Callable[[ClipPoses], object]
) -> tuple[Poses, np.ndarray]:
    """Poses of BVH files, in the order clip, view, time, and the number (N,) of each pose's clip and view.

    They go through a file without a name in `folder`; `done` is called with each clip. Raises InputError for
    a file that cannot be used.
    """
    joint_2d, joint_3d = (Spool(folder, (len(COURSE15), dims)) for dims in (2, 3))
    scale: list[np.ndarray] = []
    for file in files:
        clip = load_clip(file, choices)
        for view in range(choices.views):
            points, metres = seen(clip, view, choices)
            joint_3d.append(points)
            joint_2d.append(project(points))
            scale.append(metres)
        done(clip)
    numbers = np.repeat(np.arange(len(scale), dtype=np.int32), [len(part) for part in scale])
    return Poses(joint_2d.rows(), joint_3d.rows(), np.concatenate(scale)), numbers
