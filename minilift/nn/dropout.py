"""Dropout."""

from __future__ import annotations

from minilift.nn.module import Module
from minilift.ops import Array, Ops
from minilift.ops.keys import dropout_key


class Dropout(Module):
    """In training, zero each element with probability p and scale the others by 1/(1-p).

    forward    y  = x mask,  mask = 0 or 1/(1-p)      x, y of any shape; in evaluation y is x
    keeps      mask
    backward   dx = dy mask

    The scale keeps the expected value, so that evaluation needs none ("inverted dropout"; Srivastava et al.,
    JMLR 15, 2014, section 10). The mask is a hash of (seed, stream, number of the call): the same on every
    backend, and nothing to store. Layers of one network take the same seed and different streams, which
    Sequential numbers for the layers inside it; layers alone need different seeds to draw different masks.
    """

    resume_names = ("calls",)

    def __init__(self, p: float = 0.5, *, seed: int = 0, stream: int = 0, ops: Ops | None = None) -> None:
        super().__init__(ops)
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability must lie between 0 and 1, got {p}")
        self.p, self.seed, self.stream = p, seed, stream
        self.calls = 0  # training forwards so far: the step that the mask is a hash of
        self.mask: Array | None = None
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.y = x = self._input(x)
        self.mask = None
        if not train:
            return x
        key = self.next_key()
        if self.p == 0:
            return x
        self.mask = self.ops.dropout_mask(self.p, key, out=self.buffer("mask", x.shape))
        self.y = self.buffer("y", x.shape)
        return self.ops.multiply(x, self.mask, out=self.y)

    def next_key(self) -> tuple[int, int]:
        """What this step's mask is a hash of; counts the step."""
        self.calls += 1
        return dropout_key(self.seed, self.stream, self.calls - 1)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        if self.mask is None:
            return dy
        return self.ops.multiply(dy, self.mask, out=self.buffer("dx", dy.shape))

    def extra_repr(self) -> str:
        return f"p={self.p:g}"
