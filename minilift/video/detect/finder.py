"""MediaPipe's network that finds people: where in a square piece of a picture may one be?

Source: modules/pose_detection/pose_detection_cpu.pbtxt and calculators/tflite/ssd_anchors_calculator.cc of
github.com/google-ai-edge/mediapipe.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.video.detect.regions import Region, around, cut
from minilift.video.detect.tflite import TFLite, sigmoid

SIDE = 224
_GRIDS = ((28, 2), (14, 2), (7, 6))  # cells along a side, and anchors in the middle of each
_COUNT = sum(cells * cells * each for cells, each in _GRIDS)
_OVERLAP = 0.3  # boxes that share more of their area than this are of one person
SURE = 0.5


@dataclass(frozen=True)
class Candidate:
    """A square in which a person may be, and how sure the network is, 0 to 1."""

    region: Region
    score: float


class Finder:
    """The network of pose_detection.tflite."""

    def __init__(self, name: str, content: bytes, threads: int):
        self.net = TFLite(name, content, SIDE, [(_COUNT, 12), (_COUNT, 1)], threads)
        self.anchors = anchors()

    def __call__(self, image: np.ndarray, where: Region, least: float = SURE) -> list[Candidate]:
        """Who may be in that piece of the picture (H, W, 3) uint8, the surest first."""
        picture = cut(image, where, SIDE).astype(np.float32) / 127.5 - 1
        boxes, logits = self.net(picture)
        score = sigmoid(logits[:, 0])
        sure = np.flatnonzero(score >= least)
        points = boxes[sure].reshape(len(sure), 6, 2).astype(np.float64) / SIDE
        points[:, [0, 2, 3, 4, 5]] += self.anchors[sure, None]  # a box is its middle and its width and height
        found = []
        for group in groups(points[:, 0], points[:, 1], score[sure]):
            weight = score[sure][group] / score[sure][group].sum()
            hips, end = (where.inside((points[group, i] * weight[:, None]).sum(axis=0)) for i in (2, 3))
            region = around(hips, end)
            if region is not None:
                found.append(Candidate(region, float(score[sure][group[0]])))
        return found


def anchors() -> np.ndarray:
    """(2254, 2) the middles of the cells, 0 to 1, x and y, row by row from the finest grid."""
    parts = []
    for cells, each in _GRIDS:
        middle = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)
        parts.append(np.repeat(grid, each, axis=0))
    return np.concatenate(parts)


def groups(
    middle: np.ndarray, size: np.ndarray, score: np.ndarray, most: float = _OVERLAP
) -> list[np.ndarray]:
    """Boxes (n, 2), (n, 2) that show the same: rows of the surest one and of those that overlap it."""
    low, high, area = middle - size / 2, middle + size / 2, np.prod(np.maximum(size, 0), axis=1)
    left, found = np.argsort(-score, kind="stable"), []
    while len(left):
        best = left[0]
        common = np.minimum(high[best], high[left]) - np.maximum(low[best], low[left])
        shared = np.prod(np.maximum(common, 0), axis=1)
        same = shared > most * (area[best] + area[left] - shared)
        same[0] = True
        found.append(left[same])
        left = left[~same]
    return found
