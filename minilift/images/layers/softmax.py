"""Softmax, as a layer."""

from __future__ import annotations

from minilift.images.ops.operations import softmax, softmax_backward
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Softmax(Module):
    """Scores as probabilities: positive, and 1 together.

    forward    y  = exp(x - m) / sum of exp(x - m)      along axis `dim`, m the largest there
    keeps      y
    backward   dx = y (dy - sum of dy y)                the sum along that axis

    For a network whose output is read as probabilities. CrossEntropy has a softmax in it: behind this layer
    it would take that of a softmax, in which no class gets more than e / (e + classes - 1).
    """

    def __init__(self, dim: int = 1, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.dim = dim
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x)
        if not -x.ndim <= self.dim < x.ndim:
            raise ValueError(f"{self.describe()}: there is no axis {self.dim} in {tuple(x.shape)}")
        self.y = self.buffer("y", x.shape)
        return softmax(self.ops, x, self.dim % x.ndim, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return softmax_backward(self.ops, dy, self.y, self.dim % dy.ndim, out=self.buffer("dx", dy.shape))

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
