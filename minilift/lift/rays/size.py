"""Near and far people made alike for the layers between: a network need not learn what scaling does."""

from __future__ import annotations

from minilift.lift.rays.size_operations import (
    sized,
    sized_backward,
    unsized,
    unsized_backward,
    with_size,
    with_size_backward,
)
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Sized(Module):
    """Image points and their standard deviations over the size of the person in the image.

    forward    y = x / s (n, C),   s = sqrt(mean |u_j|^2) over the joints seen, `size` (n, 1)
               x (n, 2J) or (n, 3J): points u, NaN where not seen, and perhaps their standard deviations
    keeps      x, by reference, s, and `points` (n, 2J) as they are, by reference where x has no more
    backward   D = ds - (dy . x) / s^2,   dx = dy / s,   du_j = dy / s + D u_j / (s seen) + direct
               with the gradients ds of the size, and direct (n, 2J) of what else the points lead to
    """

    def __init__(self, joints: int, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.joints = joints
        self.x: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = self._input(x, axes=2)
        if self.x.shape[1] not in (2 * self.joints, 3 * self.joints):
            raise ValueError(f"Sized: {self.joints} joints and input of shape {tuple(self.x.shape)}")
        n, columns = self.x.shape
        self.size, self.points, copied = self.buffer("size", (n, 1)), self.x, None
        if columns > 2 * self.joints:
            self.points = copied = self.buffer("points", (n, 2 * self.joints))
        self.y = self.buffer("y", self.x.shape)
        return sized(self.ops, self.x, self.joints, self.size, copied, out=self.y)

    def backward(self, dy: Array, dsize: Array, direct: Array) -> Array:  # type: ignore[override]
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        dx = self.buffer("dx", self.x.shape)
        return sized_backward(self.ops, dy, dsize, direct, self.x, self.joints, self.size, dx)


class WithSize(Module):
    """How large the person is, as one more column: what perspective does depends on it.

    forward    y = (x, a log s + b), x (n, C), s (n, 1); a = 1 and b = 0, or what standardises log s
    keeps      s, by reference
    backward   dx = dy without its last column,   ds = a dy_last / s
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.scale, self.shift = 1.0, 0.0
        self.size: Array | None = None

    def forward(self, x: Array, size: Array) -> Array:  # type: ignore[override]
        x = self._input(x, axes=2)
        self.size = size
        self.y = self.buffer("y", (len(x), x.shape[1] + 1))
        return with_size(self.ops, x, size, self.scale, self.shift, out=self.y)

    def backward(self, dy: Array) -> tuple[Array, Array]:
        """dx and ds."""
        dy = self._gradient(dy, None if self.size is None else self.y)
        assert self.size is not None
        dx, dsize = self.buffer("dx", (len(dy), dy.shape[1] - 1)), self.buffer("dsize", self.size.shape)
        return with_size_backward(self.ops, dy, self.size, self.scale, dx, dsize), dsize


class Unsized(Module):
    """What the network says of a person of size 1, for one of size s.

    forward    (a, b, z)_j -> (s a, s b, s z - 1)_j,   x (n, 3J), s (n, 1): z is from the root, over s
    keeps      x and s, by reference
    backward   dx = s dy,   ds = dy . x
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.x: Array | None = None

    def forward(self, x: Array, size: Array) -> Array:  # type: ignore[override]
        self.x, self.size = self._input(x, axes=2), size
        self.y = self.buffer("y", self.x.shape)
        return unsized(self.ops, self.x, size, out=self.y)

    def backward(self, dy: Array) -> tuple[Array, Array]:
        """dx and ds."""
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        dx, dsize = self.buffer("dx", self.x.shape), self.buffer("dsize", self.size.shape)
        return unsized_backward(self.ops, dy, self.x, self.size, dx, dsize), dsize
