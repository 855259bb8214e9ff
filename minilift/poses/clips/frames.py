"""The chosen frames of one motion-capture clip, as the course's joints in metres."""

import math
from dataclasses import dataclass, replace

import numpy as np

from minilift.errors import InputError, counted
from minilift.files import PathLike, one_line
from minilift.poses.clips.doubts import check_bones, short_torso, wrong_up
from minilift.poses.clips.flips import knee_flips
from minilift.poses.clips.thorax import with_thorax
from minilift.poses.layouts import COURSE15
from minilift.poses.read.amc import foreign_skeleton
from minilift.poses.read.clip import Clip
from minilift.poses.read.detect import read_clip
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.found import FoundJoints
from minilift.poses.read.joints.maps import JointMap, find_mapped
from minilift.poses.read.joints.units import UNITS, guess_unit
from minilift.poses.read.kinematics import joint_positions

UP = {"y": (0, 1, 2), "z": (1, 2, 0)}  # which axes of a file are the camera's X, Y and Z: both right-handed
_OTHER_UP = {"y": "z", "z": "y"}


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
    fps: float | None = None  # None: what the file says
    skeleton: PathLike | None = None  # the .asf of .amc files; None: found in the folder of each
    leave_flips: bool = False  # frames in which a knee is on the wrong side
    guess_thorax: bool = False  # where a CMU clip lacks it, and its .asf as well

    def __post_init__(self) -> None:
        low, high = self.elevation
        near, far = self.distance
        for wrong, what in (
            (self.views < 1, f"views {self.views}: give 1 or more"),
            (self.every < 1, f"every {self.every}: give 1 or more"),
            (self.seed < 0, f"seed {self.seed}: give 0 or more"),
            (not 0 <= self.min_move < math.inf, f"min_move {self.min_move:g}: give metres, 0 or more"),
            (
                not -90 <= low <= high <= 90,
                f"elevation {low:g} {high:g}: give two angles from -90 to 90, in order",
            ),
            (
                not 0 < near <= far < 1000,
                f"distance {near:g} {far:g}: give two lengths in metres, in order",
            ),
            (
                self.unit is not None and not 0 < self.unit <= 1000,
                f"unit {self.unit}: give metres per unit, 0.01 for centimetres",
            ),
            (
                self.fps is not None and not 1 <= self.fps <= 10_000,
                f"fps {self.fps}: give frames per second, 1 to 10000",
            ),
            (
                self.camera != "frame" and self.min_move > 0,
                f"min_move {self.min_move:g}: leaves frames at uneven times, and camera {self.camera!r} is "
                "for movement; leave one of them out",
            ),
            (
                self.camera != "frame" and self.leave_flips,
                f"leave_flips leaves frames at uneven times, and camera {self.camera!r} is for movement; "
                "leave one of them out",
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
    root: np.ndarray
    """(n, 3) float64 metres: where the mid-hip is in the world, Y up."""
    frames: np.ndarray
    """(n,) which frames of the file they are."""
    of: int
    """How many it has."""
    left_out: int
    """Frames at the start that are no part of the movement."""
    rest: float
    """Metres between the last of these and the first frame that is kept; 0 where there are none."""
    skeleton: str
    unit: str
    fps: float
    """Of the chosen frames."""
    checksum: int
    notes: tuple[str, ...] = ()
    """What was assumed or repaired."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A clip whose joints are found and measured."""

    clip: Clip
    found: FoundJoints
    skeleton: str
    """The family, with what was estimated and what is doubtful."""
    world: np.ndarray
    """(F, 15, 3) float64 metres, Y up."""
    metres: float
    unit: str
    """How long a unit of the file is, and how that is known."""
    warnings: tuple[str, ...]


def place_clip(path: PathLike, choices: Choices) -> Placed:
    """Read a clip, find the course's joints in it, and measure it.

    Raises InputError naming the file, as read_clip, find_joints and guess_unit do, and for bones that are no
    person's.
    """
    clip = with_thorax(path, read_clip(path, choices.skeleton), choices.guess_thorax)
    if choices.fps:
        clip = replace(clip, frame_time=1 / choices.fps)
    if choices.maps:
        found = find_mapped(path, clip.names, clip.parents, clip.offsets, clip.bones, choices.maps)
    else:
        found = find_joints(path, clip.names, clip.parents, clip.offsets, clip.bones)
    positions = joint_positions(clip, found.rows)
    joints = found.place(positions)
    metres, unit = _unit(path, clip, joints, choices, found)
    world = joints[..., UP[choices.up]] * metres
    check_bones(path, COURSE15.from_root(world), metres)
    other = (joints * metres)[..., UP[_OTHER_UP[choices.up]]]
    warnings = [*short_torso(clip, COURSE15.from_root(world)), *wrong_up(world, other, _OTHER_UP[choices.up])]
    if choices.skeleton and clip.bones:
        warnings += foreign_skeleton(path, choices.skeleton)
    return Placed(clip, found, found.described(positions), world, metres, unit, tuple(warnings))


def _unit(
    path: PathLike, clip: Clip, joints: np.ndarray, choices: Choices, found: FoundJoints
) -> tuple[float, str]:
    """Metres per unit of the file, and how they are known."""
    if metres := choices.unit or found.metres:
        return metres, f"{metres:g} m" + ("" if choices.unit else ", from the map")
    size = clip.length_unit
    name = guess_unit(path, joints / size)
    shown = name if size == 1 else f"{name} / {size:g}"
    return UNITS[name] / size, f"{shown}, guessed from the legs"


def load_clip(path: PathLike, choices: Choices) -> ClipPoses:
    """Read a clip and choose frames. Raises InputError naming the file, as place_clip does."""
    placed = place_clip(path, choices)
    joints, clip = COURSE15.from_root(placed.world), placed.clip
    left_out, rest = (0, 0.0) if choices.keep_first else rest_pose(joints, clip.fps)
    frames = np.arange(left_out, len(joints), choices.every)
    flips, warnings = np.flatnonzero(knee_flips(joints[left_out:], clip.fps)) + left_out, placed.warnings
    if len(flips):
        fate = "left out" if choices.leave_flips else "kept"
        warnings = (*warnings, f"a knee is on the wrong side in {counted(len(flips), 'frame')}, {fate}")
    if choices.leave_flips:
        frames = np.setdiff1d(frames, flips)
    if choices.min_move:
        frames = frames[moved(joints[frames], choices.min_move)]
    return ClipPoses(
        one_line(str(path)), joints[frames], (placed.world - joints)[frames, 0], frames, len(joints),
        left_out, rest, placed.skeleton, placed.unit, clip.fps / choices.every, clip.checksum, clip.notes,
        warnings,
    )  # fmt: skip


def _steps(joints: np.ndarray) -> np.ndarray:
    """How far the joints move from each frame to the next, on average: (F - 1,) metres."""
    return np.asarray(np.linalg.norm(np.diff(joints, axis=0), axis=2).mean(axis=1))


FASTEST = 6.0
"""Metres per second that no person moves all joints at, seen from the hips: 3 to 4 in the fastest kicks."""


def rest_pose(joints: np.ndarray, fps: float) -> tuple[int, float]:
    """How many frames at the start are no part of the movement, and how far (metres) the next is; or 0, 0.

    Many converters put the skeleton's rest pose first, and some programs a few frames in which a limb is not
    solved yet. Frame 0 is one where the joints (F, 15, 3), in metres from the mid-hip, jump more than 3 cm on
    average, twice as far as in any of the ten steps after it, and five times as far as they mostly do: people
    do not stop within a frame. So are all frames before a jump, among the first ten, that is faster than
    FASTEST.
    """
    steps = _steps(joints)
    if len(steps) < 2:
        return 0, 0.0
    usual = max(0.03, 5 * float(np.median(steps[1:])))
    jumps = np.flatnonzero((steps[:10] > usual) & (steps[:10] * fps > FASTEST))
    if len(jumps) and jumps[-1] + 1 < len(joints):
        last = int(jumps[-1])
    elif steps[0] > max(usual, 2 * steps[1:11].max()):
        last = 0
    else:
        return 0, 0.0
    return last + 1, float(steps[last])


def moved(joints: np.ndarray, least: float) -> np.ndarray:
    """Rows of joints (F, 15, 3) that differ by `least` metres on average from the row kept before: near
    duplicates go."""
    kept = [0] if len(joints) else []
    for row in range(1, len(joints)):
        if np.linalg.norm(joints[row] - joints[kept[-1]], axis=1).mean() >= least:
            kept.append(row)
    return np.array(kept, np.intp)
