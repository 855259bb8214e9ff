"""What head "place" does around the layers: sizes, reliabilities and places, put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.lift.rays.place import Given, Place, Reliability
from minilift.lift.rays.size import Sized, Unsized, WithSize
from minilift.ops import Array, Ops, Portable


class Placing(Portable):
    """From the network's input to the columns of its first layer, and from what its last gives to joints.

        x -> `points` (a change of units) -> `columns` (the layers, a change of units) -> `placed`

    and back in `to_last`, `to_points`, `to_input`. The image points, how far they are relied on and how large
    the person is act on both sides of the layers, so their gradients are kept from one to the other. With
    `levels` x may have standard deviations, and people are seen at one size (`Sized`).
    """

    def __init__(self, joints: int, levels: bool, ops: Ops) -> None:
        self.ops: Ops = ops
        self.joints, self.levels = joints, levels
        self.reliability, self.given, self.place = (
            Reliability(joints, ops=ops),
            Given(levels, ops=ops),
            Place(ops=ops),
        )
        self.sized, self.with_size, self.unsized = Sized(joints, ops=ops), WithSize(ops=ops), Unsized(ops=ops)

    @property
    def inputs(self) -> int:
        """Columns of the first layer: the points, which were seen; how well they are known, and the size."""
        return 4 * self.joints + 1 if self.levels else 3 * self.joints

    def of_size_1(
        self, joint_2d: np.ndarray, joint_3d: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (N, 2J) and joints (N, 3J) as the layers have them, and sizes (N, 1)."""
        points = joint_2d.reshape(-1, 2 * self.joints)
        own = np.array(self.ops.to_host(self.sized.forward(self.ops.asarray(points))))
        size = np.array(self.ops.to_host(self.sized.size), np.float64)
        root = np.array([0, 0, 1])
        joints = (joint_3d.reshape(len(points), -1, 3) + root) / size[:, None]
        return own, joints.reshape(len(points), -1), size

    def points(self, x: Array) -> Array:
        """The image points (n, 2J) in the unit of the layers, NaN where not seen."""
        self._raw = x
        if self.levels:
            x = self.sized.forward(x)
            self._raw = self.sized.points
        self._r = self.reliability.forward(x)
        return self.reliability.points

    def columns(self, points: Array) -> Array:
        """What the first layer takes."""
        seen = self.given.forward(points, self._r)
        return self.with_size.forward(seen, self.sized.size) if self.levels else seen

    def placed(self, o: Array) -> Array:
        """Joints (n, 3J) from what the last layer gives."""
        if self.levels:
            o = self.unsized.forward(o, self.sized.size)
        return self.place.forward(self._raw, self._r, o)

    def to_last(self, dy: Array) -> Array:
        """The gradient of what the last layer gives."""
        self._direct = self.place.buffer("direct", (len(dy), 2 * self.joints))
        if not self.levels:
            return self.place.backward(dy, self._direct)
        self._dr = self.place.buffer("dr", (len(dy), self.joints))
        do, self._dsize = self.unsized.backward(self.place.backward(dy, self._direct, self._dr))
        return do

    def to_points(self, dcolumns: Array) -> Array:
        """The gradient of the points in the unit of the layers."""
        if not self.levels:
            return self.given.backward(dcolumns)
        dseen, dsize = self.with_size.backward(dcolumns)
        self._dsize = self.ops.add(self._dsize, dsize, out=dsize)
        more = self.given.buffer("more", self._dr.shape)
        dpoints = self.given.backward(dseen, more)
        self.ops.add(self._dr, more, out=self._dr)
        return dpoints

    def to_input(self, dpoints: Array) -> Array:
        """The gradient of x."""
        if not self.levels:
            return self.ops.add(dpoints, self._direct, out=self._direct)
        return self.sized.backward(self.reliability.backward(self._dr, dpoints), self._dsize, self._direct)

    def units(self) -> Any:
        """What standardises the logarithm of the size: scale and shift."""
        return self.with_size.scale, self.with_size.shift

    def set_units(self, scale: float, shift: float) -> None:
        self.with_size.scale, self.with_size.shift = float(scale), float(shift)
