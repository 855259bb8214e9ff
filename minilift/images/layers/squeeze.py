"""Axes of one element, taken away."""

from __future__ import annotations

from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Squeeze(Module):
    """x without its axes of one element: what is left behind a pooling to 1x1.

    forward    y  = x, without the axes `dim` that have one element      (None: without all of them)
    keeps      the shape of x
    backward   dx = dy, in the shape of x

    Neither copies. With `dim` None, which is what torch's x.squeeze() does, a batch of one image loses its
    first axis too, and what follows takes channels for images: give (2, 3), or use Flatten.
    """

    def __init__(self, dim: int | tuple[int, ...] | None = None, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.dim = (dim,) if isinstance(dim, int) else dim
        self.x: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = x = self._input(x)
        self.y = x.reshape(self._squeezed(tuple(x.shape)))
        return self.y

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        return dy.reshape(self.x.shape)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self._squeezed((2, *shape))[1:]  # of a batch of more than one image

    def _squeezed(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        axes = range(len(shape)) if self.dim is None else [axis % len(shape) for axis in self.dim]
        return tuple(n for axis, n in enumerate(shape) if n != 1 or axis not in axes)

    def extra_repr(self) -> str:
        return "" if self.dim is None else f"dim={self.dim}"
