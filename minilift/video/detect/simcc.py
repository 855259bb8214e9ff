"""The joints of one person in a box, by RTMPose: one row of numbers for where it lies across, one for down.

Source: mmpose/codecs/simcc_label.py and mmpose/structures/bbox/transforms.py of github.com/open-mmlab/mmpose.
"""

from __future__ import annotations

import numpy as np

from minilift.extras import load

_ROOM = 1.25  # times the box
_MEAN = np.array([123.675, 116.28, 103.53])  # of red, green and blue in ImageNet
_STD = np.array([58.395, 57.12, 57.375])


def piece(box: np.ndarray, height: int, width: int) -> np.ndarray:
    """Left, top, width and height (4,) of what the network sees of a box: more, and of its own shape."""
    middle, size = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], 1) * _ROOM
    across = max(size[0], size[1] * width / height)
    size = np.array([across, across * height / width])
    return np.concatenate([middle - size / 2, size])


def shown(image: np.ndarray, where: np.ndarray, height: int, width: int) -> np.ndarray:
    """That piece of a picture (H, W, 3) uint8 RGB as the network takes it, (height, width, 3) float64; black
    beyond the picture."""
    pillow = load("PIL.Image", "a detector", "video")
    step = where[2] / width
    left, top = where[:2] + 0.5 - 0.5 * step  # the middles of its pixels lie on whole numbers
    corner = np.clip(np.floor((left, top)) - 1, 0, image.shape[1::-1]).astype(int)
    end = np.clip(np.ceil((left + where[2], top + where[3])) + 1, 0, image.shape[1::-1]).astype(int)
    found = np.zeros((height, width, 3))
    if (end > corner).all():
        part = pillow.fromarray(np.ascontiguousarray(image[corner[1] : end[1], corner[0] : end[0]]))
        coarser = max(1, min(int(step), *(end - corner)))
        if coarser > 1:
            part = part.reduce(int(coarser))
        x, y = (left - corner[0]) / coarser, (top - corner[1]) / coarser
        edges = (x, y, x + where[2] / coarser, y + where[3] / coarser)
        found += np.asarray(part.transform((width, height), pillow.EXTENT, edges, pillow.BILINEAR))
    return (found - _MEAN) / _STD


def joints(across: np.ndarray, down: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (J, 2) in pixels and scores (J,) float32, of (J, n) and (J, m) numbers for the columns and rows
    of the piece of the picture; the score is the smaller of the two peaks."""
    peaks = np.stack([across.argmax(axis=1), down.argmax(axis=1)], axis=1)
    score = np.minimum(across.max(axis=1), down.max(axis=1))
    xy = where[:2] + peaks / (across.shape[1], down.shape[1]) * where[2:]
    return xy, np.clip(np.nan_to_num(score), 0, 1).astype(np.float32)
