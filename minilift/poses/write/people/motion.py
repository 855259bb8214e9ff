"""Lifted people as moving points, for formats of motion: metres, an axis up, frames at a rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import People, whole_of

ASSUMED_STATURE = 1.7  # metres: the mean of women and men in ANSUR II, which body.py has, rounded
ASSUMED_FPS = 30.0
MOST_PEOPLE = 200
MOST_FRAMES = 1 << 20  # of one person, gaps included: ten hours at 30 per second

_TO_Y_UP = {"z-up": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])}
_DATA = "write npz, csv or json, which take any number"


@dataclass(frozen=True)
class Mover:
    """One person, in the frames where there is anything of them."""

    person: int
    frames: np.ndarray
    """(f,) int64, ascending, each once: of the whole clip, so that people of one clip agree."""
    points: np.ndarray
    """(f, 16, 3) float64 metres: the root, then the 15 joints. NaN for a joint that is not there."""

    @property
    def span(self) -> int:
        """Frames from the first to the last, gaps included."""
        return int(self.frames[-1] - self.frames[0]) + 1


@dataclass(frozen=True)
class Motion:
    """Everyone, and what was assumed to put them into metres and seconds."""

    movers: tuple[Mover, ...]
    fps: float
    notes: tuple[str, ...]


def motion_of(path: PathLike, people: People, up: str = "y") -> Motion:
    """The people with the axis `up`, "y" or "z", pointing up.

    Axes "camera" have y up as the camera has, wherever it is tilted to. Raises InputError, naming `path`, the
    file that they are for: nobody with a joint, more than MOST_PEOPLE, or than MOST_FRAMES of one person.
    """
    whole = whole_of(people)
    points = np.concatenate([whole.root[:, None], whole.joint_3d], axis=1).astype(np.float64)
    there = np.asarray(np.isfinite(points).all(axis=2)).any(axis=1)
    if not there.any():
        raise file_error(path, "there is no person with a joint in 3D to write; check the keypoints")
    numbers = np.unique(whole.person[there])
    if len(numbers) > MOST_PEOPLE:
        problem = f"{len(numbers):,} people are more than the {MOST_PEOPLE} that it is written for"
        raise file_error(path, f"{problem}; choose some, or {_DATA}")
    metres, notes = _metres(whole, points)
    points = points * metres @ _TO_Y_UP.get(whole.axes, np.eye(3)).T
    if up == "z":
        points = points @ _TO_Y_UP["z-up"]
    if whole.axes == "camera":
        notes += ("axes: the camera's, and people lean if it is tilted; y-up has its origin on the floor",)
    frames = whole.frame
    if whole.stills:
        frames = np.unique(frames, return_inverse=True)[1].reshape(-1)
        notes += ("the pictures have nothing to do with each other: they follow one another as frames",)
    movers = tuple(
        _mover(path, number, frames, points, there & (whole.person == number)) for number in numbers
    )
    if whole.fps is None:
        notes += (f"{ASSUMED_FPS:g} frames per second assumed: the input does not say",)
    return Motion(movers, whole.fps or ASSUMED_FPS, notes)


def gaps(mover: Mover) -> int:
    """How many frames between the first and the last the person is not there."""
    return mover.span - len(mover.frames)


def _complete(mover: Mover) -> Mover:
    """The person in the frames where every joint is there, for what moves a skeleton."""
    rows = np.isfinite(mover.points).all(axis=(1, 2))
    return Mover(mover.person, mover.frames[rows], mover.points[rows])


def whole_bodies(path: PathLike, motion: Motion) -> Motion:
    """The people in the frames where every joint is there: what moves a skeleton needs them all.

    Raises InputError, naming `path`, where there is no such frame.
    """
    movers = tuple(mover for mover in map(_complete, motion.movers) if len(mover.frames))
    if not movers:
        raise file_error(path, f"nobody has all joints in one frame, which a skeleton needs; {_DATA}")
    whole = {mover.person for mover in movers}
    lost = [mover.person for mover in motion.movers if mover.person not in whole]
    told = tuple(f"person {number} is left out: never with all joints in one frame" for number in lost)
    return Motion(movers, motion.fps, motion.notes + told)


def _mover(
    path: PathLike, number: np.integer, frames: np.ndarray, points: np.ndarray, rows: np.ndarray
) -> Mover:
    numbers, first = np.unique(frames[rows], return_index=True)
    mover = Mover(int(number), numbers, points[rows][first])
    if mover.span > MOST_FRAMES:
        problem = f"person {number} is in frames {numbers[0]} to {numbers[-1]}, more than {MOST_FRAMES:,}"
        raise file_error(path, f"{problem}; cut the clip into shorter ones, or {_DATA}")
    return mover


def _metres(people: LiftedPeople, points: np.ndarray) -> tuple[float, tuple[str, ...]]:
    """Metres per unit, and what was assumed: everybody's mean stature, where no length is known."""
    if people.unit == "m":
        return 1.0, ()
    bones = np.linalg.norm(points[:, 1:] - points[:, np.array(COURSE15.parents) + 1], axis=2)
    tall = []
    for number in np.unique(people.person):
        own = bones[people.person == number]
        lengths = np.full(len(COURSE15), np.nan)
        known = np.isfinite(own).any(axis=0)
        lengths[known] = np.nanmedian(own[:, known], axis=0)
        tall.append(float(stature(lengths)))
    tall = [height for height in tall if height > 0]  # not NaN
    if not tall:
        return 1.0, ("metres assumed: 1 unit is 1 m, for nobody has a bone that says otherwise",)
    told = f"metres assumed: people {ASSUMED_STATURE:g} m tall on average; give a height or a distance"
    return ASSUMED_STATURE / float(np.mean(tall)), (told,)


def own_file(path: PathLike, motion: Motion, mover: Mover) -> Path:
    """The file of one person: `path`, or NAME_person0.bvh, ... where there are several."""
    place = Path(path)
    if len(motion.movers) == 1:
        return place
    return place.with_name(f"{place.stem}_person{mover.person}{place.suffix}")
