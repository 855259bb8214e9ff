"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from minilift.nn.init import initial_bias, initial_weight
from minilift.nn.module import Module
from minilift.nn.params import Parameter
from minilift.ops import Array, Ops


class Linear(Module):
    """Every output is a weighted sum of all inputs, plus a constant.

    forward    y  = x weight^T + bias          x (..., in), weight (out, in), bias (out,), y (..., out)
    keeps      x, by reference
    backward   dweight = dy^T x,  dbias = column sums of dy,  dx = dy weight

    Whatever axes stand before the last are one in these formulas, the rows of a matrix.

    `init` is a name of `minilift.nn.init`, or "zeros" for weights that are about to be loaded; `rng` a
    numpy.random.Generator (default: a fresh one).
    """

    parameter_names = ("weight", "bias")

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, init: str = "uniform",
        rng: Any = None, ops: Ops | None = None,
    ) -> None:  # fmt: skip
        super().__init__(ops)
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear: a layer from {in_features} to {out_features} columns; both must be 1 or more"
            )
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(self.ops.zeros((out_features, in_features)), self.ops)
        self.bias = Parameter(self.ops.zeros((out_features,)), self.ops) if bias else None
        if init != "zeros":
            rng = rng or self.ops.generator(None)
            self.weight.data = self.ops.asarray(initial_weight(init, rng, in_features, out_features))
            if self.bias is not None:
                self.bias.data = self.ops.asarray(initial_bias(init, rng, in_features, out_features))
        self.x: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        self.x = x = self._input(x, self.in_features)
        bias = None if self.bias is None else self.bias.data
        self.y = self.buffer("y", (*x.shape[:-1], self.out_features))
        self.ops.linear(_matrix(x), self.weight.data, bias, out=_matrix(self.y))
        return self.y

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, None if self.x is None else self.y)
        dx = self.buffer("dx", (*dy.shape[:-1], self.in_features))
        self._backward(dy, _matrix(dx))
        return dx

    def backward_parameters(self, dy: Array) -> None:
        self._backward(self._gradient(dy, None if self.x is None else self.y), None)

    def _backward(self, dy: Array, dx: Array | None) -> None:
        weight, dbias = self.weight, None if self.bias is None else self.bias.grad
        self.ops.linear_backward(_matrix(dy), _matrix(self.x), weight.data, weight.grad, dbias, out=dx)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


def _matrix(x: Any) -> Array:
    """x with all axes but the last as one: a view, for the layer's arrays are C-contiguous."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
