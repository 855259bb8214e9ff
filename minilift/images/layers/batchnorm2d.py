"""Batch normalisation of channels."""

from __future__ import annotations

from minilift.images.layers.sizes import image, images
from minilift.images.ops.operations import batchnorm2d, batchnorm2d_backward
from minilift.nn.batchnorm import BatchNorm1d
from minilift.ops import Array


class BatchNorm2d(BatchNorm1d):
    """Normalise each channel over all images and pixels, then scale and shift.

    forward    BatchNorm1d's formulas, its rows all pixels of all images: x, y (n, c, height, width),
               statistics, weight and bias (c,)
    keeps      xhat (n, c, height, width), rstd (c,)
    backward   BatchNorm1d's, with sums over images and pixels, n height width of them

    Training needs two pixels. As torch.nn.BatchNorm2d.
    """

    def forward(self, x: Array, train: bool = False) -> Array:
        x = images(self, x, self.num_features, "num_features")
        count = len(x) * x.shape[2] * x.shape[3]
        if train:
            self.check_rows(count)
        self.xhat, y = self.buffer("xhat", x.shape), self.buffer("y", x.shape)
        self.trained = train
        mean, var = (self.mean, self.var) if train else (self.running_mean, self.running_var)
        weight, bias = self.weight.data, self.bias.data
        batchnorm2d(self.ops, x, weight, bias, mean, var, self.rstd, self.eps, self.xhat, y, train)
        if train:
            self.track(count)
        return y

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return image(self, shape, self.num_features, "num_features")

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.xhat)
        weight, dx = self.weight, self.buffer("dx", dy.shape)
        sums = weight.grad, self.bias.grad
        return batchnorm2d_backward(
            self.ops, dy, self.xhat, self.rstd, weight.data, *sums, out=dx, train=self.trained
        )
