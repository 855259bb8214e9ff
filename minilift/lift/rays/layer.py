"""From depths to joints, for a network that need not say what the image says already."""

from __future__ import annotations

from minilift.lift.rays.operations import rays, rays_backward
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Rays(Module):
    """Every joint on the ray through its image point, as far away as its depth says.

    forward    y_j = (-u_j z_j, -v_j z_j, z_j)      points (n, 2J), depth (n, J), y (n, 3J)
    keeps      points and depth, by reference
    backward   ddepth_j = -u_j dX_j - v_j dY_j + dZ_j,   dpoints_j = (-z_j dX_j, -z_j dY_j)

    with (u, v) = (X/-Z, Y/-Z) the pinhole image, and depths z < 0 in front of the camera. What comes out
    projects onto the points that went in, exactly. Nothing is trained.
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.points: Array | None = None

    def forward(self, points: Array, depth: Array) -> Array:  # type: ignore[override]
        self.points, self.depth = self._input(points, axes=2), self._input(depth, axes=2)
        n, joints = self.depth.shape
        if self.points.shape != (n, 2 * joints):
            raise ValueError(f"Rays: {joints} depths and points of shape {tuple(self.points.shape)}")
        self.y = self.buffer("y", (n, 3 * joints))
        return rays(self.ops, self.points, self.depth, out=self.y)

    def backward(self, dy: Array, dpoints: Array | None = None) -> Array:
        """Returns ddepth; `dpoints`, where it is given, takes the other."""
        dy = self._gradient(dy, None if self.points is None else self.y)
        ddepth = self.buffer("ddepth", self.depth.shape)
        rays_backward(self.ops, dy, self.points, self.depth, dpoints, ddepth)
        return ddepth
