"""A fixed change of units."""

from __future__ import annotations

from typing import Any

from minilift.nn.module import Module
from minilift.ops import Array, Ops


class Affine(Module):
    """Scale and shift each feature by constants: what turns raw data into standardised and back.

    forward    y  = x scale + shift       x, y (..., features); scale, shift (features,)
    backward   dx = dy scale

    Nothing is trained. A Linear before or after it can take it in: see `LiftModel.state_dict`.
    """

    resume_names = ("scale", "shift")  # constants, and so no weights: but a resumed run needs them

    def __init__(self, scale: Any, shift: Any, *, ops: Ops | None = None) -> None:
        super().__init__(ops)
        self.scale, self.shift = self.ops.asarray(scale), self.ops.asarray(shift)
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x, len(self.scale))
        self.y = self.buffer("y", x.shape)
        return self.ops.affine(x, self.scale, self.shift, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return self.ops.multiply(dy, self.scale, out=self.buffer("dx", dy.shape))

    def extra_repr(self) -> str:
        return f"{len(self.scale)}"
