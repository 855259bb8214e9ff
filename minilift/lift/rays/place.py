"""Joints on the rays of what was seen, and where the network puts them if they were not."""

from __future__ import annotations

from minilift.lift.rays.operations import given, given_backward, place, place_backward
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Given(Module):
    """The network's input from image points some of which were not seen: NaN for both coordinates.

    forward    y = (x with 0 for NaN, s)     x (n, 2J), s_j = 1 where joint j was seen, else 0; y (n, 3J)
    keeps      x, by reference
    backward   dx = the first 2J columns of dy where s = 1, else 0

    Where x is standardised before it, 0 is the mean of the training data.
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.x: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = self._input(x, axes=2)
        n, columns = self.x.shape
        self.y = self.buffer("y", (n, columns // 2 * 3))
        return given(self.ops, self.x, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        return given_backward(self.ops, dy, self.x, self.buffer("dx", self.x.shape))


class Place(Module):
    """Every joint at the depth that the network gives: on its own ray if it was seen, else on the network's.

    forward    p_j = (u_j, v_j) if joint j was seen, else (a_j, b_j)
               y_j = (-p_j0 z_j, -p_j1 z_j, z_j)
               points (n, 2J) with NaN for what was not seen, o (n, 3J) = (a, b, z) of joint after joint
    keeps      points and o, by reference
    backward   dz = dZ - p_0 dX - p_1 dY
               (da, db) = (0, 0) if seen, else (-z dX, -z dY);   dpoints = the other way round

    So what was seen projects onto itself, exactly, and what was not is where the network learned to put it.
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.points: Array | None = None

    def forward(self, points: Array, o: Array) -> Array:  # type: ignore[override]
        self.points, self.o = self._input(points, axes=2), self._input(o, axes=2)
        n, columns = self.o.shape
        if self.points.shape != (n, columns // 3 * 2):
            raise ValueError(f"Place: {columns // 3} joints and points of shape {tuple(self.points.shape)}")
        self.y = self.buffer("y", (n, columns))
        return place(self.ops, self.points, self.o, out=self.y)

    def backward(self, dy: Array, dpoints: Array | None = None) -> Array:
        """Returns do; `dpoints`, where it is given, takes the other."""
        dy = self._gradient(dy, None if self.points is None else self.y)
        do = self.buffer("do", self.o.shape)
        place_backward(self.ops, dy, self.points, self.o, dpoints, do)
        return do
