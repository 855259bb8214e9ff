"""Poses that people hold to be measured, seen from the front: which are known, and whether one is held.

Angles are in the picture, between a limb and the body's axis from the neck down, outwards from the middle:
a camera that is held at a slant changes none of them. A limb that leans to the camera or away from it shows
no angle; that it is too short tells, in calibration.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.poses.layouts import COURSE15

ARMS = {"standing": 12.0, "a": 45.0, "t": 90.0}
"""Degrees from the body's axis to upper arm and forearm."""
OFF = {"arms": 25.0, "legs": 20.0, "trunk": 15.0}
"""Degrees by which a limb may be off its place."""
WIDE = 0.48
"""The least distance between the shoulders, as a share of the trunk: seen from the front it is 0.62 of an
average adult, and turned by 40 degrees it is this."""
FEWEST = 10  # joints that must be seen
STILL = 0.04
"""How far joints of one pose may move from frame to frame, as a share of the picture of the whole person."""

_JITTER = 4.5  # standard deviations of a point, between two frames
_PARENTS = list(COURSE15.parents)
_SIDE = np.array([-1.0 if name.startswith("right") else 1.0 for name in COURSE15.joints])
_PARTS = {
    "legs": ("knee", "ankle"),
    "trunk": ("spine", "neck"),
    "arms": ("elbow", "wrist"),
}
_WRONG = {
    "arms": "the arms are not held so",
    "legs": "the legs are not straight and below the hips",
    "trunk": "the trunk is not upright above the hips",
    "front": "the person does not face the camera",
    "few": "too few joints are seen",
}


class Held(NamedTuple):
    """Of n detections."""

    pose: np.ndarray
    """(n,) the place in ARMS of the pose that arms come nearest to."""
    off: np.ndarray
    """(n,): how far from it, in the most that is allowed; a pose is held up to 1."""
    worst: np.ndarray
    """(n,) str: what is farthest off, in words."""


def held(rays: np.ndarray, pose: str | None = None) -> Held:
    """Which pose people hold whose points are rays (n, 15, 2), NaN if not seen; `pose`: that one or none."""
    points = COURSE15.with_root(np.concatenate([rays, -np.ones((*rays.shape[:2], 1))], axis=2))[..., :2]
    bone = points[:, :-1] - points[:, _PARENTS]
    down = -rays[:, COURSE15.index("neck")]
    size = np.linalg.norm(down, axis=1)
    down = down / np.maximum(size, 1e-12)[:, None]
    out = np.stack([-down[:, 1], down[:, 0]], axis=1)  # to the picture's right, where the left side is
    along = np.einsum("njk,nk->nj", bone, down)
    angle = np.degrees(np.arctan2(_SIDE * np.einsum("njk,nk->nj", bone, out), along))
    worst: dict[str, np.ndarray] = {}
    places = [list(ARMS).index(pose)] if pose else list(range(len(ARMS)))
    arms = np.stack([_most(angle - list(ARMS.values())[place], "arms") for place in places])
    worst["arms"] = arms.min(axis=0)
    worst["legs"] = _most(angle, "legs")
    worst["trunk"] = _most(180 - np.abs(angle), "trunk")
    left, right = (rays[:, COURSE15.index(f"{side}_shoulder")] for side in ("left", "right"))
    width = np.einsum("nk,nk->n", left - right, out) / np.maximum(size, 1e-12)
    worst["front"] = np.where(width >= WIDE, 0.0, 8.0)
    seen = ~np.isnan(rays).any(axis=2)
    worst["few"] = np.where((seen.sum(axis=1) >= FEWEST) & np.isfinite(width), 0.0, 9.5)
    every = np.nan_to_num(np.stack(list(worst.values())), nan=9.0)
    words = np.array([_WRONG[name] for name in worst])
    return Held(np.array(places)[arms.argmin(axis=0)], every.max(axis=0), words[every.argmax(axis=0)])


def quiet(rays: np.ndarray, sigma: np.ndarray, frame: np.ndarray, step: float) -> np.ndarray:
    """The longest stretch of the frames (n,), `step` apart, in which a person (n, 15, 2) stands still, but
    for noise sigma (n, 15): rows, in the order of time."""
    order = np.argsort(frame, kind="stable")
    size = np.linalg.norm(np.nanmax(rays, axis=1) - np.nanmin(rays, axis=1), axis=1)
    allowed = STILL * size[:, None] + _JITTER * np.nan_to_num(sigma)
    best = order[:1]
    for run in np.split(order, np.flatnonzero(np.diff(frame[order]) > step) + 1):
        start = 0
        for stop in range(1, len(run) + 1):
            first = run[start]
            if stop < len(run):
                far = np.linalg.norm(rays[run[stop]] - rays[first], axis=1)
                if not (far > allowed[first]).any():
                    continue
            best = run[start:stop] if stop - start > len(best) else best
            start = stop
    return best


def _most(off: np.ndarray, part: str) -> np.ndarray:
    """The largest deviation (n,) of the bones of a part, as a share of what is allowed; bones that are not
    seen say nothing."""
    rows = [row for row, name in enumerate(COURSE15.joints) if name.endswith(_PARTS[part])]
    far = np.where(np.isnan(off[:, rows]), 0.0, np.abs((off[:, rows] + 180) % 360 - 180))
    return np.asarray(far.max(axis=1) / OFF[part])
