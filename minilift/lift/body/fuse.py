"""Rays, a network's depths and a body's bones made one pose, by one least-squares solution of each frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.files.mapped import chunks
from minilift.lift.body.residuals import Residuals, System
from minilift.lift.body.tree import PARENTS, Eliminated, bones
from minilift.ops.threads import team

STEPS = 12  # of Gauss and Newton; most poses need 4 to 6
BLOCK = 1024  # poses at a time, and a thread: their matrices stay in the cache
SHARPEST = 2e-4  # units of the image: no keypoint is known better
PLACED = 0.03  # and one that was not seen is known so well from where the network puts it
_SETTLED = 1e-5  # of the cost: a step that gains less is the last
_FIRM = 1e-3  # the first damping of Levenberg and Marquardt


class Fused(NamedTuple):
    """n poses in the units of the network's."""

    joint_3d: np.ndarray
    """(n, 15, 3)"""
    scale: np.ndarray
    """(n,): the logarithm of how much the lengths had to grow to fit; 0 where the scale is known."""
    spread: np.ndarray | None = None
    """(n, 15): the root mean square distance of the true joints from these, if all that was given is so."""


def fuse(
    rays: np.ndarray, net: np.ndarray, depth_spread: np.ndarray, lengths: np.ndarray,
    length_spread: np.ndarray, sigma: np.ndarray | float = 0.0, scale_spread: np.ndarray | float = 0.0,
    uncertain: bool = False,
) -> Fused:  # fmt: skip
    """The most likely poses, given image points, what a network says of depths, and bones of known lengths.

    rays           (n, 15, 2) image points (x/-z, y/-z), NaN where not seen
    net            (n, 15, 3) the network's poses, in units of the distance to the root at (0, 0, -1)
    depth_spread   (n, 15) or (15,): standard deviation of its depth of a joint relative to the parent, units
    lengths        (n, 15) or (15,): from parent to joint, units
    length_spread  (n, 15) or (15,): their standard deviation, as a share: how well known and how stiff
    sigma          (n, 15), (n, 1) or one number: standard deviation of an image point, units of the image
    scale_spread   (n,) or one number: of the logarithm of the unit, 0 where it is known: all bones of a frame
                   may be that much longer or shorter together
    uncertain      find the `spread` as well, which takes as long as one more step

    Gauss-Newton steps with the damping of Levenberg and Marquardt: none makes the cost worse. `residuals` has
    the cost and its derivatives. Rows with NaN in `net` stay NaN. The number of cores does not show.
    """
    n, joints = net.shape[:2]
    spread = np.full((n, joints), np.nan) if uncertain else None
    out = Fused(np.full((n, joints, 3), np.nan), np.zeros(n), spread)
    fit = np.flatnonzero(np.isfinite(net).all(axis=(1, 2)))
    parts = list(chunks(len(fit), BLOCK))

    def rows_of(value: np.ndarray | float, shape: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
        return np.moveaxis(np.broadcast_to(np.asarray(value, np.float64), shape)[rows], 0, -1)

    def solve(number: int) -> None:
        rows = fit[parts[number]]
        start = np.moveaxis(np.asarray(net[rows], np.float64), 0, -1)
        image = rows_of(rays, (n, joints, 2), rows)
        seen = ~np.isnan(image).any(axis=1)
        image = np.where(seen[:, None], image, start[:, :2] / -start[:, 2:])
        noise = np.maximum(rows_of(sigma, (n, joints), rows), SHARPEST)
        given = Residuals(
            image=image, sigma=np.where(seen, noise, PLACED), depth=bones(start)[:, 2],
            depth_spread=rows_of(depth_spread, (n, joints), rows),
            length=rows_of(lengths, (n, joints), rows),
            length_spread=rows_of(length_spread, (n, joints), rows),
            scale_spread=rows_of(scale_spread, (n,), rows),
        )  # fmt: skip
        found, grown = _solve(given, start)
        out.joint_3d[rows], out.scale[rows] = np.moveaxis(found, -1, 0), grown
        if spread is not None:
            spread[rows] = _spread(given, found, grown).T

    team().run(solve, len(parts))
    return out


def spread_without(rays: np.ndarray, depth_spread: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """(n, 15): what `Fused.spread` would be if nothing was known of bones, from `fuse`'s arguments.

    Depths add up along the limbs, and a joint moves along its ray as its depth does; across it lies as far
    off as its image point.
    """
    variance = np.array(np.broadcast_to(depth_spread, rays.shape[:2]), np.float64) ** 2
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            variance[:, joint] += variance[:, parent]
    seen = ~np.isnan(rays).any(axis=2)
    across = np.where(seen, np.maximum(sigma, SHARPEST), PLACED)
    reach = 1 + (np.nan_to_num(rays.astype(np.float64)) ** 2).sum(axis=2)
    return np.sqrt(variance * reach + 2 * across**2)


def _solve(given: Residuals, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints (15, 3, n) and scales (n,), from joints of the network's (15, 3, n)."""
    joints = start.copy()
    joints[:, :2] = given.image * -start[:, 2:]
    scale = np.zeros(joints.shape[2])
    damping = np.full(joints.shape[2], _FIRM)
    at = np.arange(joints.shape[2])  # the poses that are not settled yet
    known, cost = given, given.cost(joints, scale)
    for _ in range(STEPS):
        here, here_scale = joints[..., at], scale[at]
        moved, grown = _step(known.system(here, here_scale), damping[at], known.scale_spread > 0)
        tried, tried_scale = here + moved, here_scale + grown
        now = known.cost(tried, tried_scale)
        better = now < cost
        joints[..., at[better]], scale[at[better]] = tried[..., better], tried_scale[better]
        damping[at] *= np.where(better, 0.1, 10)
        with np.errstate(invalid="ignore"):  # both infinite, of a pose behind the camera
            going = ~better | (cost - now > _SETTLED * cost)
        cost = np.where(better, now, cost)[going]
        at = at[going]
        if not len(at):
            break
        known = known if going.all() else known.take(going)
    return joints, scale


def _spread(given: Residuals, joints: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(15, n): roots of the traces of the joints' posterior covariances, by Laplace's approximation.

    The inverse of the Gauss-Newton matrix, with what the unknown scale adds: a a^T / (corner - b^T a), where
    A a = b is the border.
    """
    now = given.system(joints, scale)
    taken_apart = Eliminated(now.diagonal, now.off)
    blocks = taken_apart.covariances()
    square = blocks[:, 0, 0] + blocks[:, 1, 1] + blocks[:, 2, 2]
    leant = taken_apart.solve(now.border[:, :, None])[:, :, 0]
    left = now.corner - (now.border * leant).sum(axis=(0, 1))
    free = given.scale_spread > 0
    return np.sqrt(square + np.where(free, (leant**2).sum(axis=1) / np.where(free, left, 1), 0))


def _step(system: System, damping: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step for joints (15, 3, n) and scale (n,); `free` where the scale is unknown.

    The scale is a row and column at the edge of a matrix A of the tree, so it is eliminated last:
        s = (-slope - b^T A^-1 (-g)) / (corner - b^T A^-1 b),   X = A^-1 (-g) - s A^-1 b
    """
    damped = system.diagonal.copy()
    damped[:, [0, 1, 2], [0, 1, 2]] *= 1 + damping
    taken_apart = Eliminated(damped, system.off)
    if not free.any():
        return taken_apart.solve(-system.gradient[:, :, None])[:, :, 0], np.zeros_like(damping)
    both = taken_apart.solve(np.stack([-system.gradient, system.border], axis=2))
    moved, leant = both[:, :, 0], both[:, :, 1]
    left = system.corner * (1 + damping) - (system.border * leant).sum(axis=(0, 1))
    grown = (-system.slope - (system.border * moved).sum(axis=(0, 1))) / np.where(free, left, 1)
    grown = np.where(free, grown, 0)
    return moved - leant * grown, grown
