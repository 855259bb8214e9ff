"""Pooling: one number for each window of an image."""

from __future__ import annotations

from minilift.images.layers.sizes import Pair, Windows, image, images, pair, windows_on
from minilift.images.ops.operations import avg_pool, avg_pool_backward, max_pool, max_pool_backward
from minilift.nn.module import Module
from minilift.ops import Array, Ops


class _Pool(Module):
    """What both have: windows of `kernel_size`, `stride` apart (default: side by side), no padding."""

    def __init__(
        self, kernel_size: int | Pair, stride: int | Pair | None = None, *, ops: Ops | None = None
    ) -> None:
        super().__init__(ops)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.x: Array | None = None

    def windows(self, channels: int, size: Pair) -> Windows:
        return windows_on(channels, size, self.kernel_size, self.stride)

    def _prepared(self, x: Array) -> tuple[Array, Windows]:
        """x as it is kept, and its windows; makes y."""
        self.x = x = images(self, x)
        windows = self.windows(x.shape[1], x.shape[2:])
        self.y = self.buffer("y", (*x.shape[:2], *windows.places))
        return x, windows

    def _checked(self, dy: Array) -> tuple[Array, Array, Windows]:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        return dy, self.x, self.windows(self.x.shape[1], self.x.shape[2:])

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        channels, height, width = image(self, shape)
        return (channels, *self.windows(channels, (height, width)).places)

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={value[0] if value[0] == value[1] else value}"
            for name, value in (("kernel_size", self.kernel_size), ("stride", self.stride))
        )


class MaxPool2d(_Pool):
    """The largest of each window.

    forward    y_c(p, q) = max over i, j of x_c(s p + i, s q + j)      x (n, c, height, width), stride s
    keeps      x, by reference, and y
    backward   dx = dy at the first largest of its window (row by row), 0 at the others; windows that
               overlap add theirs

    As torch.nn.MaxPool2d, also for equal values: behind a ReLU many windows are all 0.
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        x, windows = self._prepared(x)
        return max_pool(self.ops, x, windows, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy, x, windows = self._checked(dy)
        return max_pool_backward(self.ops, dy, x, self.y, windows, out=self.buffer("dx", x.shape))


class AvgPool2d(_Pool):
    """The mean of each window.

    forward    y_c(p, q) = 1/k^2 sum over i, j of x_c(s p + i, s q + j)      x (n, c, height, width), stride s
    keeps      the shape of x
    backward   dx = dy / k^2; windows that overlap add theirs
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        x, windows = self._prepared(x)
        return avg_pool(self.ops, x, windows, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy, x, windows = self._checked(dy)
        return avg_pool_backward(self.ops, dy, windows, out=self.buffer("dx", x.shape))
