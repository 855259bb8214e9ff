"""The loss of symmetric bones, which every way of learning without 3D may add."""

from __future__ import annotations

import numpy as np

from minilift.lift.weak import operations as geometry
from minilift.ops import Array, Ops
from minilift.poses.layouts import COURSE15

LEFT = list(COURSE15.left)
PAIRS = np.stack([LEFT, np.take(COURSE15.mirror, LEFT)], axis=1)
"""The rows of a left joint and of the right one: so of two bones that are equally long."""
PARENTS = np.array([len(COURSE15) if parent < 0 else parent for parent in COURSE15.parents])
"""Of each joint that from which its bone leads; behind the last one for the root."""


class Symmetry:
    """mean (w (l_a - l_b) / m)^2 over poses and pairs of a left and a right bone, m the mean of a pose's
    bones, w its weight."""

    def __init__(self, ops: Ops) -> None:
        self.ops, self.parents, self.pairs = ops, ops.asindex(PARENTS), ops.asindex(PAIRS)

    def __call__(self, joints: Array, weight: Array, grad: Array, total: Array) -> None:
        """Adds the loss of joints (n, 3J) with weights w (n, 1) to total, and its gradient to grad."""
        ops, n = self.ops, len(joints)
        lengths, dlengths = (ops.scratch(name, (n, len(PARENTS))) for name in ("lengths", "dlengths"))
        names = ("values", "scaled", "none", "dvalues")
        values, scaled, none, dvalues = (ops.scratch(name, (n, len(PAIRS))) for name in names)
        dbones = ops.scratch("dbones", joints.shape)
        ops.fill(none, 0.0)
        geometry.bone_lengths(ops, joints, self.parents, lengths)
        geometry.asymmetry(ops, lengths, self.pairs, values)
        ops.multiply(values, weight, out=scaled)
        ops.mse(scaled, none, dvalues, total)
        ops.multiply(dvalues, weight, out=dvalues)
        geometry.asymmetry_backward(ops, dvalues, lengths, self.pairs, values, dlengths)
        geometry.bone_lengths_backward(ops, dlengths, joints, self.parents, lengths, dbones)
        ops.add(grad, dbones, out=grad)
