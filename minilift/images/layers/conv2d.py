"""The convolutional layer."""

from __future__ import annotations

from typing import Any

from minilift.errors import ArgumentError
from minilift.images.layers.sizes import Pair, Windows, image, images, pair, windows_on
from minilift.images.ops.operations import conv2d, conv2d_backward
from minilift.nn.init import initial_bias, initial_weight
from minilift.nn.module import Module
from minilift.nn.params import Parameter
from minilift.ops import Array, Ops


class Conv2d(Module):
    """The same weighted sum at every place of an image: filters that slide over it.

    forward    y_o(p, q) = bias_o + sum over c, i, j of weight_ocij x_c(s p + i - r, s q + j - r)
               x (n, in, height, width), 0 outside; y (n, out, *places); stride s, padding r;
               weight (out, in, *kernel_size), bias (out,); places: `output_shape`
    keeps      x, by reference
    backward   with X' the unfolded x, W the weight as (out, in times kernel area):
               dweight = dY X'^T,  dbias_o = sum of dy_o,  dx = fold(W^T dY)

    kernel_size, stride and padding are a number, or two (height, width). `init` is a name of
    `minilift.nn.init`, fan_in = in times kernel area, or "zeros" for weights that are about to be loaded;
    `rng` a numpy.random.Generator (default: a fresh one). As torch.nn.Conv2d.

    Raises ArgumentError for images of other channels, or smaller than the kernel.
    """

    parameter_names = ("weight", "bias")

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | Pair, stride: int | Pair = 1,
        padding: int | Pair = 0, bias: bool = True, *, init: str = "uniform", rng: Any = None,
        ops: Ops | None = None,
    ) -> None:  # fmt: skip
        super().__init__(ops)
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value < 1:
                raise ArgumentError(name, value, "must be at least 1")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride, self.padding = pair("stride", stride), pair("padding", padding, least=0)
        shape = out_channels, in_channels, *self.kernel_size
        self.weight = Parameter(self.ops.zeros(shape), self.ops)
        self.bias = Parameter(self.ops.zeros((out_channels,)), self.ops) if bias else None
        if init != "zeros":
            self._initialise(init, rng or self.ops.generator(None))
        self.x: Array | None = None

    def _initialise(self, init: str, rng: Any) -> None:
        area = self.kernel_size[0] * self.kernel_size[1]
        fan_in, fan_out = self.in_channels * area, self.out_channels * area
        weight = initial_weight(init, rng, fan_in, self.out_channels)
        if init.startswith("xavier"):  # each pixel is in as many sums as the kernel has elements
            weight *= ((fan_in + self.out_channels) / (fan_in + fan_out)) ** 0.5
        self.weight.data = self.ops.asarray(weight.reshape(self.weight.shape))
        if self.bias is not None:
            self.bias.data = self.ops.asarray(initial_bias(init, rng, fan_in, self.out_channels))

    def windows(self, size: Pair) -> Windows:
        """On images of that height and width."""
        return windows_on(self.in_channels, size, self.kernel_size, self.stride, self.padding)

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = x = images(self, x, self.in_channels)
        windows = self.windows(x.shape[2:])
        self.y = self.buffer("y", (len(x), self.out_channels, *windows.places))
        bias = None if self.bias is None else self.bias.data
        return conv2d(self.ops, x, self.weight.data, bias, windows, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, None if self.x is None else self.y)
        assert self.x is not None
        dx = self.buffer("dx", self.x.shape)
        self._backward(dy, dx)
        return dx

    def backward_parameters(self, dy: Array) -> None:
        self._backward(self._gradient(dy, None if self.x is None else self.y), None)

    def _backward(self, dy: Array, dx: Array | None) -> None:
        assert self.x is not None
        dbias = None if self.bias is None else self.bias.grad
        weight, windows = self.weight, self.windows(self.x.shape[2:])
        conv2d_backward(self.ops, dy, self.x, weight.data, weight.grad, dbias, windows, out=dx)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        _, height, width = image(self, shape, self.in_channels)
        return (self.out_channels, *self.windows((height, width)).places)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}", f"kernel_size={self.kernel_size}"]
        parts += [f"stride={self.stride}"] + [f"padding={self.padding}"] * any(self.padding)
        return ", ".join(parts + ["bias=False"] * (self.bias is None))
