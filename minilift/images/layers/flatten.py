"""Images as rows."""

from __future__ import annotations

from math import prod

from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Flatten(Module):
    """All axes but the first as one: between the layers of images and Linear.

    forward    y  = x, as (n, features)        x (n, ...)
    keeps      the shape of x
    backward   dx = dy, in the shape of x

    Neither copies: both return their argument in another shape.
    """

    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.x: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = x = self._input(x)
        self.y = x.reshape(len(x), prod(x.shape[1:]))
        return self.y

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        return dy.reshape(self.x.shape)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (prod(shape),)
