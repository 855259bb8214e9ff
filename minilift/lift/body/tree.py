"""Symmetric systems of 3 by 3 blocks on a kinematic tree, for many poses at once.

The matrix of a least-squares problem whose residuals belong to a joint, or to a joint and its parent, has
blocks on the diagonal and between joint and parent only. Taken away from the leaves to the root it fills
nothing in, so that it is solved in a time that grows with the joints, not with their cube (Featherstone,
"Rigid Body Dynamics Algorithms", 2008, chapter 6.3). Arrays are (joints, 3, n) and (joints, 3, 3, n), a pose
a column: every step is an operation on all poses.
"""

from __future__ import annotations

import numpy as np

from minilift.poses.layouts import COURSE15, ROOT

PARENTS = COURSE15.parents
JOINTS = len(COURSE15)
CHILDREN_FIRST = tuple(reversed(range(JOINTS)))
"""The course's joints come after their parents, so the other way round ends at the root."""


def bones(joints: np.ndarray) -> np.ndarray:
    """From parent to joint (15, 3, n), of joints (15, 3, n) with the root at (0, 0, -1)."""
    root = np.broadcast_to(np.asarray(ROOT, np.float64)[:, None], (1, 3, joints.shape[2]))
    whole = np.concatenate([joints, root])
    return np.asarray(whole[:-1] - whole[list(PARENTS)])


def to_parents(joints: np.ndarray, bone: np.ndarray, sign: float) -> None:
    """Add `sign` times what every bone has to its parent's row of `joints`, in place. The root has none."""
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            joints[parent] += sign * bone[joint]


class Eliminated:
    """A matrix taken apart: diagonal (15, 3, 3, n), and between a joint and its parent (15, 3, 3, n).

    Of joint j with the children c, from the leaves on,

        S_j = D_j - sum_c O_c^T G_c          G_j = S_j^-1 O_j

    with D the diagonal and O_j the block in the rows of j and the columns of its parent. The symmetric matrix
    must be positive definite.
    """

    def __init__(self, diagonal: np.ndarray, off: np.ndarray) -> None:
        left = diagonal.copy()
        self.inverse = np.empty_like(left)
        self.gain = np.zeros_like(off)
        for joint in CHILDREN_FIRST:
            self.inverse[joint] = inverse_of(left[joint])
            parent = PARENTS[joint]
            if parent >= 0:
                self.gain[joint] = _times(self.inverse[joint], off[joint])
                left[parent] -= _times(off[joint].transpose(1, 0, 2), self.gain[joint])

    def solve(self, right: np.ndarray) -> np.ndarray:
        """x (15, 3, n) with A x = right (15, 3, n): leaves to root, and back."""
        rest = right.copy()
        for joint in CHILDREN_FIRST:
            parent = PARENTS[joint]
            if parent >= 0:
                rest[parent] -= _apply(self.gain[joint].transpose(1, 0, 2), rest[joint])
        x = np.empty_like(rest)
        for joint, parent in enumerate(PARENTS):
            x[joint] = _apply(self.inverse[joint], rest[joint])
            if parent >= 0:
                x[joint] -= _apply(self.gain[joint], x[parent])
        return x


def inverse_of(a: np.ndarray) -> np.ndarray:
    """Of symmetric matrices (3, 3, n): the adjugate over the determinant, entry by entry."""
    xx, xy, xz, yy, yz, zz = a[0, 0], a[0, 1], a[0, 2], a[1, 1], a[1, 2], a[2, 2]
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    over = 1 / (xx * cxx + xy * cxy + xz * cxz)
    return np.stack([cxx, cxy, cxz, cxy, cyy, cyz, cxz, cyz, czz]).reshape(a.shape) * over


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products (3, 3, n) of matrices (3, 3, n)."""
    return np.asarray(a[:, 0, None] * b[0] + a[:, 1, None] * b[1] + a[:, 2, None] * b[2])


def _apply(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """a x (3, n) of matrices (3, 3, n) and vectors (3, n)."""
    return np.asarray(a[:, 0] * x[0] + a[:, 1] * x[1] + a[:, 2] * x[2])
