"""What may be done to lifted people over time: gaps filled, then movements smoothed, and both told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minilift.errors import counted
from minilift.poses.joint_state import FILLED, SEEN
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.check import reprojection
from minilift.poses.lifted import LiftedPeople
from minilift.poses.tracks.gaps import fill_gaps
from minilift.poses.tracks.smooth import USUAL_FPS, smooth


def over_time(people: LiftedPeople, camera: Camera, fill: int = 0, how: str | None = None) -> LiftedPeople:
    """Fill gaps of up to `fill` frames; smooth by `how`, one of WAYS, or not at all.

    Both have their line in `notes`, and `check` is measured again: what is smoothed lies a little off what
    was given. Raises ArgumentError as `smooth`.
    """
    if people.stills or not len(people) or not (fill or how):
        return people
    notes = list(people.notes)
    if fill:
        people = fill_gaps(people, fill)
        frames = int((people.state == FILLED).any(axis=1).sum())
        notes.append(f"{counted(frames, 'frame')} of people filled, in gaps of up to {fill}")
    if how:
        people = smooth(people, how)
        fps = f"{people.fps:g}" if people.fps else f"{USUAL_FPS:g} (assumed)"
        notes.append(f"smoothed by {how}, at {fps} frames a second")
        people = replace(people, check=_checked(people, camera))
    return replace(people, notes=tuple(notes))


def _checked(people: LiftedPeople, camera: Camera) -> np.ndarray:
    turn, shift = people.to_camera[:, :3], people.to_camera[:, 3]
    ahead = people.joint_3d @ turn.T + shift
    return reprojection(camera, ahead, people.joint_2d, people.state == SEEN).astype(np.float32)
