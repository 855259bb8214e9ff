"""What the starting model learns from and is judged by: sets of poses of CMU's people, and of made ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilift.poses.camera import project, to_camera
from minilift.poses.clips.cameras import seen
from minilift.poses.clips.cmu import UNIT, fps_of
from minilift.poses.clips.frames import Choices, ClipPoses, load_clip
from minilift.poses.people.synth import people
from minilift.poses.pose_set import Poses

LEAST_MOVE = 0.03
"""Metres that the joints of two frames of a clip differ by, on average."""

ELEVATION, DISTANCE = 15.0, math.sqrt(1.5 * 20)
"""Degrees and metres of the one camera, in the middle (of the logarithm) of those that training draws: its
augmentation goes from -30 to 60 degrees and from 1.5 to 20 m."""

CLIP_FPS, CLIP_VIEWS = 30.0, 2
CLIP_CAMERAS = ("clip", "static")
"""Movement is seen by cameras that go along with the person, and by ones that stand still."""

MADE = 0
"""The subject of people who are made up."""


@dataclass(frozen=True)
class PeopleSet:
    """Poses, and for each who it is and which clip it is from."""

    poses: Poses
    subjects: np.ndarray
    """(N,) int16: CMU's numbers, or MADE."""
    clips: np.ndarray
    """(N,) int32: the number of the clip and view; frames of one are in order."""
    names: tuple[str, ...]
    """Of the clips and views, by number."""


class Collected:
    """Clips are added, sets of poses come out."""

    def __init__(self) -> None:
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []
        self._subjects: list[int] = []
        self.names: list[str] = []

    def add(self, subject: int, name: str, joint_3d: np.ndarray, scale: np.ndarray) -> None:
        """Poses (n, 15, 3) of one clip and view, and metres per unit (n,)."""
        self._seen.append((joint_3d, scale))
        self._subjects.append(subject)
        self.names.append(name)

    def done(self) -> PeopleSet:
        """All that was added, in order."""
        joint_3d, scale = (np.concatenate(parts) for parts in zip(*self._seen, strict=True))
        counts = [len(part) for part, _ in self._seen]
        return PeopleSet(
            Poses(project(joint_3d), joint_3d, scale),
            np.repeat(np.array(self._subjects, np.int16), counts),
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            tuple(self.names),
        )


def load_take(subject: str, file: Path) -> ClipPoses:
    """A clip of CMU's, mended: thorax, unit, frame rate, rest pose. All frames.

    Raises InputError as load_clip does.
    """
    return load_clip(file, Choices(unit=UNIT, fps=fps_of(subject, file), guess_thorax=True))


def frames_of(takes: Sequence[tuple[str, Path]], seed: int, done: Callable[[ClipPoses], object]) -> Collected:
    """Frames that differ by LEAST_MOVE, without flipped knees, each seen once, from anywhere around at
    ELEVATION and DISTANCE. `done` is called with each clip."""
    out = Collected()
    for subject, file in takes:
        choices = Choices(
            min_move=LEAST_MOVE, leave_flips=True, elevation=(ELEVATION, ELEVATION),
            distance=(DISTANCE, DISTANCE), seed=seed, unit=UNIT, fps=fps_of(subject, file), guess_thorax=True,
        )  # fmt: skip
        clip = load_clip(file, choices)
        out.add(int(subject), file.stem, *seen(clip, 0, choices))
        done(clip)
    return out


def clips_of(takes: Sequence[tuple[str, Path]], seed: int) -> PeopleSet:
    """Every frame at CLIP_FPS, seen by CLIP_VIEWS cameras of each kind of CLIP_CAMERAS."""
    out = Collected()
    for subject, file in takes:
        clip = load_take(subject, file)
        rows = slice(None, None, max(1, round(clip.fps / CLIP_FPS)))
        clip = replace(clip, joints=clip.joints[rows], root=clip.root[rows], frames=clip.frames[rows])
        for camera in CLIP_CAMERAS:
            for view in range(CLIP_VIEWS):
                choices = Choices(camera=camera, seed=seed)
                out.add(int(subject), f"{file.stem}, {camera} camera {view}", *seen(clip, view, choices))
    return out.done()


def made_people(n: int, seed: int) -> tuple[int, str, np.ndarray, np.ndarray]:
    """n people who are made up, as Collected.add takes them: seen as those of `frames_of`."""
    joints = people(n, seed)[0]
    azimuth = np.random.default_rng([seed, n]).uniform(-np.pi, np.pi, n)
    elevation, distance = np.full(n, np.radians(ELEVATION)), np.full(n, DISTANCE)
    joint_3d = to_camera(joints, azimuth, elevation, distance).astype(np.float32)
    return MADE, "made-up people", joint_3d, distance.astype(np.float32)
