"""Boxes around people, of networks of the YOLOX family.

Source: mmdet/models/dense_heads/yolox_head.py of github.com/open-mmlab/mmdetection, and
rtmlib/tools/object_detection/yolox.py of github.com/Tau-J/rtmlib.
"""

from __future__ import annotations

import numpy as np

from minilift.extras import load

_GREY = 114  # around a picture that has another shape than the network's
_STRIDES = (8, 16, 32)


def fitted(image: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """The picture (H, W, 3) made so large that it just fits, in the upper left of a grey one, as BGR; and how
    many times as large it is."""
    pillow = load("PIL.Image", "a detector", "video")
    times = min(height / image.shape[0], width / image.shape[1])
    rows, columns = (max(1, int(side * times)) for side in image.shape[:2])
    page = np.full((height, width, 3), _GREY, np.uint8)
    page[:rows, :columns] = pillow.fromarray(image).resize((columns, rows), pillow.BILINEAR)
    return page[:, :, ::-1], times


def cells(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The upper left corners (n, 2) of the cells that answer, in cells, and the size (n, 1) of each in
    pixels."""
    corners, sizes = [], []
    for stride in _STRIDES:
        x, y = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        corners.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        sizes.append(np.full((len(corners[-1]), 1), stride))
    return np.concatenate(corners), np.concatenate(sizes)


def people_of(answer: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Boxes (n, 4), left, top, right, bottom, in pixels of the network's picture, and their scores (n,).

    `answer` (n, 5) has them; (n, 6 or more) has what each cell says: where in it the middle is, the
    logarithms of width and height, that something is there, and that it is a person (or of another kind).
    None: neither.
    """
    answer = answer.astype(np.float64)
    if answer.shape[1] == 5:
        return answer[:, :4], answer[:, 4]
    corners, sizes = cells(height, width)
    if answer.shape[1] < 6 or len(answer) != len(corners):
        return None
    middle = (answer[:, :2] + corners) * sizes
    half = np.exp(np.clip(answer[:, 2:4], -20, 20)) * sizes / 2
    return np.concatenate([middle - half, middle + half], axis=1), answer[:, 4] * answer[:, 5]


def best(boxes: np.ndarray, score: np.ndarray, least: float, overlap: float) -> np.ndarray:
    """Rows of those boxes (n, 4) that score `least`, the surest first; of those that share more than
    `overlap` of the area of both, the surest alone."""
    good = np.isfinite(boxes).all(axis=1) & (score >= least)
    left = np.flatnonzero(good)
    left = left[np.argsort(-score[left], kind="stable")]
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept = []
    while len(left):
        first, rest = left[0], left[1:]
        kept.append(first)
        low, high = (
            np.maximum(boxes[first, :2], boxes[rest, :2]),
            np.minimum(boxes[first, 2:], boxes[rest, 2:]),
        )
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        left = rest[shared <= overlap * (area[first] + area[rest] - shared)]
    return np.array(kept, np.int64)
