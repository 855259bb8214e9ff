"""The network looked into: how its answer moves with a 2D joint, and where its depths are in doubt."""

from minilift.lift.explain.depths import Depths, depths, smallest_flips
from minilift.lift.explain.explained import Explained, explain
from minilift.lift.explain.jacobian import jacobian

__all__ = ["Depths", "Explained", "depths", "explain", "jacobian", "smallest_flips"]
