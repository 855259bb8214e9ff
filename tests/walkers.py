"""Synthetic people who walk past a camera, as `predict` would give them: for tests of pages and pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minilift.poses.joint_state import ESTIMATED, FILLED, MISSING
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.check import reprojection
from minilift.poses.lifted import LiftedPeople
from minilift.poses.people.body import joint_positions, sample_bodies
from minilift.poses.people.gait import gait_angles

SIZE, FPS, TILT = (1280, 720), 25.0, 8.0
CAMERA_HEIGHT, DISTANCE = 1.6, 6.8  # metres: where the camera stands


class Steady:
    """A generator without chance: the given phases, and the middle of every range."""

    def __init__(self, phase: np.ndarray):
        self.phase = phase

    def random(self, n: int) -> np.ndarray:
        return self.phase[:n] % 1

    def uniform(self, low: float, high: float, n: int) -> np.ndarray:
        return np.full(n, 0.5 * (low + high))


def walk(frames: int, seed: int, fps: float = FPS) -> tuple[np.ndarray, np.ndarray]:
    """Joints (frames, 15, 3) and mid-hip (frames, 3) in metres, Y up from the floor, round a circle."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / fps
    body = sample_bodies(rng, 1).take(np.zeros(frames, np.int64))
    angles = gait_angles("walking", Steady(0.9 * time + seed * 0.3), frames)  # type: ignore[arg-type]
    joints = joint_positions(body, angles)
    joints = joints.transpose(2, 0, 1) if joints.shape[-1] == frames else joints
    radius, speed = 1.3 + 0.3 * seed, 1.2
    angle = speed / radius * time + 2.1 * seed
    sin, cos = np.sin(angle)[:, None], np.cos(angle)[:, None]
    x, y, z = np.moveaxis(joints, -1, 0)
    joints = np.stack([cos * x + sin * z, y, -sin * x + cos * z], axis=-1)  # ahead is +z: turned by the angle
    root = np.stack([-radius * np.cos(angle), np.zeros(frames), radius * np.sin(angle)], axis=1)
    joints = joints + root[:, None]
    lift = -joints[..., 1].min(axis=1) + 0.05
    joints[..., 1] += lift[:, None]
    root[:, 1] += lift
    return joints, root


def walkers(frames: int = 100, people: int = 2, axes: str = "y-up", **changes: Any) -> LiftedPeople:
    """People of known 3D in metres, seen by a tilted camera at 6.8 m; with gaps, placed joints and doubts."""
    turn, shift = _camera()
    camera = Camera.assumed(SIZE)
    parts = [walk(frames, seed) for seed in range(people)]
    joints, root = (np.stack([part[k] for part in parts], axis=1) for k in (0, 1))
    joints, root = joints.reshape(-1, 15, 3), root.reshape(-1, 3)
    frame, person = np.repeat(np.arange(frames), people) + 100, np.tile(np.arange(people), frames)
    rng = np.random.default_rng(0)
    state = np.zeros((len(root), 15), np.uint8)
    state[:, COURSE15.index("spine")] = ESTIMATED
    state[(frame % 40 < 12)[:, None] & np.isin(np.arange(15), [4, 5])] = MISSING
    filled = (person == 0) & (frame >= 160) & (frame < 166)
    state[filled] = FILLED
    seen = camera.pixels(joints @ turn.T + shift)
    seen_root = camera.pixels(root @ turn.T + shift)
    given = seen + rng.normal(size=seen.shape)
    given[state >= MISSING] = np.nan
    found = LiftedPeople(
        joint_3d=joints, root=root, joint_2d=given, root_2d=seen_root, frame=frame, person=person,
        confidence=np.where(state >= MISSING, 0, rng.uniform(0.6, 1, state.shape)).astype(np.float32),
        state=state,
        expected_error=(0.04 + 0.03 * rng.random(state.shape) + 0.08 * (state >= MISSING)).astype(np.float32),
        unlike=(person == people - 1) & (frame % 50 > 44),
        check=reprojection(camera, joints @ turn.T + shift, given, state < MISSING),
        axes="y-up", unit="m", to_camera=np.column_stack([turn, shift]), layout="body25", format="openpose",
        fps=FPS, size=SIZE, camera=camera.as_dict(), notes=("frames are numbered from 100",),
    )  # fmt: skip
    found = in_axes(found, axes)
    gone = (found.person == people - 1) & (found.frame >= 120) & (found.frame < 132)  # a gap in time
    return replace(found.take(~gone), **changes)


def _camera() -> tuple[np.ndarray, np.ndarray]:
    """[R | t] to the axes of a camera 6.8 m away, from those of a floor with Y up."""
    sin, cos = np.sin(np.radians(TILT)), np.cos(np.radians(TILT))
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return turn, -turn @ np.array([0, CAMERA_HEIGHT, DISTANCE])


def in_axes(people: LiftedPeople, axes: str) -> LiftedPeople:
    """The same people in other axes than y-up."""
    back = {"y-up": np.eye(3), "z-up": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])}.get(
        axes
    )  # y-up <- axes
    turn, shift = people.to_camera[:, :3], people.to_camera[:, 3]
    if back is None:  # those of the camera
        moved = {"joint_3d": people.joint_3d @ turn.T + shift, "root": people.root @ turn.T + shift}
        return replace(people, **moved, axes=axes, to_camera=np.eye(3, 4))
    moved = {"joint_3d": people.joint_3d @ back, "root": people.root @ back}
    return replace(people, **moved, axes=axes, to_camera=np.column_stack([turn @ back, shift]))
