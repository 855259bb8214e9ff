"""MediaPipe's network that finds a person's 33 landmarks in a square around them.

Source: modules/pose_landmark/pose_landmark_by_roi_cpu.pbtxt, tensors_to_pose_landmarks_and_segmentation.pbtxt
and calculators/util/refine_landmarks_from_heatmap_calculator.cc of github.com/google-ai-edge/mediapipe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minilift.poses.layouts import LAYOUTS
from minilift.video.detect.regions import Region, around, cut
from minilift.video.detect.tflite import TFLite, sigmoid

SIDE = 256
LAYOUT = LAYOUTS["mediapipe33"]
_ALL = 39  # the landmarks, two that say where to look next, and four that nothing uses
_CELLS = 64  # along a side of the heat map
_REACH = 3  # cells around a landmark that its heat is weighed over


@dataclass(frozen=True)
class Landmarks:
    """A person in a picture, and what is needed to look again."""

    xy: np.ndarray
    """(33, 2) float64 pixels."""
    score: np.ndarray
    """(33,) float32, 0 to 1: that the landmark lies in the picture, and that nothing hides it."""
    sure: float
    """0 to 1: that the square holds a person at all."""
    region: Region | None
    """Where the person is by these landmarks: the square for a better look, or for the next frame."""
    world: np.ndarray
    """(33, 3) float64 metres from the mid-hip, x right, y down, z away: MediaPipe's own 3D person."""
    votes: int = 0
    """Squares of the picture that the person was found in."""


class Landmarker:
    """The network of pose_landmark_full.tflite."""

    def __init__(self, name: str, content: bytes, threads: int):
        shapes: list[tuple[int, ...]] = [(_ALL * 5,), (1,), (_CELLS, _CELLS, _ALL), (_ALL * 3,)]
        self.net = TFLite(name, content, SIDE, shapes, threads)

    def __call__(self, image: np.ndarray, where: Region, mirror: bool = False) -> Landmarks:
        """The person in that piece of the picture (H, W, 3) uint8; with `mirror` the network sees it in a
        mirror, and what it says is turned back: left is left again."""
        picture = cut(image, where, SIDE).astype(np.float32) / 255
        flat, sure, heat, world = self.net(picture[:, ::-1] if mirror else picture)
        values, count = flat.reshape(_ALL, 5).astype(np.float64), len(LAYOUT)
        unit, metres = refined(values[:, :2] / SIDE, heat), world.reshape(_ALL, 3)[:count].astype(np.float64)
        order = list(range(_ALL))
        if mirror:
            order[:count] = LAYOUT.mirror
            unit[:, 0] = 1 - unit[:, 0]
            metres = metres[order[:count]] * (-1, 1, 1)
        xy, values = where.inside(unit)[order], values[order]
        seen = np.minimum(sigmoid(values[:count, 3]), sigmoid(values[:count, 4])).astype(np.float32)
        metres[:, :2] = Region(0, 0, 1, where.angle).inside(metres[:, :2] + 0.5)
        again = around(xy[count], xy[count + 1])
        return Landmarks(xy[:count], seen, float(sure[0]), again, metres)


def refined(unit: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks (39, 2), 0 to 1, moved to the middle of the heat (64, 64, 39) around them where it is hot."""
    found = unit.copy()
    for joint, (x, y) in enumerate(unit * _CELLS):
        if not (0 <= x < _CELLS and 0 <= y < _CELLS):
            continue
        left, top = max(0, int(x) - _REACH), max(0, int(y) - _REACH)
        part = sigmoid(heat[top : int(y) + _REACH + 1, left : int(x) + _REACH + 1, joint])
        if part.max() >= 0.5:
            columns, rows = part.sum(axis=0), part.sum(axis=1)
            found[joint, 0] = (columns @ np.arange(left, left + len(columns))) / part.sum() / _CELLS
            found[joint, 1] = (rows @ np.arange(top, top + len(rows))) / part.sum() / _CELLS
    return found


def average(one: Landmarks, other: Landmarks) -> Landmarks:
    """The middle of two looks at a person."""
    return replace(
        one,
        xy=(one.xy + other.xy) / 2,
        score=(one.score + other.score) / 2,
        world=(one.world + other.world) / 2,
        sure=(one.sure * other.sure) ** 0.5,
    )
