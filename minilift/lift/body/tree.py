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


def _levels() -> tuple[tuple[int, ...], ...]:
    """The joints by their number of joints up to the root: no two of a level depend on each other."""
    depth: list[int] = []
    for parent in PARENTS:  # which come before their children
        depth.append(0 if parent < 0 else depth[parent] + 1)
    return tuple(tuple(j for j in range(JOINTS) if depth[j] == d) for d in range(max(depth) + 1))


LEVELS = tuple((list(level), [PARENTS[joint] for joint in level]) for level in _levels())
"""Joints that are taken at once, and their parents, from the root on: few operations on many numbers."""


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
        self.inverse: list[np.ndarray] = []  # (joints of the level, 3, 3, n), the leaves' first
        self.gain: list[np.ndarray] = []
        for joints, parents in reversed(LEVELS[1:]):
            across, inverse = off[joints], inverse_of(left[joints])
            self.inverse.append(inverse)
            self.gain.append(_times(inverse, across))
            _take_away(_times(across.swapaxes(1, 2), self.gain[-1]), parents, left)
        self.first = inverse_of(left[LEVELS[0][0]])

    def solve(self, right: np.ndarray) -> np.ndarray:
        """x (15, 3, k, n) with A x = right (15, 3, k, n), of k right sides: leaves to root, and back."""
        rest = right.copy()
        for (joints, parents), gain in zip(reversed(LEVELS[1:]), self.gain, strict=True):
            _take_away(_apply(gain.swapaxes(1, 2), rest[joints]), parents, rest)
        x = np.empty_like(rest)
        x[LEVELS[0][0]] = _apply(self.first, rest[LEVELS[0][0]])
        outwards = zip(LEVELS[1:], reversed(self.inverse), reversed(self.gain), strict=True)
        for (joints, parents), inverse, gain in outwards:
            x[joints] = _apply(inverse, rest[joints]) - _apply(gain, x[parents])
        return x

    def covariances(self) -> np.ndarray:
        """The blocks on the diagonal of the inverse (15, 3, 3, n), from the root to the leaves.

        C_j = S_j^-1 + G_j C_p G_j^T, p the parent: the rest of the inverse is never made (Takahashi et al.,
        PICA 1973, for what is sparse; on a tree it needs nothing but these blocks).
        """
        first = LEVELS[0][0]
        found = np.empty((JOINTS, *self.first.shape[1:]))
        found[first] = self.first
        outwards = zip(LEVELS[1:], reversed(self.inverse), reversed(self.gain), strict=True)
        for (joints, parents), inverse, gain in outwards:
            found[joints] = inverse + _times(_times(gain, found[parents]), gain.swapaxes(1, 2))
        return found


def _take_away(what: np.ndarray, parents: list[int], rows: np.ndarray) -> None:
    """Take what the joints of a level have away from their parents' rows, in place."""
    for share, parent in zip(reversed(what), reversed(parents), strict=True):
        rows[parent] -= share


def inverse_of(a: np.ndarray) -> np.ndarray:
    """Of symmetric matrices (j, 3, 3, n): the adjugate over the determinant, entry by entry."""
    xx, xy, xz, yy, yz, zz = a[:, 0, 0], a[:, 0, 1], a[:, 0, 2], a[:, 1, 1], a[:, 1, 2], a[:, 2, 2]
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    over = 1 / (xx * cxx + xy * cxy + xz * cxz)
    inverse = np.empty_like(a)
    np.multiply(cxx, over, out=inverse[:, 0, 0])
    inverse[:, 0, 1] = inverse[:, 1, 0] = cxy * over
    inverse[:, 0, 2] = inverse[:, 2, 0] = cxz * over
    np.multiply(cyy, over, out=inverse[:, 1, 1])
    inverse[:, 1, 2] = inverse[:, 2, 1] = cyz * over
    np.multiply(czz, over, out=inverse[:, 2, 2])
    return inverse


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products (j, 3, 3, n) of matrices (j, 3, 3, n)."""
    found = a[:, :, 0, None] * b[:, None, 0]
    found += a[:, :, 1, None] * b[:, None, 1]
    found += a[:, :, 2, None] * b[:, None, 2]
    return found


def _apply(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """a x (j, 3, k, n) of matrices (j, 3, 3, n) and vectors (j, 3, k, n)."""
    found = a[:, :, 0, None] * x[:, None, 0]
    found += a[:, :, 1, None] * x[:, None, 1]
    found += a[:, :, 2, None] * x[:, None, 2]
    return found
