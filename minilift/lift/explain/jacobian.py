"""How the answer moves when a 2D joint moves: the Jacobian, by the backward pass of the layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.model import LiftModel


def jacobian(model: LiftModel, joint_2d: Any, sigma: Any = None) -> np.ndarray:
    """d answer / d points: (N, J, 3, J, 2), in the model's dtype, for 2D joints (N, J, 2); no first
    dimension for a single pose (J, 2).

    [n, i, k, j, c] is by how much coordinate k of joint i in 3D moves, in units, for every unit of the image
    by which coordinate c of 2D joint j moves; all else, `sigma` (a number, (N, J) or of a single pose (J,))
    too, stays. A joint that was not seen (NaN, with head "place") moves nothing.

    A backward pass takes dy to dy dA/dx, so the rows of the identity, a copy of the pose for each, give all
    3J rows of the Jacobian at once. In evaluation every row is alone: batch norm has fixed statistics. It
    leaves the gradients of these passes in `model.flat.grad`. Raises ArgumentError for other shapes, and for
    sigma with weights that take none.
    """
    joints = model.input_nodes // 2
    points = np.asarray(joint_2d, model.dtype)
    if points.shape[-2:] != (joints, 2) or points.ndim not in (2, 3):
        raise ArgumentError("joint_2d", points.shape, f"expected (N, {joints}, 2) or ({joints}, 2)")
    rows = points.reshape(-1, 2 * joints)
    x = with_sigma(model, rows, sigma)
    found = np.empty((len(rows), 3 * joints, 2 * joints), rows.dtype)
    each = model.ops.asarray(np.eye(3 * joints, dtype=rows.dtype))
    for row, own in enumerate(x):
        found[row] = gradients(model, np.broadcast_to(own, (3 * joints, len(own))), each)
    shape = (joints, 3, joints, 2)
    return found.reshape(shape if points.ndim == 2 else (len(rows), *shape))


def with_sigma(model: LiftModel, rows: np.ndarray, sigma: Any) -> np.ndarray:
    """What the model takes of points (n, 2J) and their standard deviations: (n, 2J), or (n, 3J)."""
    if sigma is None:
        return rows
    if not model.takes_noise:
        raise ArgumentError("sigma", np.shape(sigma), "these weights take no noise levels; leave it out")
    told = np.broadcast_to(np.asarray(sigma, rows.dtype), (len(rows), rows.shape[1] // 2))
    return np.concatenate([rows, told], axis=1)


def gradients(model: LiftModel, x: np.ndarray, dy: Any) -> np.ndarray:
    """dy (n, 3J) taken back to the points of x: (n, 2J)."""
    with model.ops.parallel():  # BLAS's own threads wait for each other in products of a few rows
        model.forward(model.ops.asarray(np.ascontiguousarray(x)))
        dx = np.array(model.ops.to_host(model.backward(dy)))
    return dx[:, : model.input_nodes]


def answers(model: LiftModel, x: np.ndarray) -> np.ndarray:
    """The model's answer (n, J, 3) to x (n, 2J) or (n, 3J)."""
    with model.ops.parallel():
        answer = np.array(model.ops.to_host(model.forward(model.ops.asarray(x))))
    return answer.reshape(len(x), -1, 3)
