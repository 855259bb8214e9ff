"""One pose looked into: the answer, how far to trust it, how it moves, and what it is not sure of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.explain.depths import Depths, depths, smallest_flips
from minilift.lift.explain.jacobian import jacobian
from minilift.lift.lifter import FARTHEST, Lifter
from minilift.lift.trust import Trust, check_joints


@dataclass(frozen=True)
class Explained:
    """Of one pose; units as `Lifter.predict` has them."""

    joint_2d: np.ndarray
    """(15, 2) what was lifted, NaN where not seen."""
    joint_3d: np.ndarray
    """(15, 3) the answer."""
    trust: Trust | None
    """As `Lifter.trust` gives it for a single pose; None without a trust file."""
    moves: np.ndarray
    """(15, 3, 15, 2) `jacobian`."""
    depths: Depths
    """Its fields are (15,)."""
    flips: np.ndarray
    """(15, 15, 2) `smallest_flips`."""

    @property
    def gains(self) -> np.ndarray:
        """(15, 15): [i, j] is how far 3D joint i goes at most for every unit that 2D joint j is moved, the
        largest singular value of that block of the Jacobian."""
        return np.linalg.norm(self.moves.transpose(0, 2, 1, 3), ord=2, axis=(2, 3))

    @property
    def turned_by(self) -> np.ndarray:
        """(15,) image units: how far all points together move, at least, for a bone's depth to change its
        sign; by the search, NaN where that found nothing."""
        return np.linalg.norm(self.flips.reshape(len(self.flips), -1), axis=1)


def explain(lifter: Lifter, joint_2d: Any, sigma: Any = None) -> Explained:
    """Look into one pose (15, 2), with `sigma` as `Lifter.predict` takes it for a single pose.

    Raises InputError for a lifter of other joints, ArgumentError for another shape, for a joint that is
    missing where the lifter does not take that, and as `Lifter.predict`.
    """
    model = lifter.model
    check_joints(model.input_nodes, model.joint_nodes)
    points = np.asarray(joint_2d, model.dtype)
    if points.shape != (lifter.joints, 2):
        raise ArgumentError("joint_2d", points.shape, f"expected ({lifter.joints}, 2)")
    if not lifter.takes_missing and not np.isfinite(points).all():
        raise ArgumentError("joint_2d", "NaN", "these weights take no missing joints; fill it in")
    told = None if sigma is None else np.minimum(np.asarray(sigma, model.dtype), FARTHEST)
    answer = lifter.predict(points, told)
    trust = lifter.trust(points, answer, told) if lifter.has_trust else None
    expected = None if trust is None else trust.expected_error[None]
    found = depths(model, points[None], told, expected)
    return Explained(
        points, answer, trust, jacobian(model, points, told), Depths(*(field[0] for field in found)),
        smallest_flips(model, points, told),
    )  # fmt: skip
