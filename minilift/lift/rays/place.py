"""Joints on the rays of what was seen, and where the network puts them as far as they were not."""

from __future__ import annotations

from minilift.lift.rays.operations import (
    given,
    given_backward,
    place,
    place_backward,
    reliability,
    reliability_backward,
)
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Reliability(Module):
    """How far each joint's image point is to be relied on: 1 where exact, 0 where not seen.

    forward    r_j = LEVEL / (LEVEL + sigma_j), 0 where a coordinate is NaN; x (n, 2J) are points, sigma = 0,
               or (n, 3J): behind them the sigmas. `points` (n, 2J) are those of x
    keeps      r and points; points by reference where x has no more
    backward   dx = (dpoints, dsigma), dsigma_j = -r_j^2 dr_j / LEVEL, or dpoints alone
    """

    def __init__(self, joints: int, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.joints = joints
        self.r: Array | None = None
        self.points: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x, axes=2)
        n, columns = x.shape
        if columns not in (2 * self.joints, 3 * self.joints):
            raise ValueError(f"Reliability: {self.joints} joints and input of shape {(n, columns)}")
        self.columns, self.points = columns, x
        if columns > 2 * self.joints:
            self.points = self.buffer("points", (n, 2 * self.joints))
        copied = self.points if self.points is not x else None
        self.r = reliability(self.ops, x, copied, out=self.buffer("r", (n, self.joints)))
        return self.r

    def backward(self, dr: Array, dpoints: Array) -> Array:  # type: ignore[override]
        """dx, of the shape that x had, from the gradients of r and of the points (n, 2J)."""
        dr = self._gradient(dr, self.r)
        if self.columns == dpoints.shape[1]:
            return dpoints
        dx = self.buffer("dx", (len(dr), self.columns))
        return reliability_backward(self.ops, dr, self.r, dpoints, out=dx)


class Given(Module):
    """The network's input from image points and how far they are to be relied on.

    forward    y = (w x, w), (n, 3J), and with `levels` (w x, w, r), (n, 4J);
               x (n, 2J) with NaN where not seen, r (n, J) of `Reliability`,
               w = 1 / (1 + (sigma/SPREAD)^2) = r^2 / (r^2 + (LEVEL/SPREAD (1 - r))^2); w x = 0 where r = 0
    keeps      x and r, by reference
    backward   dx_j = w_j dy_j,   dr_j = w'(r_j) (dw_j + x_j . dy_j) + (dy of r)_j, both 0 where r = 0

    Where x is standardised before it, what is drawn to 0 is drawn to the mean of the training data. Without
    `levels` a joint was seen or not, r = w = 1 or 0, and there is no gradient of r.
    """

    def __init__(self, levels: bool = False, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.levels = levels
        self.x: Array | None = None

    def forward(self, x: Array, r: Array) -> Array:  # type: ignore[override]
        self.x, self.r = self._input(x, axes=2), self._input(r, axes=2)
        n, joints = self.r.shape
        if self.x.shape != (n, 2 * joints):
            raise ValueError(f"Given: {joints} joints and points of shape {tuple(self.x.shape)}")
        self.y = self.buffer("y", (n, joints * (4 if self.levels else 3)))
        return given(self.ops, self.x, self.r, out=self.y)

    def backward(self, dy: Array, dr: Array | None = None) -> Array:
        """Returns dx; `dr`, where it is given and there are levels, takes the other."""
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        dx = self.buffer("dx", self.x.shape)
        given_backward(self.ops, dy, self.x, self.r, dx, dr if self.levels else None)
        return dx


class Place(Module):
    """Every joint at the depth that the network gives, on its own ray or moved off it by the network.

    forward    p_j = w_j (u_j, v_j) + g_j (a_j, b_j),   w of `Given`,
               g_j = sigma_j / (sigma_j + SPREAD) = k (1 - r_j) / (k (1 - r_j) + r_j), k = LEVEL/SPREAD
               y_j = (-p_j0 z_j, -p_j1 z_j, z_j)
               points (n, 2J) with NaN for what was not seen, r (n, J) of `Reliability`,
               o (n, 3J) = (a, b, z) of joint after joint
    keeps      points, r and o, by reference
    backward   dp = (-z dX, -z dY),   dz = dZ - p_0 dX - p_1 dY
               (da, db) = g dp,   dpoints = w dp
               dr = (w'(r) (u, v) + g'(r) (a, b)) . dp where seen, else 0,   g'(r) = -k / (k (1 - r) + r)^2

    So what is exact projects onto itself, exactly, and what was not seen is where the network learned to put
    it. What is known with a small error, w about 1, is moved from where it was seen: (a, b) is the way. What
    is known with a large one, w about 0, is put as if it was not seen.
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.points: Array | None = None

    def forward(self, points: Array, r: Array, o: Array) -> Array:  # type: ignore[override]
        self.points, self.o = self._input(points, axes=2), self._input(o, axes=2)
        self.r = self._input(r, axes=2)
        n, columns = self.o.shape
        if self.points.shape != (n, columns // 3 * 2) or self.r.shape != (n, columns // 3):
            shapes = f"points of shape {tuple(self.points.shape)}, reliabilities {tuple(self.r.shape)}"
            raise ValueError(f"Place: {columns // 3} joints and {shapes}")
        self.y = self.buffer("y", (n, columns))
        return place(self.ops, self.points, self.r, self.o, out=self.y)

    def backward(self, dy: Array, dpoints: Array | None = None, dr: Array | None = None) -> Array:
        """Returns do; `dpoints` and `dr`, where they are given, take the others."""
        dy = self._gradient(dy, None if self.points is None else self.y)
        assert self.points is not None
        do = self.buffer("do", self.o.shape)
        place_backward(self.ops, dy, self.points, self.r, self.o, dpoints, dr, do)
        return do
