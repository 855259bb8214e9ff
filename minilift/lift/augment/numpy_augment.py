"""Augmentation for NumPy: a whole batch at a time, a pose a column: arrays are (joints, xyz, n)."""

from __future__ import annotations

import math

import numpy as np

from minilift.lift.augment import tables as table
from minilift.lift.augment.settings import Augmentation
from minilift.ops import Array, Ops
from minilift.poses.layouts import COURSE15

LIMB_STARTS, LIMB_MIDDLES, LIMB_ENDS = (list(row) for row in zip(*table.LIMBS, strict=True))
MIRROR = list(table.MIRROR)
PAIRS = np.array([table.LEGS, table.ARMS])
ROOT = table.JOINTS  # the row behind the joints
HIPS = [row for row, joint in enumerate(COURSE15.joints) if "hip" in joint]
IN_PART = np.array([[row in part for part in table.PARTS] for row in range(table.JOINTS)])
# Thirteen vectors of a body, from joint to joint, and the segment that each has its length from
BONES = (
    (0, 1), (3, 4), (1, 2), (4, 5), (0, 3), (ROOT, 6), (6, 7), (7, 8), (12, 9), (9, 10), (12, 13), (10, 11),
    (13, 14),
)  # fmt: skip
BONE_FROM, BONE_TO = (list(row) for row in zip(*BONES, strict=True))
SEGMENT = [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8]
# Own lengths: means of left and right, and halves of the hips' and the shoulders' distance
AVERAGE = np.array([[0.5 * (s == i) for s in SEGMENT] for i in range(9)])
AVERAGE[[3, 4, 5]] *= 2


def augment(
    ops: Ops, source_x: Array, source_y: Array, settings: Augmentation, key: tuple[int, int], x: Array,
    y: Array, hidden_as: float = 0.0,
) -> None:  # fmt: skip
    """x, y <- source_x, source_y augmented: `Augmenter` has the maths."""
    n, joints = len(source_y), table.JOINTS
    pose = source_y.reshape(n, joints, 3).transpose(1, 2, 0).copy()
    draws = _hashes(key, n, 0, table.NOISE)
    u = _uniform(draws, pose.dtype)
    if settings.reshapes:
        pose[:, 2] += 1  # from the root
    if settings.mix:
        pose = _mix(pose, draws, u, settings.mix)
    flipped = u[table.FLIP] < settings.flip
    pose = _flip(pose, flipped)
    if settings.body:
        chosen = u[table.BODY] < settings.body
        pose = np.where(chosen, _rebuild(pose, body_factors(u), np.sqrt(u[table.SHARE])), pose)
    if settings.turns:
        most_yaw, most_tilt, elevation = settings.angles
        yaw, tilt = (2 * u[table.YAW] - 1) * most_yaw, (2 * u[table.TILT] - 1) * most_tilt
        _turn(pose, yaw, tilt, elevation)
    if settings.distance:
        pose *= np.exp((2 * u[table.DISTANCE] - 1) * settings.distance)
    hidden = _hidden(key, u, settings) if settings.hides else None
    if settings.reshapes:
        pose[:, 2] -= 1
        if hidden is not None and settings.part_dropout:
            _aim(pose, key, hidden[HIPS[0]] | hidden[HIPS[1]])
        np.minimum(pose[:, 2], table.NEAREST, out=pose[:, 2])
        image = pose[:, :2] / -pose[:, 2:]
    else:
        image = _flip(source_x.reshape(n, joints, 2).transpose(1, 2, 0).copy(), flipped)
    if settings.noise:
        noise = _normals(_uniform(_hashes(key, n, table.NOISE, 2 * joints), pose.dtype))
        image += settings.noise * noise.reshape(image.shape)
    if hidden is not None:
        np.copyto(image, hidden_as, where=hidden[:, None])
    x.reshape(n, joints, 2)[:] = image.transpose(2, 0, 1)
    y.reshape(n, joints, 3)[:] = pose.transpose(2, 0, 1)


# ---- random numbers ----------------------------------------------------------------------------
def _hashes(key: tuple[int, int], n: int, first: int, count: int) -> np.ndarray:
    """Hashes (count, n) of pose * SLOTS + slot: lowbias32, as in `Ops.dropout_mask`, here to its end."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(table.SLOTS)
    h = h + np.arange(first, first + count, dtype=np.uint32)[:, None]
    h ^= np.uint32(key[0])
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h ^= np.uint32(key[1])
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


def _uniform(h: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return (h >> np.uint32(8)).astype(dtype) * 2.0**-24 + 2.0**-25


def _normals(u: np.ndarray) -> np.ndarray:
    """Normal numbers from uniform ones (2 k, n), two neighbouring rows at a time (Box & Muller, 1958)."""
    radius, angle = np.sqrt(-2 * np.log(u[0::2])), 2 * math.pi * u[1::2]
    out = np.empty_like(u)
    np.multiply(radius, np.cos(angle), out=out[0::2])
    np.multiply(radius, np.sin(angle), out=out[1::2])
    return out


def _hidden(key: tuple[int, int], u: np.ndarray, settings: Augmentation) -> np.ndarray:
    """Which joints (joints, n) the network does not see."""
    mine = _uniform(_hashes(key, u.shape[1], table.HIDDEN, table.JOINTS), u.dtype) < settings.joint_dropout
    if settings.part_dropout:
        mine |= _part(u[table.PART], settings.part_dropout)
    return mine


def _part(u: np.ndarray, share: float) -> np.ndarray:
    """Which joints (joints, n) a hidden part has, in poses whose uniform number (n,) is below the share."""
    count = len(table.PARTS)
    which = np.minimum(u / u.dtype.type(share) * count, count - 1).astype(np.intp)
    return np.asarray(IN_PART[:, which] & (u < share))


# ---- geometry ----------------------------------------------------------------------------------
def _length(v: np.ndarray) -> np.ndarray:
    """Lengths of vectors (..., 3, n), as (..., 1, n); 1e-12 for a vector of length 0."""
    return np.sqrt(np.add.reduce(v * v, axis=-2, keepdims=True) + table.TINY)


def _flip(points: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Points (joints, 2 or 3, n): left and right exchanged, x negated, where `flipped` (n,)."""
    if not flipped.any():
        return points
    other = points[MIRROR]
    np.negative(other[:, 0], out=other[:, 0])
    return np.where(flipped, other, points)


def _frames(pose: np.ndarray) -> np.ndarray:
    """Axes (2, 3, 3, n) of pelvis and shoulder girdle: to the left, upwards, and what is square to both."""
    side = pose[[3, 9]] - pose[[0, 12]]
    up = np.stack([pose[6], pose[7] - pose[6]])
    side /= _length(side)
    up -= np.add.reduce(up * side, axis=1, keepdims=True) * side
    up /= _length(up)
    ahead = side[:, [1, 2, 0]] * up[:, [2, 0, 1]] - side[:, [2, 0, 1]] * up[:, [1, 2, 0]]
    return np.stack([side, up, ahead], axis=1)


def _mix(pose: np.ndarray, draws: np.ndarray, u: np.ndarray, share: float) -> np.ndarray:
    """Limbs of other poses, turned from their pelvis or girdle into the own one; own bone lengths."""
    n = pose.shape[2]
    axes = _frames(pose)[:, None, None]  # (pair, side, bone, axis, xyz, n)
    bones = np.stack([pose[LIMB_MIDDLES] - pose[LIMB_STARTS], pose[LIMB_ENDS] - pose[LIMB_MIDDLES]], axis=1)
    local = np.add.reduce(axes * bones.reshape(2, 2, 2, 1, 3, n), axis=4)
    taken = u[PAIRS[:, None] + [1, 3]] < table.TAKEN
    donor = (draws[PAIRS[:, None] + [2, 4]].astype(np.uint64) * np.uint64(n) >> np.uint64(32)).astype(np.intp)
    together = u[PAIRS] < 0.5
    taken[:, 1] = np.where(together, taken[:, 0], taken[:, 1])
    donor[:, 1] = np.where(together, donor[:, 0], donor[:, 1])
    taken &= u[table.MIX] < share
    lent = np.take_along_axis(local.reshape(4, 6, n), donor.reshape(4, 1, n), axis=2)
    turned = np.add.reduce(lent.reshape(2, 2, 2, 3, 1, n) * axes, axis=3).reshape(bones.shape)
    turned *= _length(bones) / _length(turned)
    bones = np.where(taken.reshape(4, 1, 1, n), turned, bones)
    out = pose.copy()
    out[LIMB_MIDDLES] = out[LIMB_STARTS] + bones[:, 0]
    out[LIMB_ENDS] = out[LIMB_MIDDLES] + bones[:, 1]
    return out


def body_factors(u: np.ndarray) -> np.ndarray:
    """The FACTORS (14, n) of a body, from a pose's uniform numbers."""
    normal = _normals(u[table.NORMALS : table.NORMALS + 12]).clip(-table.CLIP, table.CLIP)
    head, ankle = 2 * u[table.HEAD] - 1, np.maximum(2 * u[table.ANKLE] - 1, 0)
    return np.concatenate([normal, head[None], ankle[None]])


def _rebuild(pose: np.ndarray, factors: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Poses with another body: bones keep their directions and get lengths between their own, symmetric ones
    (share 0) and those of the body (share 1), which has the pose's legs' length; geometric in between."""
    n, dtype = pose.shape[2], pose.dtype
    points = np.concatenate([pose, np.zeros((1, 3, n), dtype)])
    bones = points[BONE_TO] - points[BONE_FROM]
    length = _length(bones)
    own = AVERAGE.astype(dtype) @ length[:, 0]
    drawn = np.asarray(table.LOADINGS, dtype) @ factors + np.log(np.asarray(table.MEANS, dtype))[:, None]
    drawn, drop = drawn[:9], np.exp(share * drawn[9])
    drawn = drawn + np.log((own[0] + own[1]) / (np.exp(drawn[0]) + np.exp(drawn[1])))
    new = np.exp(share * drawn + (1 - share) * np.log(own))
    bones *= new[SEGMENT][:, None] / length
    out = np.empty_like(pose)
    out[3], out[0] = bones[4], -bones[4]
    out[[1, 4]] = out[[0, 3]] + bones[0:2]
    out[[2, 5]] = out[[1, 4]] + bones[2:4]
    out[6:9] = np.cumsum(bones[5:8], axis=0)
    centre = out[7] + drop * (0.5 * (pose[9] + pose[12]) - pose[7])
    out[9], out[12] = centre + bones[8], centre - bones[8]
    out[[10, 13]] = out[[9, 12]] + bones[9:11]
    out[[11, 14]] = out[[10, 13]] + bones[11:13]
    return out


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


def _aim(pose: np.ndarray, key: tuple[int, int], off: np.ndarray) -> None:
    """In place: Rx(b) Ry(a) about the camera where `off` (n,), a and b normal with deviation AIM_ERROR."""
    pair = _normals(_uniform(_hashes(key, len(off), table.AIM, 2), pose.dtype))
    a, b = np.where(off, table.AIM_ERROR * pair, 0).astype(pose.dtype)
    x, y, z = pose[:, 0], pose[:, 1], pose[:, 2]
    cos, sin = np.cos(a), np.sin(a)
    pose[:, 0], ahead = cos * x + sin * z, cos * z - sin * x
    cos, sin = np.cos(b), np.sin(b)
    pose[:, 1], pose[:, 2] = cos * y - sin * ahead, sin * y + cos * ahead
