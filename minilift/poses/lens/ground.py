"""Which way is up, as people and their feet show it.

Two witnesses. People stand and walk upright on average: the mean direction from their ankles to their heads
is up, but for a lean of some degrees that all may share. And they stand on the ground: a plane through their
lower ankles. The further they walk about, the better it is known; where they stay in one place it says
nothing. Each has a covariance, and their mean is weighted by the inverse of it.

With b people's up, e1 and e2 across it, and p a lower ankle, the plane is (b + a1 e1 + a2 e2) p = h: a line
of least squares in (a1, a2, h), robust by weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.poses.layouts import COURSE15

ANKLES = [COURSE15.index("left_ankle"), COURSE15.index("right_ankle")]
HEAD = COURSE15.index("head")

_FEWEST = 20  # rows with feet and head
_MOST = np.radians(45.0)  # people whose up is farther from the picture's lie down, or the picture is turned
_LEAN = np.radians(3.0)  # that all people of a clip may share
_SLOPE = np.radians(1.5)  # that errors of the distance make of flat ground
_TOGETHER = 30  # neighbouring frames err alike: so many, about a second, are one witness
_ROUNDS = 10


@dataclass(frozen=True)
class Ground:
    """`up` is a unit vector (3,) in the camera's axes, None where nothing shows it; `told` says how it is
    known."""

    up: np.ndarray | None
    told: str


def find_ground(joint_3d: np.ndarray, seen: np.ndarray) -> Ground:
    """The ground under people (n, 15, 3) in the camera's axes, of any unit; seen (n, 15) bool."""
    whole = seen[:, [*ANKLES, HEAD]].all(axis=1) & np.isfinite(joint_3d).all(axis=(1, 2))
    if whole.sum() < _FEWEST:
        return Ground(None, f"not levelled: feet and head are seen in {int(whole.sum())} rows, not {_FEWEST}")
    people = joint_3d[whole]
    body = people[:, HEAD] - people[:, ANKLES].mean(axis=1)
    tall = float(np.median(np.linalg.norm(body, axis=1)))
    up, scatter = _mean_direction(body)
    angle = np.arccos(np.clip(up[1], -1, 1))
    if angle > _MOST:
        told = f"not levelled: people's up is {np.degrees(angle):.0f} degrees from the picture's"
        return Ground(None, f"{told}; they lie down, or the picture is turned")
    across = _across(up)
    witnesses = max(len(people) / _TOGETHER, 1.0)
    feet = people[:, ANKLES] / tall
    lower = np.take_along_axis(feet, np.argmin(feet @ up, axis=1)[:, None, None], axis=1)[:, 0]
    slope, sure = _plane(lower, up, across, witnesses)
    by_body = np.eye(2) / (_LEAN**2 + scatter**2 / witnesses)
    tilt = np.linalg.solve(sure + by_body, sure @ slope)
    found = up + tilt @ across
    found /= np.linalg.norm(found)
    share = float(np.trace(sure) / np.trace(sure + by_body))
    return Ground(found, f"levelled: {_words(found)}, by {_witness(share)}")


def _mean_direction(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """The robust mean of directions (n, 3), and how far they scatter, in radians.

    Those three times the median deviation away are left out.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    mean = np.median(unit, axis=0)
    for _ in range(_ROUNDS):
        mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
        off = np.arccos(np.clip(unit @ mean, -1, 1))
        mean = unit[off <= max(3 * float(np.median(off)), 1e-6)].mean(axis=0)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return mean, float(np.median(np.arccos(np.clip(unit @ mean, -1, 1))))


def _across(up: np.ndarray) -> np.ndarray:
    """Two unit vectors (2, 3) across `up`."""
    first = np.cross(up, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(up, first)])


def _plane(
    feet: np.ndarray, up: np.ndarray, across: np.ndarray, witnesses: float
) -> tuple[np.ndarray, np.ndarray]:
    """(a1, a2) of the plane through feet (n, 3), and the inverse of its covariance (2, 2)."""
    middle = np.median(feet, axis=0)
    columns = np.concatenate([(feet - middle) @ across.T, np.ones((len(feet), 1))], axis=1)
    heights = (feet - middle) @ up
    weights = np.ones(len(feet))
    for _ in range(_ROUNDS):
        normal = (columns * weights[:, None]).T @ columns + 1e-9 * np.eye(3)
        fit = np.linalg.solve(normal, (columns * weights[:, None]).T @ heights)
        off = heights - columns @ fit
        spread = max(1.5 * float(np.median(np.abs(off))), 0.01)
        weights = 1 / (1 + (off / (2 * spread)) ** 2) ** 2
    centred = columns[:, :2] - np.average(columns[:, :2], axis=0, weights=weights)
    extent = (centred * weights[:, None]).T @ centred / weights.sum()
    covariance = spread**2 / witnesses * np.linalg.inv(extent + 1e-9 * np.eye(2)) + _SLOPE**2 * np.eye(2)
    # n p = h with n = b + a: heights = h - a (p across), so that a is minus the slope
    return -fit[:2], np.linalg.inv(covariance)


def _words(up: np.ndarray) -> str:
    """How a camera is held that sees this up: it looks down by asin(z), and is rolled by atan(x / y)."""
    down, roll = np.degrees(np.arcsin(up[2])), np.degrees(np.arctan2(up[0], up[1]))
    way = "down" if down >= 0 else "up"
    side = "left" if roll >= 0 else "right"
    return f"the camera looks {way} by {abs(down):.1f} degrees, rolled {abs(roll):.1f} to the {side}"


def _witness(share: float) -> str:
    if share > 0.8:
        return "where the feet stand"
    return "where heads are from feet" + (" and where the feet stand" if share > 0.3 else "")
