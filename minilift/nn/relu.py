"""The rectified linear unit."""

from __future__ import annotations

from minilift.nn.module import Module
from minilift.ops import Array, Ops


class ReLU(Module):
    """Negative values become 0 or, with a `slope`, small: 0 <= slope < 1 (LeakyReLU).

    forward    y  = x where x > 0, else slope x       x, y of any shape
    keeps      y
    backward   dx = dy where y > 0, else slope dy     (the derivative at 0 is taken as the slope)
    """

    def __init__(self, slope: float = 0.0, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        if not 0 <= slope < 1:
            raise ValueError(f"ReLU: slope must be at least 0 and less than 1, got {slope}")
        self.slope = slope
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x)
        self.y = self.buffer("y", x.shape)
        return self.ops.relu(x, out=self.y, slope=self.slope)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return self.ops.relu_backward(dy, self.y, out=self.buffer("dx", dy.shape), slope=self.slope)

    def extra_repr(self) -> str:
        return f"slope={self.slope:g}" if self.slope else ""
