"""Movements of people that no training has seen: motion-capture clips at 30 frames a second, in metres."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.poses.clips.frames import rest_pose
from minilift.poses.clips.thorax import with_thorax
from minilift.poses.layouts import COURSE15
from minilift.poses.read.detect import read_clip
from minilift.poses.read.joints.find import find_joints
from minilift.poses.read.joints.units import UNITS, guess_unit
from minilift.poses.read.kinematics import joint_positions

FPS = 30.0
LEFT_OUT = ("08", "49", "55", "87")
"""The subjects of ../shared/data/cmu that the data of the starting model leave out."""
_SIXTY = ("87", "88")  # subjects recorded at 60 frames a second; the others at 120
_ACTIVITY = {
    "08": "walking", "49_02": "jumping", "49_03": "jumping", "49_04": "jumping", "49_06": "cartwheels",
    "49_08": "cartwheels", "49": "dance on the spot", "55": "lambada", "87": "backflip", "10": "kicking",
    "11": "kicking", "bow": "bowing", "dash": "running", "kick": "kicking", "raise": "gestures",
    "walk": "walking", "wave": "gestures",
}  # fmt: skip


@dataclass(frozen=True)
class Take:
    """One movement of one person at FPS."""

    name: str
    subject: str
    activity: str
    joints: np.ndarray
    """(F, 15, 3) metres from the mid-hip, Y up."""
    root: np.ndarray
    """(F, 3) where the mid-hip is, metres."""

    @property
    def speed(self) -> float:
        """How fast joints move as seen from the hips, on average: metres a second."""
        if len(self.joints) < 2:
            return 0.0
        return float(np.linalg.norm(np.diff(self.joints, axis=0), axis=2).mean() * FPS)

    @property
    def lengths(self) -> np.ndarray:
        """(15,) metres: the bones' mean lengths."""
        return COURSE15.bone_lengths(self.joints - (0, 0, 1)).mean(axis=0)


def unpacked(shared: Path, cache: Path) -> Path:
    """The folder with the CMU clips, unpacked into the cache once. Raises InputError without the archive."""
    done = cache / "cmu"
    if not done.is_dir():
        archive = shared / "data" / "cmu" / "cmu.tar.xz"
        if not archive.is_file():
            raise InputError(f"{archive}: is missing; name the folder with the shared data by --shared")
        cache.mkdir(parents=True, exist_ok=True)
        fresh = cache / "cmu.part"
        with tarfile.open(archive) as tar:
            tar.extractall(fresh, filter="data")
        (fresh / "cmu" if (fresh / "cmu").is_dir() else fresh).rename(done)
    return done


def read_take(path: Path, subject: str, fps: float | None = None) -> Take:
    """A clip without its rest pose, thinned out to FPS, the thorax put back where a conversion lost it."""
    clip = read_clip(path)
    if fps is not None:
        clip = replace(clip, frame_time=1 / fps)
    clip = with_thorax(path, clip, guess=True)
    found = find_joints(path, clip.names, clip.parents, clip.offsets, clip.bones)
    world = found.place(joint_positions(clip, found.rows))
    unit = UNITS[guess_unit(path, world / clip.length_unit)] / clip.length_unit
    world = world * unit
    joints = COURSE15.from_root(world)
    first, _ = rest_pose(joints, clip.fps)
    rows = slice(first, None, max(1, round(clip.fps / FPS)))
    root = (world - joints)[rows, 0]
    return Take(path.stem, subject, _activity(path.stem, subject), joints[rows], root)


def cmu_left_out(folder: Path) -> list[Take]:
    """The takes of the subjects LEFT_OUT."""
    takes = []
    for subject in LEFT_OUT:
        files = sorted([*folder.glob(f"{subject}/*.bvh"), *folder.glob(f"{subject}/*.amc")])
        fps = 60.0 if subject in _SIXTY else 120.0
        takes += [read_take(file, subject, fps) for file in files]
    if not takes:
        raise InputError(f"{folder}: has none of the subjects {', '.join(LEFT_OUT)}; unpack cmu.tar.xz anew")
    return takes


def bvh_clips(shared: Path) -> list[Take]:
    """The eight clips of ../shared/data/bvh: CMU subjects 10 and 11, and six of Bandai-Namco."""
    folder = shared / "data" / "bvh"
    files = sorted(folder.glob("*.bvh"))
    if not files:
        raise InputError(f"{folder}: has no .bvh files; name the folder with the shared data by --shared")
    return [read_take(file, _subject(file.stem)) for file in files]


def _subject(stem: str) -> str:
    return stem.split("_")[1] if stem.startswith("cmu_") else "Bandai-Namco"


def _activity(stem: str, subject: str) -> str:
    words = stem.split("_")
    named = words[1].split("-")[0] if subject == "Bandai-Namco" else stem
    return _ACTIVITY.get(named) or _ACTIVITY.get(subject, "other")
