"""Dropout of whole feature maps."""

from __future__ import annotations

from minilift.images.layers.sizes import images
from minilift.nn.dropout import Dropout
from minilift.ops import Array


class Dropout2d(Dropout):
    """In training, zero each channel of each image with probability p and scale the others by 1/(1-p).

    forward    y  = x mask,  mask (n, c) = 0 or 1/(1-p), one for a whole plane      x, y (n, c, height, width)
    keeps      mask
    backward   dx = dy mask

    Neighbouring pixels of a feature map say nearly the same, so dropping single ones hides little (Tompson et
    al., arXiv:1411.4280, section 3.2). The mask is Dropout's, of a matrix (n, c): the same on every backend.
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        self.y = x = images(self, x)
        self.mask = None
        if not train:
            return x
        key = self.next_key()
        if self.p == 0:
            return x
        self.mask = self.ops.dropout_mask(self.p, key, out=self.buffer("mask", x.shape[:2]))
        self.y = self._masked(x, self.buffer("y", x.shape))
        return self.y

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return dy if self.mask is None else self._masked(dy, self.buffer("dx", dy.shape))

    def _masked(self, x: Array, out: Array) -> Array:
        assert self.mask is not None
        planes = x.shape[0] * x.shape[1]
        rows, column = x.reshape(planes, -1), self.mask.reshape(planes, 1)
        self.ops.multiply(rows, column, out=out.reshape(planes, -1))
        return out
