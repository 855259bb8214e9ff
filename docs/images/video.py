"""Draw docs/images/video.png: a made video of a made person, lifted and drawn over.

Run `python docs/images/video.py` in the folder of the README. Nobody was filmed: a walker of minilift's own
people, with round limbs and light from above, goes over the floor of an empty room. The keypoints are where
their joints fall in the picture, off by as much as a detector's, and one arm is not seen for a while. The 3D
people are what the starting weights make of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from minilift.lift.clip.lift import lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.lifter import Lifter
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.camera import Camera
from minilift.poses.people.body import joint_positions, sample_bodies
from minilift.poses.people.gait import gait_angles
from minilift.show.clip.overlay.mp4 import Mp4
from minilift.show.clip.overlay.strokes import dot, stroke
from minilift.show.clip.overlay.write import write_overlay

SIZE, FPS, FRAMES, SHOWN = (1280, 720), 25.0, 40, 25
HEIGHT, FAR, DOWN = 1.5, 4.3, np.radians(9)  # the camera: metres above the floor, from the middle, tilt
HEADING = np.radians(-58)  # to the left, and a little towards the camera
NOISE = 2.0  # pixels
HIDDEN, JOINTS = slice(20, 30), ("right_elbow", "right_wrist")
WALL, GROUND = (214, 208, 198), (176, 160, 140)
SHIRT, TROUSERS, SKIN, SHOES = (104, 138, 122), (78, 82, 102), (206, 164, 138), (92, 70, 58)


class Steady:
    """In place of a random generator: gives the phases of a walk, and the middle of every range."""

    def __init__(self, phase: np.ndarray):
        self.phase = phase

    def random(self, n: int) -> np.ndarray:
        return self.phase % 1

    def uniform(self, low: float, high: float, n: int) -> np.ndarray:
        return np.full(n, 0.5 * (low + high))


def walk() -> tuple[np.ndarray, np.ndarray]:
    """Joints (FRAMES, 16, 3) of somebody who walks, the mid-hip last, in the axes of the camera; its turn."""
    time = np.arange(FRAMES) / FPS
    body = sample_bodies(np.random.default_rng(3), 1).take(np.zeros(FRAMES, np.int64))
    angles = gait_angles("walking", Steady(0.95 * time + 0.1), FRAMES)  # type: ignore[arg-type]
    joints = joint_positions(body, angles)
    joints = joints.transpose(2, 0, 1) if joints.shape[-1] == FRAMES else joints
    joints = np.concatenate([joints, np.zeros((FRAMES, 1, 3))], axis=1)
    (sin, cos), (x, y, z) = (np.sin(HEADING), np.cos(HEADING)), np.moveaxis(joints, -1, 0)
    joints = np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1)
    at = 1.25 * (time - time[-1] / 2)[:, None] * [sin, 0, cos]
    joints += at[:, None]
    joints[..., 1] += 0.06 - joints[..., 1].min(axis=1, keepdims=True)
    turn = np.array([[1, 0, 0], [0, np.cos(DOWN), -np.sin(DOWN)], [0, np.sin(DOWN), np.cos(DOWN)]])
    return (joints - [0, HEIGHT, FAR]) @ turn.T, turn


def room(camera: Camera, turn: np.ndarray) -> np.ndarray:
    """A wall and a floor of boards, as the camera sees them (H, W, 3)."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(float)
    rays = np.stack([(x - camera.cx) / camera.fx, (camera.cy - y) / camera.fy, -np.ones_like(x)], -1) @ turn
    down = -rays[..., 1]
    reach = HEIGHT / np.maximum(down, 1e-3)
    across, z = reach * rays[..., 0], FAR + reach * rays[..., 2]
    floor = (down > 1e-3) & (z > -2.6)
    board = np.abs((across / 0.32) % 1 - 0.5) > 0.485
    light = np.where(floor, 1.06 - 0.05 * np.hypot(across, z), 0.0)
    shown = np.where(floor[..., None], np.array(GROUND) * light[..., None], np.array(WALL, float))
    shown = np.where((floor & board)[..., None], 0.86 * shown, shown)
    shown *= np.where(floor, 1.0, 1.05 - 0.22 * np.abs(x / width - 0.4))[..., None]
    return np.clip(shown, 0, 255).astype(np.uint8)


def draw(picture: np.ndarray, joints: np.ndarray, camera: Camera, turn: np.ndarray) -> None:
    """Somebody (16, 3) in clothes: round limbs, the farthest first, lighter where they face the light."""
    ahead = turn @ [np.sin(HEADING), -0.25, np.cos(HEADING)]
    feet = [COURSE15.index(f"{side}_ankle") for side in ("left", "right")]
    joints = np.concatenate([joints, joints[feet] + 0.17 * ahead])  # and the tips of the shoes
    flat, scale = camera.pixels(joints), camera.fx / -joints[:, 2]
    index = COURSE15.index
    parts: list[tuple[float, int, int, float, tuple[int, int, int]]] = []
    for side in ("left", "right"):
        hip, knee, ankle, shoulder, elbow, wrist = (
            index(f"{side}_{name}") for name in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        )
        parts += [(0, hip, knee, 0.165, TROUSERS), (0, knee, ankle, 0.12, TROUSERS)]
        parts += [(0.1, shoulder, elbow, 0.105, SHIRT), (0.1, elbow, wrist, 0.085, SKIN)]
    parts += [(0.01, feet[k], 16 + k, 0.085, SHOES) for k in range(2)]
    parts += [(0, index("neck"), 15, 0.27, SHIRT), (0, 15, 15, 0.27, TROUSERS)]
    parts += [(0, index("left_shoulder"), index("right_shoulder"), 0.15, SHIRT)]
    parts += [(0, index("head"), index("neck"), 0.11, SKIN), (0.02, index("head"), index("head"), 0.2, SKIN)]
    parts = [(near + joints[[a, b], 2].mean(), a, b, thick, colour) for near, a, b, thick, colour in parts]
    for _, a, b, thick, colour in sorted(parts):
        wide = thick * scale[[a, b]].mean()
        for share in np.linspace(0, 1, 7):  # rounder and lighter towards the upper left
            shade = tuple(int(value * (0.72 + 0.42 * share)) for value in colour)
            ends = flat[[a, b]] - 0.22 * share * wide * np.array([0.8, 0.6])
            stroke(picture, ends, wide * (1 - 0.62 * share), tuple(min(value, 255) for value in shade))


def shadow(picture: np.ndarray, joints: np.ndarray, camera: Camera, turn: np.ndarray) -> None:
    """What the feet and legs keep from the light, soft, on the floor."""
    there = joints @ turn
    there[:, 1] = -HEIGHT
    flat = camera.pixels(there @ turn.T)
    for name in ("left_ankle", "right_ankle"):
        for part in np.linspace(0, 1, 9):
            at = flat[COURSE15.index(name)] + part * (flat[15] - flat[COURSE15.index(name)])
            for wide in (0.3, 0.22, 0.14):
                dot(picture, at, wide * camera.fx / -joints[15, 2] / 2, (100, 86, 72), 0.04)


def main() -> int:
    here = Path(__file__).parent
    camera = Camera.assumed(SIZE)
    joints, turn = walk()
    empty = room(camera, turn)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        with open(film, "wb") as file, Mp4(file, SIZE, FPS) as video:
            for n in range(FRAMES):
                picture = empty.copy()
                shadow(picture, joints[n], camera, turn)
                draw(picture, joints[n], camera, turn)
                video.add(picture, n / FPS)
        seen = camera.pixels(joints[:, :15]) + rng.normal(scale=NOISE, size=(FRAMES, 15, 2))
        missing = np.zeros((FRAMES, 15), bool)
        missing[HIDDEN, [[COURSE15.index(name)] for name in JOINTS]] = True
        found = Keypoints(
            xy=np.where(missing[..., None], np.nan, seen), score=None, missing=missing,
            frame=np.arange(FRAMES), person=np.zeros(FRAMES, np.int64), track=None, track_names=(),
            layout=COURSE15, format="made", frames=np.arange(FRAMES), size=SIZE, fps=FPS, media=str(film),
        )  # fmt: skip
        people = lift_keypoints(found, Lifter.load(), LiftOptions(height=1.7, axes="y-up"))
        write_overlay(Path(folder) / "drawn.mp4", people)
        import av
        from PIL import Image

        with av.open(str(Path(folder) / "drawn.mp4")) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        Image.fromarray(frames[SHOWN]).save(here / "video.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
