"""Augmentation for NumPy: a whole batch at a time, a pose a column: arrays are (joints, xyz, n)."""

from __future__ import annotations

import math

import numpy as np

from minilift.lift.augment import tables as table
from minilift.lift.augment.bodies import body_factors, mix, rebuild
from minilift.lift.augment.detector import Errors, aim, hidden
from minilift.lift.augment.hashes import Draws
from minilift.lift.augment.settings import Augmentation
from minilift.ops import Array, Ops

MIRROR = list(table.MIRROR)


def augment(
    ops: Ops, source_x: Array, source_y: Array, settings: Augmentation, key: tuple[int, int], x: Array,
    y: Array, hidden_as: float = 0.0, before: int = 0,
) -> None:  # fmt: skip
    """x, y <- source_x, source_y augmented, `before` poses into a batch: `Augmenter` has the maths."""
    n, joints = len(source_y), table.JOINTS
    pose = source_y.reshape(n, joints, 3).transpose(1, 2, 0).copy()
    draws = Draws(key, n, pose.dtype, before)
    if settings.reshapes:
        pose[:, 2] += 1  # from the root
    if settings.mix:
        pose = mix(pose, draws.hashes, draws.u, settings.mix)
    flipped = draws.u[table.FLIP] < settings.flip
    pose = _flip(pose, flipped)
    if settings.body:
        chosen = draws.u[table.BODY] < settings.body
        drawn = rebuild(pose, body_factors(draws), np.sqrt(draws.u[table.SHARE]))
        pose = np.where(chosen, drawn, pose)
    if settings.moves:
        _move_camera(pose, draws, settings)
    if settings.reshapes:
        pose[:, 2] -= 1
    image = None
    if not settings.reshapes:
        image = _flip(source_x.reshape(n, joints, 2).transpose(1, 2, 0).copy(), flipped)
    errors, gone = Errors(draws, settings), None
    if settings.hides:
        seen = image if image is not None or not settings.edge else _projected(pose)
        gone = hidden(draws, settings, seen)
    if image is None:
        loses, told = settings.loses_hips and gone is not None, bool(settings.noise_to)
        if loses or told:
            aim(pose, draws, errors, gone if loses else None, told)
        np.minimum(pose[:, 2], table.NEAREST, out=pose[:, 2])
        image = pose[:, :2] / -pose[:, 2:]
    image = errors.add(image, draws, settings)
    if gone is not None:
        np.copyto(image, hidden_as, where=gone[:, None])
        np.copyto(errors.told, 0, where=gone)
    for axis in range(2):
        x[:, axis : 2 * joints : 2] = image[:, axis].T
    if x.shape[1] > 2 * joints:
        x[:, 2 * joints :] = errors.told.T
    y.reshape(n, joints, 3)[:] = pose.transpose(2, 0, 1)


# ---- geometry ----------------------------------------------------------------------------------
def _flip(points: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Points (joints, 2 or 3, n): left and right exchanged, x negated, where `flipped` (n,)."""
    if not flipped.any():
        return points
    other = points[MIRROR]
    np.negative(other[:, 0], out=other[:, 0])
    return np.where(flipped, other, points)


def _projected(pose: np.ndarray) -> np.ndarray:
    """The image (joints, 2, n) of a pose that is seen from the camera."""
    return np.asarray(pose[:, :2] / -np.minimum(pose[:, 2:], table.NEAREST))


def _move_camera(pose: np.ndarray, draws: Draws, settings: Augmentation) -> None:
    """In place, about the root: tumble, then yaw and tilt, then roll, then distance."""
    u = draws.u
    if settings.tumble:
        chosen = np.flatnonzero(u[table.TUMBLE] < settings.tumble)
        turns = any_rotation(u[table.TUMBLE + 1 : table.TUMBLE + 4, chosen])
        pose[..., chosen] = np.add.reduce(turns * pose[:, None, :, chosen], axis=2)
    if settings.turns:
        most_yaw, most_tilt, elevation = settings.angles
        yaw, tilt = (2 * u[table.YAW] - 1) * most_yaw, (2 * u[table.TILT] - 1) * most_tilt
        _turn(pose, yaw, tilt, elevation)
    if settings.roll:
        angle = (2 * u[table.ROLL] - 1) * math.radians(settings.roll)
        cos, sin = np.cos(angle), np.sin(angle)
        across = cos * pose[:, 0] - sin * pose[:, 1]
        pose[:, 1] = sin * pose[:, 0] + cos * pose[:, 1]
        pose[:, 0] = across
    if settings.distance:
        pose *= np.exp((2 * u[table.DISTANCE] - 1) * settings.distance)


def any_rotation(u: np.ndarray) -> np.ndarray:
    """Rotations (3, 3, n), uniform over all, from uniform numbers (3, n): Shoemake, "Uniform random
    rotations", Graphics Gems III, 1992."""
    first, second = np.sqrt(1 - u[0]), np.sqrt(u[0])
    x, y = first * np.sin(2 * math.pi * u[1]), first * np.cos(2 * math.pi * u[1])
    z, w = second * np.sin(2 * math.pi * u[2]), second * np.cos(2 * math.pi * u[2])
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.array(rows)


def _turn(pose: np.ndarray, yaw: np.ndarray, tilt: np.ndarray, elevation: float) -> None:
    """In place: Rx(elevation + tilt) Ry(yaw) Rx(-elevation), about the root."""
    x, y, z = pose[:, 0], pose[:, 1], pose[:, 2]
    c, s = math.cos(elevation), math.sin(elevation)
    height, ahead = c * y + s * z, c * z - s * y
    cos, sin = np.cos(yaw), np.sin(yaw)
    pose[:, 0], ahead = cos * x + sin * ahead, cos * ahead - sin * x
    cos, sin = np.cos(elevation + tilt), np.sin(elevation + tilt)
    pose[:, 1] = cos * height - sin * ahead
    pose[:, 2] = sin * height + cos * ahead
