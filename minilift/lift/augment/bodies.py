"""Limbs of others and bodies of other proportions, for NumPy: arrays are (joints, xyz, n)."""

from __future__ import annotations

import numpy as np

from minilift.lift.augment import tables as table
from minilift.lift.augment.hashes import Draws

LIMB_STARTS, LIMB_MIDDLES, LIMB_ENDS = (list(row) for row in zip(*table.LIMBS, strict=True))
PAIRS = np.array([table.LEGS, table.ARMS])
ROOT = table.JOINTS  # the row behind the joints
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


def _length(v: np.ndarray) -> np.ndarray:
    """Lengths of vectors (..., 3, n), as (..., 1, n); 1e-12 for a vector of length 0."""
    return np.sqrt(np.add.reduce(v * v, axis=-2, keepdims=True) + table.TINY)


def _frames(pose: np.ndarray) -> np.ndarray:
    """Axes (2, 3, 3, n) of pelvis and shoulder girdle: to the left, upwards, and what is square to both."""
    side = pose[[3, 9]] - pose[[0, 12]]
    up = np.stack([pose[6], pose[7] - pose[6]])
    side /= _length(side)
    up -= np.add.reduce(up * side, axis=1, keepdims=True) * side
    up /= _length(up)
    ahead = side[:, [1, 2, 0]] * up[:, [2, 0, 1]] - side[:, [2, 0, 1]] * up[:, [1, 2, 0]]
    return np.stack([side, up, ahead], axis=1)


def mix(pose: np.ndarray, draws: np.ndarray, u: np.ndarray, share: float) -> np.ndarray:
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


def body_factors(draws: Draws) -> np.ndarray:
    """The FACTORS (19, n) of a body."""
    normal = draws.normals(table.NORMALS, table.NORMAL).clip(-table.CLIP, table.CLIP)
    head, ankle, child = 2 * draws.u[[table.HEAD, table.ANKLE, table.CHILD]] - 1
    child = np.maximum(child, 0)
    return np.concatenate([normal, [head, np.maximum(ankle, 0), child * child]])


def rebuild(pose: np.ndarray, factors: np.ndarray, share: np.ndarray) -> np.ndarray:
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
