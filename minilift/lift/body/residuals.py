"""What a fused pose makes small: the distances from the image, from the network's depths, and from the body.

Of joint j with the parent p, X = (x, y, z) in the unit in which the root is at (0, 0, -1), and the logarithm
s of how much smaller that unit is than it was taken to be:

    image      r_u = (x / -z - u) / sigma,   r_v = (y / -z - v) / sigma
    depth      r_d = ((z_j - z_p) - dz) / depth_spread                  dz: the network's
    bone       r_b = (|X_j - X_p| - L e^s) / (length_spread L e^s)      L: the body's, in that unit
    scale      r_s = s / scale_spread

    cost = sum of rho(r_u^2 + r_v^2) + r_d^2 + r_b^2 + r_s^2, halved

rho is Huber's: square up to HUBER standard deviations, then linear, so a keypoint on something else pulls
with a bounded force (Huber, Ann. Math. Statist. 35, 1964). Gradients and the Gauss-Newton matrix:

    d(r_u, r_v)/dX = [1/-z, 0, x/z^2; 0, 1/-z, y/z^2] / sigma
    dr_b/dX_j = unit / (length_spread L e^s) = -dr_b/dX_p      dr_b/ds = -|X_j - X_p| / (length_spread L e^s)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from minilift.lift.body.tree import bones, to_parents

HUBER = 3.0
_SHORTEST = 1e-9


class System(NamedTuple):
    """The Gauss-Newton matrix and gradient at a point, as `Eliminated` takes them."""

    diagonal: np.ndarray
    off: np.ndarray
    gradient: np.ndarray
    """(15, 3, n), of the joints."""
    border: np.ndarray
    """(15, 3, n): the matrix between joints and scale."""
    corner: np.ndarray
    """(n,): that of the scale alone."""
    slope: np.ndarray
    """(n,): the gradient of the scale."""


@dataclass(frozen=True)
class Residuals:
    """All that is known of n poses, a pose a column."""

    image: np.ndarray
    """(15, 2, n): where the joint is seen; where it is not, where the network puts it."""
    sigma: np.ndarray
    """(15, n), in units of the image; large where the joint was not seen."""
    depth: np.ndarray
    """(15, n): the network's dz between parent and joint."""
    depth_spread: np.ndarray
    length: np.ndarray
    """(15, n), units."""
    length_spread: np.ndarray
    """(15, n), as a share of the length."""
    scale_spread: np.ndarray
    """(n,), of the logarithm of the unit; 0 where it is known."""

    def take(self, columns: np.ndarray) -> Residuals:
        """Of some poses."""
        return Residuals(**{field.name: getattr(self, field.name)[..., columns] for field in fields(self)})

    def cost(self, joints: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n,), of joints (15, 3, n) and the scale s (n,). Infinite for joints behind the camera."""
        square, _, _ = self._image(joints)
        away = np.sqrt(square)
        total = np.where(away < HUBER, square, HUBER * (2 * away - HUBER)).sum(axis=0)
        bone = bones(joints)
        total += (((bone[:, 2] - self.depth) / self.depth_spread) ** 2).sum(axis=0)
        wanted = self.length * np.exp(scale)
        total += (((_lengths(bone) - wanted) / (self.length_spread * wanted)) ** 2).sum(axis=0)
        total += np.where(self.scale_spread > 0, scale / np.maximum(self.scale_spread, _SHORTEST), 0) ** 2
        return np.where((joints[:, 2] < 0).all(axis=0), total / 2, np.inf)

    def system(self, joints: np.ndarray, scale: np.ndarray) -> System:
        """The Gauss-Newton matrix and the gradient at joints (15, 3, n) and the scale s (n,)."""
        square, off_u, off_v = self._image(joints)
        weight = 1 / np.maximum(1, np.sqrt(square) / HUBER)  # Huber's, of squares that change in every step
        near = -1 / joints[:, 2] / self.sigma
        lean_u, lean_v = joints[:, 0] * near / -joints[:, 2], joints[:, 1] * near / -joints[:, 2]
        diagonal = np.zeros((len(joints), 3, 3, joints.shape[2]))
        diagonal[:, 0, 0] = diagonal[:, 1, 1] = weight * near * near
        diagonal[:, 0, 2] = diagonal[:, 2, 0] = weight * near * lean_u
        diagonal[:, 1, 2] = diagonal[:, 2, 1] = weight * near * lean_v
        diagonal[:, 2, 2] = weight * (lean_u * lean_u + lean_v * lean_v)
        gradient = np.stack(
            [weight * near * off_u, weight * near * off_v, weight * (lean_u * off_u + lean_v * off_v)], axis=1
        )
        bone = bones(joints)
        length, wanted = _lengths(bone), self.length * np.exp(scale)
        stiff = 1 / (self.length_spread * wanted)
        unit = bone / length[:, None]
        along = unit * stiff[:, None]
        block = along[:, :, None] * along[:, None]
        block[:, 2, 2] += 1 / self.depth_spread**2
        off_bone = (length - wanted) * stiff
        pull = along * off_bone[:, None]
        pull[:, 2] += (bone[:, 2] - self.depth) / self.depth_spread**2
        diagonal += block
        to_parents(diagonal, block, 1)
        gradient += pull
        to_parents(gradient, pull, -1)
        stretch = -length * stiff
        border = along * stretch[:, None]
        to_parents(border, border.copy(), -1)
        held = np.where(self.scale_spread > 0, 1 / np.maximum(self.scale_spread, _SHORTEST) ** 2, 0)
        corner = (stretch * stretch).sum(axis=0) + held
        slope = (stretch * off_bone).sum(axis=0) + held * scale
        return System(diagonal, -block, gradient, border, corner, slope)

    def _image(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """r_u^2 + r_v^2, r_u and r_v (15, n)."""
        off_u = (joints[:, 0] / -joints[:, 2] - self.image[:, 0]) / self.sigma
        off_v = (joints[:, 1] / -joints[:, 2] - self.image[:, 1]) / self.sigma
        return off_u * off_u + off_v * off_v, off_u, off_v


def _lengths(bone: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((bone * bone).sum(axis=1)) + _SHORTEST)
