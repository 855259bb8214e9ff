"""Where the depth is ambiguous: for every bone both signs of its depth, and how firmly one is chosen.

An image fixes a bone's direction but for one sign: with length L and length l across the line of sight its
depth is +sqrt(L^2 - l^2) or -sqrt(L^2 - l^2), and from afar both look the same. docs/playground.md derives
what is measured here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.explain.jacobian import answers, gradients, jacobian, with_sigma
from minilift.lift.model import LiftModel
from minilift.poses.layouts import COURSE15

ALONG = math.sqrt(math.pi / 2)
"""The deviation of a normal error along the ray whose mean size is 1."""
STEPS = 16  # of the search for a point where the sign changes
OVER = 1.05  # a step aims so far behind the border: there the sign is the other one
FARTHER = (1.1, 1.5, 2.0, 3.0, 5.0)  # times the first step
CALM = 0.6  # of every step after the first, so that the search does not swing to and fro
HALVINGS = 10  # of the way back


class Depths(NamedTuple):
    """Of the J bones of n poses; bone j ends in joint j."""

    depth: np.ndarray
    """(n, J) z of the joint less z of its parent, units: above 0 where the joint is nearer to the camera."""
    slope: np.ndarray
    """(n, J) length of the gradient of depth by all points: units for each unit of the image."""
    flip: np.ndarray
    """(n, J) |depth| / slope, image units: how far all points together must move, at least, for the sign to
    change, as far as the network is linear; and the deviation of noise in every coordinate at which the
    depth's deviation is the depth itself."""
    odds: np.ndarray
    """(n, J) of the other sign, 0 to 0.5, by the expected errors; NaN where none are known."""


def depths(
    model: LiftModel, joint_2d: Any, sigma: Any = None, expected_error: np.ndarray | None = None
) -> Depths:
    """The depths of the bones of 2D joints (n, J, 2), J those of the course. `sigma` as `jacobian` takes it,
    `expected_error` (n, J) in units as `Lifter.trust` says it. Raises ArgumentError as `jacobian`."""
    points = np.asarray(joint_2d, model.dtype)
    rows = points.reshape(len(points), -1)
    found = depth_of(answers(model, with_sigma(model, rows, sigma)))
    by_points = depth_of(np.moveaxis(jacobian(model, points, sigma), 2, -1), root=0.0)
    slope = np.sqrt((by_points.reshape(*found.shape, -1) ** 2).sum(axis=2))
    odds = np.full(found.shape, np.nan) if expected_error is None else odds_of(found, expected_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Depths(found, slope, np.abs(found) / slope, odds)


def depth_of(joint_3d: np.ndarray, root: float = -1.0) -> np.ndarray:
    """(n, J, ...) z of each joint of (n, J, ..., 3) less that of its parent; the root's is `root`."""
    z = joint_3d[..., 2]
    of_root = np.full((len(z), 1, *z.shape[2:]), root, z.dtype)
    return np.asarray(z - np.concatenate([z, of_root], axis=1)[:, list(COURSE15.parents)])


def odds_of(depth: np.ndarray, expected_error: np.ndarray) -> np.ndarray:
    """(n, J) of the other sign: Phi(-|depth| / deviation), the deviation being that of the difference of two
    normal errors along the ray, of the joint and of its parent; the root has none."""
    variance = (ALONG * expected_error.astype(np.float64)) ** 2
    parent = np.concatenate([variance, np.zeros((len(variance), 1))], axis=1)[:, list(COURSE15.parents)]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.abs(depth) / np.sqrt(variance + parent)
    return np.array([[0.5 * math.erfc(x / math.sqrt(2)) for x in row] for row in far])


def smallest_flips(model: LiftModel, joint_2d: Any, sigma: Any = None) -> np.ndarray:
    """The smallest changes (J, J, 2) of the points (J, 2) of one pose that turn a bone's depth to the other
    sign: [b] is that for bone b, in image units; NaN where none was found.

    The nearest point of the border f = 0 to the pose x0: steps towards x0 + (g . (x - x0) - f) g / |g|^2,
    g being the gradient of f at x, all bones side by side. Of all x on the other side the nearest is kept,
    and drawn back towards x0 as far as it stays there. Source: Rackwitz & Fiessler, Computers & Structures
    9(5), 1978; with other steps Moosavi-Dezfooli et al., "DeepFool", arXiv:1511.04599.
    """
    points = np.asarray(joint_2d, model.dtype)
    bones = len(COURSE15)
    start = np.tile(points.reshape(1, -1), (bones, 1))
    was = _own_depths(model, start, sigma)
    dy = model.ops.asarray(_picking(model.dtype))
    change, best = np.zeros_like(start), np.full_like(start, np.nan)
    for step in range(STEPS):
        slope = gradients(model, with_sigma(model, start + change, sigma), dy)
        f = _own_depths(model, start + change, sigma)
        best = _nearer(best, change, f * was < 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = ((slope * change).sum(axis=1) - f) / (slope**2).sum(axis=1)
        wanted = np.where(np.isfinite(far), far, 0)[:, None] * slope
        for times in FARTHER if step == 0 else ():  # on where the slope leads, as far as it takes
            tried = times * wanted
            best = _nearer(best, tried, _own_depths(model, start + tried, sigma) * was < 0)
        change = OVER * wanted if step == 0 else change + CALM * (OVER * wanted - change)
    low, high = np.zeros(bones, start.dtype), np.ones(bones, start.dtype)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        turned = _own_depths(model, start + middle[:, None] * np.nan_to_num(best), sigma) * was < 0
        low, high = np.where(turned, low, middle), np.where(turned, middle, high)
    return (high[:, None] * best).reshape(bones, *points.shape)


def _own_depths(model: LiftModel, rows: np.ndarray, sigma: Any) -> np.ndarray:
    """(J,) the depth of bone b in row b of points (J, 2J)."""
    return np.diagonal(depth_of(answers(model, with_sigma(model, rows, sigma)))).copy()


def _nearer(best: np.ndarray, change: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """The shorter of two changes of each bone, (J, 2J); only what has `turned` (J,) the sign counts."""
    size = np.linalg.norm(change, axis=1)
    # a comparison with NaN is False: whatever turns the sign is better than nothing
    taken = turned & ~(np.linalg.norm(best, axis=1) <= size)
    return np.where(taken[:, None], change, best)


def _picking(dtype: str) -> np.ndarray:
    """(J, 3J) the gradient of bone b's depth by the answer, in row b."""
    bones = len(COURSE15)
    found = np.zeros((bones, bones, 3), dtype)
    for bone, parent in enumerate(COURSE15.parents):
        found[bone, bone, 2] += 1
        if parent >= 0:
            found[bone, parent, 2] -= 1
    return found.reshape(bones, -1)
