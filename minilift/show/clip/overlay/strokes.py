"""Smooth lines and dots on a picture in NumPy: a few thousand pixels each, whatever the size of the picture.

Points are (x, y) in pixels; the middle of the first pixel is (0, 0). A picture is (H, W, 3) uint8,
C-contiguous, and is drawn on in place; what lies beyond its edges is cut off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

Colour = tuple[int, int, int]
FARTHEST = 1e5  # pixels: a point beyond is a mistake, and is not drawn


class Dash(NamedTuple):
    """Pixels that are drawn, and pixels of a whole period."""

    drawn: float
    period: float


def rgb(colour: str) -> Colour:
    """#rrggbb as numbers."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def stroke(
    picture: np.ndarray, ends: np.ndarray, width: float, colour: Colour, alpha: float = 1.0,
    dash: Dash | None = None,
) -> None:  # fmt: skip
    """Draw a line between ends (2, 2) with round caps; broken where `dash`; `alpha` is how much it covers."""
    if not (np.isfinite(ends).all() and np.abs(ends).max() < FARTHEST):
        return
    height, across = picture.shape[:2]
    reach = 0.5 * width + 0.5
    steep = abs(ends[1, 1] - ends[0, 1]) >= abs(ends[1, 0] - ends[0, 0])
    # Along the axis that the line follows more, each step has a run of pixels across it
    (u0, v0), (u1, v1) = ends[:, ::-1] if steep else ends
    slope = (v1 - v0) / (u1 - u0) if u1 != u0 else 0.0
    last_u, last_v = (height, across) if steep else (across, height)
    u = np.arange(max(math.floor(min(u0, u1) - reach), 0), min(math.ceil(max(u0, u1) + reach) + 1, last_u))
    if not len(u):
        return
    half = reach * math.hypot(1.0, slope)
    middle = v0 + slope * (u - u0)
    v = np.floor(middle - half).astype(np.int64)[:, None] + np.arange(math.ceil(2 * half) + 2)
    du, dv = (u - u0)[:, None].astype(np.float32), (v - v0).astype(np.float32)
    long = math.hypot(u1 - u0, v1 - v0)
    tu, tv = ((u1 - u0) / long, (v1 - v0) / long) if long else (1.0, 0.0)
    along = np.float32(tu) * du + np.float32(tv) * dv
    beyond = along - np.clip(along, 0, np.float32(long))
    off = np.float32(tu) * dv - np.float32(tv) * du
    cover = np.float32(reach) - np.sqrt(off * off + beyond * beyond)
    if dash is not None:
        from_middle = np.abs((along + 0.5 * dash.drawn) % dash.period - 0.5 * dash.drawn)
        from_middle = np.minimum(from_middle, dash.period - from_middle)
        cover = np.minimum(cover, np.float32(0.5 * dash.drawn + 0.5) - from_middle)
    there = (cover > 0) & (v >= 0) & (v < last_v)
    index = u[:, None] * across + v if steep else v * across + u[:, None]
    _cover(picture, index[there], np.minimum(cover[there], 1) * np.float32(alpha), colour)


def dot(picture: np.ndarray, at: np.ndarray, radius: float, colour: Colour, alpha: float = 1.0) -> None:
    """Draw a full circle about a point (2,)."""
    stroke(picture, np.stack([at, at]), 2 * radius, colour, alpha)


def _cover(picture: np.ndarray, index: np.ndarray, share: np.ndarray, colour: Colour) -> None:
    """Let a colour cover shares (k,) of pixels (k,), numbered row by row; none is there twice."""
    flat = picture.reshape(-1, 3)
    old = flat[index]
    new = old + share[:, None] * (np.array(colour, np.float32) - old)
    flat[index] = (new + np.float32(0.5)).astype(np.uint8)
