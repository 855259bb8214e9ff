"""Rotations of many frames at once: matrices (f, 3, 3) and unit quaternions (f, 4), x y z w."""

from __future__ import annotations

import numpy as np

_NO_LENGTH = 1e-9


def frame(exact: np.ndarray, near: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """Rotations whose axis axes[0] points along `exact` (f, 3), and axes[1] as near to `near` as it can."""
    first, second = axes
    sign = 1.0 if (second - first) % 3 == 1 else -1.0
    out = np.empty((len(exact), 3, 3))
    a = _unit(exact, np.eye(3)[first])
    b = near - a * (near * a).sum(axis=1, keepdims=True)
    # Any direction across will do where the two are parallel: the one of the least component of `a`
    other = np.eye(3)[np.abs(a).argmin(axis=1)]
    b = _unit(b, _unit(other - a * (other * a).sum(axis=1, keepdims=True), np.eye(3)[second]))
    out[:, :, first], out[:, :, second] = a, b
    out[:, :, 3 - first - second] = sign * np.cross(a, b)
    return out


def swing(start: np.ndarray, rest: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """`start` (f, 3, 3), turned by the smallest angle that brings its direction `rest` to `towards` (f, 3).

    That is Rodrigues' formula, R = I + [k] + [k]^2 / (1 + c), k = a x b, c = a . b. Half a turn has no
    smallest one: it is made about an axis of `start` across `rest`, one of the three axes.
    """
    a = start @ rest
    b = _unit(towards, a)
    k, c = np.cross(a, b), (a * b).sum(axis=1)
    cross = np.zeros_like(start)
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -k[:, 2], k[:, 1], -k[:, 0]
    cross -= cross.transpose(0, 2, 1)
    opposite = c < -1 + 1e-9
    turn = np.eye(3) + cross + cross @ cross / np.where(opposite, 1.0, 1 + c)[:, None, None]
    across = start @ np.eye(3)[np.abs(rest).argmin()]
    half = 2 * across[:, :, None] * across[:, None, :] - np.eye(3)
    return np.asarray(np.where(opposite[:, None, None], half, turn) @ start)


def quaternions(turns: np.ndarray) -> np.ndarray:
    """Unit quaternions (f, 4) of rotations, each on the side of the one before, so that they may be blended.

    The largest of the four is found first (S. W. Shepperd, J. Guidance and Control 1, 1978).
    """
    xx, yy, zz = turns[:, 0, 0], turns[:, 1, 1], turns[:, 2, 2]
    squares = 1 + np.stack([xx - yy - zz, yy - xx - zz, zz - xx - yy, xx + yy + zz], axis=1)
    sums = turns + turns.transpose(0, 2, 1)
    odd = turns - turns.transpose(0, 2, 1)
    wx, wy, wz = odd[:, 2, 1], odd[:, 0, 2], odd[:, 1, 0]
    xy, xz, yz = sums[:, 0, 1], sums[:, 0, 2], sums[:, 1, 2]
    rows = np.stack([
        np.stack([squares[:, 0], xy, xz, wx], 1), np.stack([xy, squares[:, 1], yz, wy], 1),
        np.stack([xz, yz, squares[:, 2], wz], 1), np.stack([wx, wy, wz, squares[:, 3]], 1),
    ], 1)  # fmt: skip
    found = rows[np.arange(len(turns)), squares.argmax(axis=1)]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    flips = (found[1:] * found[:-1]).sum(axis=1) < 0
    signs = np.where(np.concatenate([[0], np.cumsum(flips)]) % 2, -1.0, 1.0)
    return np.asarray(found * signs[: len(found), None])


def matrices(quaternion: np.ndarray) -> np.ndarray:
    """Rotations (f, 3, 3) of unit quaternions."""
    x, y, z, w = quaternion.T
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return np.stack(rows, axis=1).reshape(-1, 3, 3)


def blend(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """From quaternions a to b (f, 4) by shares (f,): at an even speed, on the shorter way (slerp)."""
    dot = (a * b).sum(axis=1)
    b = np.where(dot[:, None] < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(dot), 0, 1))
    sin = np.sin(angle)
    small = sin < 1e-6  # along the chord
    safe = np.where(small, 1.0, sin)
    one = np.where(small, 1 - share, np.sin((1 - share) * angle) / safe)
    two = np.where(small, share, np.sin(share * angle) / safe)
    found = one[:, None] * a + two[:, None] * b
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def euler_zxy(turns: np.ndarray) -> np.ndarray:
    """Degrees (f, 3) about z, x and y with R = Rz Rx Ry, the outer two without jumps from frame to frame."""
    upright = np.abs(turns[:, 2, 1]) > 1 - 1e-12  # then z and y turn about the same axis
    z = np.where(
        upright, np.arctan2(turns[:, 1, 0], turns[:, 0, 0]), np.arctan2(-turns[:, 0, 1], turns[:, 1, 1])
    )
    x = np.arctan2(turns[:, 2, 1], np.hypot(turns[:, 2, 0], turns[:, 2, 2]))
    y = np.where(upright, 0.0, np.arctan2(-turns[:, 2, 0], turns[:, 2, 2]))
    return np.asarray(np.degrees(np.stack([np.unwrap(z), x, np.unwrap(y)], axis=1)))


def _unit(vectors: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Vectors (f, 3) of length 1; `otherwise` for one without length."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > _NO_LENGTH, vectors / np.maximum(length, _NO_LENGTH), otherwise)
