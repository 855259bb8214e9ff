"""Trainable arrays, alone or as views into one flat vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minilift.ops import Array, Ops, Portable

ALIGN = 16  # elements: every parameter starts on a 64-byte line, which suits SIMD and 128-bit GPU loads


class Parameter(Portable):
    """A trainable array `data` and the gradient `grad` of the loss with respect to it, same shape.

    Assigning to either copies into the array that is there, which optimisers and the model hold views of.
    `home` and `start` say where it lies once a ParamBuffer has gathered it.
    """

    def __init__(self, data: Array, ops: Ops) -> None:
        self.ops: Ops = ops
        self._data, self._grad = data, ops.zeros(data.shape)
        self.home: ParamBuffer | None = None
        self.start = 0

    @property
    def data(self) -> Array:
        return self._data

    @data.setter
    def data(self, values: Array) -> None:
        self._copy(values, self._data)

    @property
    def grad(self) -> Array:
        return self._grad

    @grad.setter
    def grad(self, values: Array) -> None:
        self._copy(values, self._grad)

    def _copy(self, values: Array, out: Array) -> None:
        if tuple(values.shape) != self.shape:
            raise ValueError(f"{self}: assigned an array of shape {tuple(values.shape)}")
        self.ops.copy(values, out=out)

    def __getstate__(self) -> dict[str, Any]:
        """A copy is alone: its home would be copied without it."""
        return {**super().__getstate__(), "home": None}

    def move(self, home: ParamBuffer, start: int, data: Array, grad: Array) -> None:
        """Live in these views of `home` from now on, with the values as they are."""
        self.ops.copy(self._data, out=data)
        self.ops.copy(self._grad, out=grad)
        self._data, self._grad, self.home, self.start = data, grad, home, start

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)

    @property
    def size(self) -> int:
        return int(self.data.size)

    def __repr__(self) -> str:
        return f"Parameter{self.shape}"


class ParamBuffer:
    """ONE vector of all parameters and one of their gradients; the parameters become views of them.

    An optimiser then makes one pass over one vector, and a checkpoint is one array. The few elements of
    padding between parameters stay 0: their gradient is 0 and every optimiser leaves them alone.
    """

    def __init__(self, parameters: Sequence[Parameter], ops: Ops) -> None:
        size = sum(_padded(p.size) for p in parameters)
        self.data, self.grad = ops.zeros((size,)), ops.zeros((size,))
        start = 0
        for p in parameters:
            view = slice(start, start + p.size)
            p.move(self, start, self.data[view].reshape(p.shape), self.grad[view].reshape(p.shape))
            start += _padded(p.size)


def _padded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def runs(parameters: Iterable[Parameter]) -> list[tuple[Array, Array]]:
    """The parameters as the fewest flat (data, grad) vectors: one for a whole model."""
    found: list[tuple[Array, Array]] = []
    home, start, stop = None, 0, 0
    for p in parameters:
        if p.home is None:
            found.append((p.data.reshape(-1), p.grad.reshape(-1)))
            home = None
        elif p.home is home and p.start == stop:
            stop = p.start + _padded(p.size)
            found[-1] = (home.data[start:stop], home.grad[start:stop])
        else:
            home, start, stop = p.home, p.start, p.start + _padded(p.size)
            found.append((home.data[start:stop], home.grad[start:stop]))
    return found
