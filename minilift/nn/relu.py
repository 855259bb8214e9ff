"""The rectified linear unit."""

from __future__ import annotations

from minilift.nn.module import Module
from minilift.ops import Array, Ops


class ReLU(Module):
    """Negative values become 0.

    forward    y  = max(x, 0)                 x, y of any shape
    keeps      y
    backward   dx = dy where y > 0, else 0    (the derivative at 0 is taken as 0)
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x)
        self.y = self.buffer("y", x.shape)
        return self.ops.relu(x, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return self.ops.relu_backward(dy, self.y, out=self.buffer("dx", dy.shape))
