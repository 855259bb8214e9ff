"""Synthetic faces with known points, as a stand-in for Kaggle's facial keypoints: no face is anybody's."""

from __future__ import annotations

import numpy as np

from minilift.images.made.ink import area, as_pixels, ellipse, pixel_centres, placed, strokes
from minilift.images.pictures import PointPictures

SIDE = 96

# The points of Kaggle's table in its order, in a square from -0.5 to 0.5; left is the person's own left
POINTS: dict[str, tuple[float, float]] = {
    "left_eye_center": (0.18, -0.1), "right_eye_center": (-0.18, -0.1),
    "left_eye_inner_corner": (0.1, -0.095), "left_eye_outer_corner": (0.26, -0.1),
    "right_eye_inner_corner": (-0.1, -0.095), "right_eye_outer_corner": (-0.26, -0.1),
    "left_eyebrow_inner_end": (0.08, -0.2), "left_eyebrow_outer_end": (0.3, -0.2),
    "right_eyebrow_inner_end": (-0.08, -0.2), "right_eyebrow_outer_end": (-0.3, -0.2),
    "nose_tip": (0.0, 0.09),
    "mouth_left_corner": (0.15, 0.25), "mouth_right_corner": (-0.15, 0.25),
    "mouth_center_top_lip": (0.0, 0.22), "mouth_center_bottom_lip": (0.0, 0.3),
}  # fmt: skip
NAMES = tuple(POINTS)
AT_ONCE = 64  # faces, so that their pixels stay in the processor's cache


def made_faces(n: int, seed: int = 0) -> PointPictures:
    """n synthetic faces of 96 x 96 pixels with the points they were drawn by; seeds give the same again."""
    rng = np.random.default_rng(seed)
    points = _varied(n, rng)
    half = rng.uniform([0.36, 0.44], [0.44, 0.5], (n, 2))  # of the face's width and height
    zero = np.zeros(n)
    oval = np.stack(
        [np.stack(pair, axis=1) for pair in ((zero, zero), (half[:, 0], zero), (zero, half[:, 1]))], axis=1
    )
    both = placed(np.concatenate([points, oval], axis=1), rng, 12, 0.12, 0.06)
    both = both * rng.uniform(60, 76, (n, 1, 1)) + SIDE / 2 + [0, 4]
    points, oval = both[:, : len(NAMES)], both[:, len(NAMES) :]
    parts = (slice(i, i + AT_ONCE) for i in range(0, n, AT_ONCE))
    pixels = np.concatenate([_drawn(points[part], oval[part], rng) for part in parts])
    return PointPictures(pixels[:, None], points.astype(np.float32), NAMES)


def _varied(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, points, 2): faces of other proportions, some of them turned to a side."""
    points = np.array(list(POINTS.values())) + 0.008 * rng.standard_normal((n, len(NAMES), 2))
    points *= rng.uniform([0.85, 0.9], [1.1, 1.1], (n, 1, 2))
    depth = np.array([0.3 if "nose" in name else 0.12 * ("mouth" in name) for name in NAMES])
    turn = np.radians(rng.uniform(-25, 25, (n, 1)))
    points[..., 0] = points[..., 0] * np.cos(turn) + depth * np.sin(turn)
    low = [NAMES.index(name) for name in NAMES if "bottom" in name]
    points[:, low, 1] += rng.uniform(-0.02, 0.06, (n, 1))  # mouths open and shut
    brows = [i for i, name in enumerate(NAMES) if "eyebrow" in name]
    points[:, brows, 1] += rng.uniform(-0.04, 0.02, (n, 1))
    return points


def _drawn(points: np.ndarray, oval: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 96, 96) uint8."""
    n, at = len(points), dict(zip(NAMES, points.swapaxes(0, 1), strict=True))
    ground, skin = rng.uniform(0.05, 0.9, (2, n, 1, 1))
    skin = 0.35 + 0.55 * skin
    image: np.ndarray = np.broadcast_to(ground, (n, SIDE, SIDE)).astype(np.float32)

    def paint(cover: np.ndarray, tone: np.ndarray) -> None:
        nonlocal image
        image = image + cover * (tone - image)

    def line(names: list[str], width: float, tone: np.ndarray) -> None:
        path = np.stack([at[name] for name in names], axis=1)
        paint(strokes(path[:, :-1], path[:, 1:], width * rng.uniform(0.8, 1.2, n), SIDE), tone)

    paint(ellipse(oval, SIDE), skin)
    dark = skin * rng.uniform(0.15, 0.5, (n, 1, 1))
    for side in ("left", "right"):
        line([f"{side}_eyebrow_inner_end", f"{side}_eyebrow_outer_end"], 3.0, dark)
        line(
            [f"{side}_eye_inner_corner", f"{side}_eye_center", f"{side}_eye_outer_corner"],
            5.0,
            np.float32(0.95),
        )
        centre = at[f"{side}_eye_center"][:, None]
        paint(strokes(centre, centre, rng.uniform(4, 6, n), SIDE), dark * 0.5)
    nose = at["nose_tip"][:, None]
    paint(0.6 * strokes(nose - [0, 14], nose, rng.uniform(2, 4, n), SIDE), skin * 0.8)
    paint(strokes(nose - [4, -1], nose - [-4, -1], rng.uniform(2, 3, n), SIDE), dark)
    lips = ["mouth_left_corner", "mouth_center_top_lip", "mouth_right_corner", "mouth_center_bottom_lip"]
    paint(area(np.stack([at[name] for name in lips], axis=1), SIDE), dark)
    line([*lips, lips[0]], 2.0, skin * 0.6)
    x, y = ((pixel_centres(SIDE)[:, i] / SIDE - 0.5).reshape(SIDE, SIDE) for i in range(2))
    light = 1 + rng.uniform(-0.4, 0.4, (n, 1, 1)) * x + rng.uniform(-0.3, 0.3, (n, 1, 1)) * y
    return as_pixels(image * light + 0.03 * rng.standard_normal(image.shape))
