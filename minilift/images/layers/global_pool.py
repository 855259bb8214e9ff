"""Global pooling: one number for each channel, whatever the size of the image."""

from __future__ import annotations

from minilift.images.layers.sizes import image, images
from minilift.images.ops.operations import (
    global_max,
    global_max_backward,
    global_mean,
    global_mean_backward,
)
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class _GlobalPool(Module):
    def __init__(self, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.x: Array | None = None

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return image(self, shape)[:1]

    def _prepared(self, x: Array) -> Array:
        self.x = x = images(self, x)
        self.y = self.buffer("y", x.shape[:2])
        return x

    def _checked(self, dy: Array) -> tuple[Array, Array]:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        return dy, self.x


class GlobalMaxPool2d(_GlobalPool):
    """The largest value of each channel.

    forward    y_c = max over all pixels of x_c           x (n, c, height, width), y (n, c)
    keeps      x, by reference
    backward   dx = dy at the first largest (row by row), 0 at the others
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._prepared(x)
        return global_max(self.ops, x, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy, x = self._checked(dy)
        return global_max_backward(self.ops, dy, x, out=self.buffer("dx", x.shape))


class GlobalAvgPool2d(_GlobalPool):
    """The mean of each channel.

    forward    y_c = mean over all pixels of x_c          x (n, c, height, width), y (n, c)
    keeps      the shape of x
    backward   dx = dy / (height width), everywhere
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._prepared(x)
        return global_mean(self.ops, x, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy, x = self._checked(dy)
        return global_mean_backward(self.ops, dy, out=self.buffer("dx", x.shape))
