"""A person's bones from one pose that is known: standing upright, from the front.

In the pose every bone lies near the plane of the chest, and how far a limb leans out of it, forwards or
back, is known within a few degrees: TILTS. Let m be the plane's normal, in the camera's axes, and phi_j the
angle of bone j out of it. Joint j lies on its ray r_j = (u, v, -1), at the depth t, and

    (t r_j - X_p) . m = sin(phi_j) |t r_j - X_p|                                          X_p: the parent

squared is a quadratic equation for t. So, from the mid-hip at the distance d on, an image x and angles
w = (m, phi) give the length of every bone:

    log L_j = log d + g_j(x, w)

Given w the logarithm of a bone in the image is that of its length, moved by what w says; so the likelihood of
log L, w integrated out, is the distribution of log d + g(x, w) as w varies. (The most likely w and L together
would be a mistake: no lean at all is likeliest for every bone, and all bones would be too short.) Its mean
and covariance are those of DRAWS draws of w, of the noise of x and of the focal length. Then they are weighed
against what is known of people's bones, whose logarithms are normal as well: `observe`. Leans that all bones
share, of the camera and of the person, make errors that are alike, and what is known of legs and trunk takes
the most of them away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.errors import ArgumentError
from minilift.poses.body.body import Body
from minilift.poses.body.posture import ARMS
from minilift.poses.body.prior import Prior, observe
from minilift.poses.layouts import COURSE15

DRAWS = 1024
TURNED = 8.0  # degrees: a person's chest and the camera are so far from facing each other, to either side
SLANT = 8.0  # and up or down: the camera is at any height from the knees to above the head
DISTANCE = 0.01  # of a distance that was measured
LEAST_NOISE = 0.003  # of the person's extent in the picture, 5 mm: no keypoint is surer of a joint
OWN = 0.02  # of a bone: what a skeleton's joints are nearer or farther by in this pose than in others
ALIKE = 0.8  # the share of the variance of a tilt that left and right have together
UNLIKELY = 4.0  # standard deviations from what people have: not that pose
UNLIKELY_ALL = 3.0  # and of all bones together, their mean square

_STANDING = {
    "hip": (0, 4), "knee": (2, 7), "ankle": (-14, 9), "spine": (-6, 7), "neck": (2, 7), "head": (5, 15.0),
    "shoulder": (3, 10), "elbow": (-6, 6), "wrist": (18, 9),
}  # fmt: skip
TILTS = {
    "standing": _STANDING,
    "a": _STANDING | {"elbow": (-3, 7), "wrist": (10, 8)},
    "t": _STANDING | {"elbow": (-2, 7), "wrist": (4, 8)},
}
"""Degrees by which bones lean forwards out of the plane of the chest, and their standard deviation."""

_KINDS = [name.rpartition("_")[2] for name in COURSE15.joints]
_PARENTS = COURSE15.parents


class Calibration(NamedTuple):
    """What a picture says of bones, before anything else is known."""

    bones: np.ndarray
    """(k,) which: those whose ends were seen, and all that lies between them and the mid-hip."""
    mean: np.ndarray
    """(k,) of log(length / distance of the mid-hip)."""
    covariance: np.ndarray
    """(k, k)"""


def measure(rays: np.ndarray, sigma: np.ndarray, pose: str, zoom: float = 0.0, seed: int = 0) -> Calibration:
    """Bones of a person in a pose of TILTS, of image points (15, 2) with the mid-hip at (0, 0).

    NaN is a joint that was not seen; sigma (15,) are standard deviations of points, in units of the image;
    zoom is the relative one of the focal length.
    """
    rng, extent = np.random.default_rng(seed), np.nanmax(rays, axis=0) - np.nanmin(rays, axis=0)
    noise = np.maximum(np.nan_to_num(sigma), LEAST_NOISE * np.linalg.norm(extent))
    logs = bone_logs(*_drawn(rays, noise, pose, zoom, rng))
    bones = np.flatnonzero(np.isfinite(logs).mean(axis=0) > 0.5)
    good = logs[:, bones][np.isfinite(logs[:, bones]).all(axis=1)]
    if len(bones) < 2 or len(good) < DRAWS // 2:
        raise ArgumentError("pose", pose, "is seen from too near, or too little of it; step back")
    return Calibration(bones, good.mean(axis=0), np.cov(good.T) + OWN**2 * np.eye(len(bones)))


def calibrate(
    found: Calibration, pose: str, known: Prior, distance: float | None = None, told: str = ""
) -> Body:
    """The body of a person, of what a picture says and what is known of them otherwise.

    `known` in metres holds a height or a tape measure; without one, and without the `distance` of the camera
    from the mid-hip in metres, it is relative, and so is the body. `told` is what the picture is of. Raises
    ArgumentError where such bones are no person's.
    """
    rows = np.eye(len(COURSE15))[found.bones]
    values, noise = found.mean, found.covariance
    if distance is not None:
        values, noise = values + np.log(distance), noise + DISTANCE**2
    else:  # only how bones compare
        centre = np.eye(len(values))[1:] - 1 / len(values)
        rows, values, noise = centre @ rows, centre @ values, centre @ noise @ centre.T
    _check(rows, values, noise, known, pose)
    told = ", ".join(filter(None, (f"calibration pose '{pose}'", told)))
    told += f", {distance:g} m away" if distance is not None else ""
    return Body.of(observe(known, rows, values, noise, told))


def _drawn(
    rays: np.ndarray, noise: np.ndarray, pose: str, zoom: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (DRAWS, 15, 2), normals of the chest's plane (DRAWS, 3) and sines of tilts (DRAWS, 15)."""
    points = rays + noise[:, None] * rng.standard_normal((DRAWS, *rays.shape))
    points = points * np.exp(zoom * rng.standard_normal(DRAWS))[:, None, None]
    turned, slant = np.radians([TURNED, SLANT])[:, None] * rng.standard_normal((2, DRAWS))
    normal = np.stack([np.sin(turned) * np.cos(slant), np.sin(slant), np.cos(turned) * np.cos(slant)], axis=1)
    middle, spread = np.radians([TILTS[pose][kind] for kind in _KINDS]).T
    own = rng.standard_normal((DRAWS, len(_KINDS)))
    shared = rng.standard_normal((DRAWS, len(_KINDS)))
    shared = np.where(np.arange(len(_KINDS)) > np.array(COURSE15.mirror), shared[:, COURSE15.mirror], shared)
    tilts = middle + spread * (np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * own)
    return points, normal, np.sin(tilts)


def bone_logs(points: np.ndarray, normal: np.ndarray, sines: np.ndarray) -> np.ndarray:
    """log(length / distance) (n, 15) of points (n, 15, 2), plane normals (n, 3) and sines (n, 15); NaN where
    an end was not seen, or no such bone ends on its ray."""
    rays = np.concatenate([points, -np.ones((*points.shape[:2], 1))], axis=2)
    joints, logs = np.full(rays.shape, np.nan), np.full(rays.shape[:2], np.nan)
    hip = np.broadcast_to(np.array([0.0, 0.0, -1.0]), normal.shape)
    for j, parent in enumerate(_PARENTS):
        ray, start, s = rays[:, j], hip if parent < 0 else joints[:, parent], sines[:, j]
        a, c, e = _dot(ray, normal), _dot(start, normal), _dot(ray, start)
        rr, xx = _dot(ray, ray), _dot(start, start)
        left = a**2 - s**2 * rr  # of the quadratic equation: what is before t^2
        root = a**2 * xx + rr * c**2 - 2 * a * c * e - s**2 * (rr * xx - e**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            t = (a * c - s**2 * e - s * np.sqrt(root)) / left
            t = np.where((left > 0) & (a < 0) & (t > 0), t, np.nan)
            joints[:, j] = t[:, None] * ray
            logs[:, j] = np.log(np.linalg.norm(joints[:, j] - start, axis=1))
    return logs


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a * b).sum(axis=1))


def _check(rows: np.ndarray, values: np.ndarray, noise: np.ndarray, known: Prior, pose: str) -> None:
    """Raise ArgumentError where people's bones are not like that: something leans, or the scale is wrong."""
    off, usual = values - rows @ known.mean, rows @ known.covariance @ rows.T + noise
    far = off / np.sqrt(np.diag(usual))
    if np.abs(far).max() <= UNLIKELY and off @ np.linalg.solve(usual, off) <= UNLIKELY_ALL * len(off):
        return
    at = int(np.argmax(np.abs(far)))
    bone = COURSE15.joints[int(np.argmax(np.abs(rows[at])))]
    problem = (
        f"is not held, or a distance or height is wrong: the bone to {bone} would be {np.exp(off[at]):.2f} "
        f"times what such people have; stand upright, face the camera, and hold one of {', '.join(ARMS)}"
    )
    raise ArgumentError("pose", pose, problem)
